import type { Backend } from "../../backend.ts";
import { InterruptedError, RequestError, WeightsError } from "../../errors.ts";
import { chemicalSymbol, distinctElements, type Frame } from "../../frame.ts";
import { NO_KEYS, readFrames } from "../../io/inputs.ts";
import { matrix } from "../../matrix.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { stressOf } from "../../model/prediction.ts";
import { distill } from "../../pipeline.ts";
import type { FitRun } from "../../train/fit.ts";
import type { Console } from "../output/output.ts";
import { isInterrupted } from "../interrupt.ts";
import { parseDistill } from "../syntax/options.ts";
import type { TrainCommand } from "../syntax/train_options.ts";
import { inBatches } from "./batches.ts";
import { loadPool, type PoolOfFrames } from "./load_pool.ts";
import type { StartingModel } from "./starting_model.ts";
import { frameKey, type TrainingFrame, type TrainingFrames } from "./training_frames.ts";

/**
 * The frames to train on with some of others mixed in, chosen as `cpd distill` chooses and labelled by the model
 * before the first step: what it knew is held against what it learns (arXiv 2606.12704).
 */
export async function addReplay(
  command: TrainCommand,
  frames: TrainingFrames,
  model: MaceModel,
  start: StartingModel,
  backend: Backend,
  predict: FitRun["predict"],
  console: Console,
): Promise<TrainingFrames> {
  if (command.replay === null) return frames;
  const { files, n, weight } = command.replay;
  const reading = { strict: command.strict, species: command.species, output: command.output };
  const pool = await loadPool(files, { keys: NO_KEYS, ...reading }, console);
  const missing = pool.elements.filter((z) => !model.elements.includes(z)).map(chemicalSymbol);
  if (missing.length > 0) {
    throw new WeightsError(
      `Cannot replay ${missing.join(", ")}: ${
        start.whole.elements.length > model.elements.length
          ? "the training frames do not hold it; use --elements all, or other --replay frames"
          : "the model does not know it"
      }`,
    );
  }
  const known = new Set([...frames.train, ...frames.valid].map(({ key }) => key));
  const others = (await readAll(pool)).filter(({ species }) => species.length > 1);
  const all = others.filter((frame) => !known.has(frameKey(frame)));
  if (all.length < others.length) {
    console.say(
      `Replay: ${others.length - all.length} frames are trained or validated on, and not replayed`,
    );
  }
  if (all.length < n) {
    throw new RequestError(
      `Cannot replay ${n} frames: the files hold ${all.length} that are not trained on; use a smaller --replay-n`,
    );
  }
  const chosen = all.length === n ? all : await choose(all, n, command, start, backend);
  const replayed = chosen.map((frame) => ({
    // Its own frame with its own labels may be trained on, too.
    ...{ frame: { ...frame, id: `replay:${frame.id}` }, key: `replay ${frameKey(frame)}` },
    ...{ labels: { energy: null, forces: null, stress: null, weight }, converged: true },
    replayed: true,
  }));
  const predictions = await predict(model, replayed);
  const labelled = replayed.map((own, i): TrainingFrame => {
    const { energy, forces } = predictions[i];
    const stress = stressOf(predictions[i], own.frame);
    return { ...own, labels: { energy, forces, stress, weight } };
  });
  console.say(
    `Replay: ${n} of ${all.length} frames, labelled by the model, weight ${weight}`,
  );
  return {
    ...frames,
    train: [...frames.train, ...labelled],
    pools: [...frames.pools, pool],
  };
}

async function readAll({ files, entries }: PoolOfFrames): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (const { name, path } of files) {
    const own = new Set(entries.filter(({ file }) => file === name).map(({ index }) => index));
    for await (const frame of readFrames(name, path, own)) frames.push(frame);
  }
  return frames;
}

/** Distillation by the descriptors of the model, with the defaults of `cpd distill`. */
async function choose(
  frames: readonly Frame[],
  n: number,
  { seed }: TrainCommand,
  { whole }: StartingModel,
  backend: Backend,
): Promise<Frame[]> {
  const elements = distinctElements(frames.flatMap(({ species }) => [...species]));
  const describer = await backend.openDescriber(whole, whole.layers.length, elements);
  const rows: Float64Array[] = [];
  try {
    for await (const batch of inBatches(frames, atomsOf, describer.batchAtoms)) {
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      rows.push(...await describer.pool(batch, "mean"));
    }
  } finally {
    await describer.close();
  }
  const features = matrix(rows.length, describer.width);
  rows.forEach((row, i) => features.data.set(row, i * describer.width));
  const input = { frames, features, strata: null, keep: [], reference: null };
  const defaults = parseDistill(["-", "-n", String(n)]);
  const { rank } = await distill(input, { ...defaults, select: n, seed }, backend);
  return frames.filter((_, i) => rank[i] > 0);
}

function atomsOf({ species }: Frame): number {
  return species.length;
}
