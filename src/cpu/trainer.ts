import { RequestError } from "../errors.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import { type BakedModel, bakeModel } from "../model/bake.ts";
import { addBakedGradient, type BakedLayerGradient } from "../model/bake_weights.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { type ModelWeights, zeroWeights } from "../model/model_weights.ts";
import { readoutModel } from "../model/readout.ts";
import type { TableGradient } from "../model/table_gradient.ts";
import { lossValue, sumTerms } from "../train/loss.ts";
import type { LabelledFrame, Trainer } from "../train/trainer.ts";
import { tablesOf } from "./frame_tasks.ts";
import { gradientAt, type StoredGradient, type StoredLayerGradient } from "./gradient.ts";
import { allocate, mark, release } from "./memory.ts";
import { trainBytes } from "./scratch.ts";
import type { Task } from "./task.ts";
import type { Threads } from "./threads.ts";
import type { TrainedFrame, TrainOrder } from "./train_frame.ts";
import { type StoredLayer, type StoredModel, storeModel } from "./weights.ts";

/** Frames whose gradients are held at a time; they are added up in their order. */
const HELD = 16;

/** A model as the kernels have it for one batch. */
interface Opened {
  readonly model: MaceModel;
  readonly species: readonly number[];
  readonly head: number;
  readonly baked: BakedModel;
  readonly stored: StoredModel;
}

/**
 * Gradients by the kernels on threads, equal bits for any number of them.
 *
 * @param start model to begin with; how its tables are divided stays
 * @param species atomic numbers of all frames, ascending
 */
export function openCpuTrainer(
  threads: Threads,
  start: MaceModel,
  species: readonly number[],
  head: number,
): Omit<Trainer, "close"> {
  const before = mark(threads.memory);
  const baked = bakeModel(start, species, { training: true });
  const { nIntervals } = baked;
  const stored = storeModel(threads.memory, baked, true);
  const weightBytes = mark(threads.memory) - before;
  release(threads.memory, before);
  const forget = async () => {
    await threads.runEverywhere({ kind: "forget" });
    release(threads.memory, before);
  };
  return {
    async gradient(model, batch, options) {
      await forget();
      const opened = await storeWeights(threads, model, species, head, nIntervals);
      const { frames, total } = await runBatch(threads, opened, batch, options);
      const tables = await tableGradients(threads, opened, total);
      const terms = sumTerms(frames.map((frame) => frame.terms));
      return {
        value: lossValue(terms, options),
        terms,
        predictions: frames.map(({ prediction }) => prediction),
        gradient: collect(threads, opened, frames, total, tables),
      };
    },
    forecast(frames) {
      const gradients = (Math.min(frames.length, HELD) + 1) * gradientAt(stored, 0).bytes;
      const scratch = frames.reduce((most, frame) => {
        const graph = neighborList(frame, stored.rMax);
        return Math.max(most, trainBytes(stored, graph, graph.nEdges / 2));
      }, 0);
      return weightBytes + gradients + Math.min(threads.count, frames.length) * scratch;
    },
  };
}

/** Bakes the weights anew and fills all tables. */
async function storeWeights(
  threads: Threads,
  model: MaceModel,
  species: readonly number[],
  head: number,
  nIntervals: number,
): Promise<Opened> {
  const baked = bakeModel(model, species, { nIntervals, training: true });
  const stored = storeModel(threads.memory, baked, true);
  if (stored.nSlots < baked.nClasses) {
    throw new RequestError(
      `Cannot train with ${species.length} elements on the CPU: the radial tables of their ${baked.nClasses} ` +
        "kinds of pairs do not fit the memory; train fewer elements at a time",
    );
  }
  const slots = Array.from({ length: baked.nClasses }, (_, k) => ({ class: k, slot: k }));
  await threads.runAll(slots.flatMap((load) => tablesOf(baked, stored, load)));
  return { model, species, head, baked, stored };
}

/** Runs the frames of a batch and adds their gradients up, always in their order. */
async function runBatch(
  threads: Threads,
  { model, head, stored }: Opened,
  batch: readonly LabelledFrame[],
  options: TrainOrder["options"],
): Promise<{ frames: TrainedFrame[]; total: StoredGradient }> {
  const { memory } = threads;
  const potential = { model: stored, readout: readoutModel(model), head, zbl: model.zbl };
  const { bytes } = gradientAt(stored, 0);
  const held = Array.from(
    { length: Math.min(batch.length, HELD) },
    () => gradientAt(stored, allocate(memory, bytes)),
  );
  const total = gradientAt(stored, allocate(memory, bytes));
  const sums = new Float32Array(memory.buffer, total.start, bytes / 4).fill(0);
  const atoms = batch.reduce((sum, { frame }) => sum + frame.species.length, 0);
  const frames: TrainedFrame[] = [];
  for (let first = 0; first < batch.length; first += HELD) {
    const part = batch.slice(first, first + HELD);
    const tasks = part.map(({ frame, labels }, i): Task => ({
      kind: "train",
      order: {
        ...{ potential, frame, labels, options, gradient: held[i] },
        batch: { frames: batch.length, atoms },
      },
    }));
    frames.push(...await threads.runAll(tasks) as TrainedFrame[]);
    part.forEach((_, i) => {
      const own = new Float32Array(memory.buffer, held[i].start, bytes / 4);
      for (let k = 0; k < sums.length; k++) sums[k] += own[k];
    });
  }
  return { frames, total };
}

/** Leads the adjoints of all tables back, class by class and layer by layer; sums over the classes. */
async function tableGradients(
  threads: Threads,
  { baked, stored }: Opened,
  total: StoredGradient,
): Promise<TableGradient[]> {
  const { nSlots, nIntervals } = stored;
  const layers = baked.layers.length;
  const tasks = Array.from({ length: baked.nClasses * layers }, (_, i): Task => {
    const [slot, t] = [Math.floor(i / layers), i % layers];
    const { radials, nRadials, width, densityWeight } = baked.layers[t];
    return {
      kind: "table-weights",
      order: {
        ...{ slot, nSlots, nIntervals, place: total.layers[t] },
        source: { radials: [radials[slot]], nRadials, width, densityWeight },
      },
    };
  });
  const parts = await threads.runAll(tasks) as TableGradient[];
  return baked.layers.map((_, t) =>
    parts.filter((_, i) => i % layers === t).reduce((sum, part) => {
      part.radialMlp.forEach((array, k) => array.forEach((x, i) => sum.radialMlp[k][i] += x));
      part.densityWeight?.forEach((x, i) => sum.densityWeight![i] += x);
      return sum;
    })
  );
}

/** The gradient of the trainable numbers from all its parts. */
function collect(
  { memory }: Threads,
  { model, species, baked, stored }: Opened,
  frames: readonly TrainedFrame[],
  total: StoredGradient,
  tables: readonly TableGradient[],
): ModelWeights {
  const gradient = zeroWeights(model);
  frames.forEach(({ embedding, readouts }, f) => {
    const layers = f > 0 ? [] : total.layers.map((at, t) => ({
      ...readLayer(memory, stored, stored.layers[t], at),
      ...tables[t],
    }));
    addBakedGradient(model, species, baked, { embedding, layers, readouts }, gradient);
  });
  return gradient;
}

/** Views of a layer's gradient. */
function readLayer(
  { buffer }: WebAssembly.Memory,
  { padded, nElements }: StoredModel,
  { lIn, lOut, nPaths, groups, width, messagePerElement, nSkip, contractions }: StoredLayer,
  at: StoredLayerGradient,
): Omit<BakedLayerGradient, keyof TableGradient> {
  const square = padded ** 2;
  const receivers = messagePerElement ? nElements : 1;
  const view = (start: number, numbers: number) => new Float32Array(buffer, start, numbers);
  return {
    up: at.up ? view(at.up, (lIn + 1) * square) : null,
    message: view(at.message, receivers * nPaths * groups * width * padded),
    skip: at.skip ? view(at.skip, nElements * nSkip * square) : null,
    product: view(at.product, (lOut + 1) * square),
    coefficients: contractions.map(({ nTerms }, i) =>
      view(at.coefficients[i], nElements * nTerms * padded)
    ),
  };
}
