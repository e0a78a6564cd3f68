import { type Backend, type Describer, poolDescribed } from "../backend.ts";
import { distinctElements, type Frame } from "../frame.ts";
import { leadingColumns, symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { type BakedModel, bakeModel } from "../model/bake.ts";
import { type TablePlan, TableSlots } from "../model/bake_tables.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import { chooseBuild } from "./build.ts";
import { covariance } from "./covariance.ts";
import { type Build, mark, release } from "./memory.ts";
import { countNeighbors } from "./neighbor_count.ts";
import { storeSchnet } from "./describe_schnet.ts";
import type { Task } from "./task.ts";
import { openThreads, type Threads } from "./threads.ts";
import { countSlots, type StoredModel, storeModel } from "./weights.ts";

/** Atoms handed to one thread at a time. */
const TASK_ATOMS = 256;

/** WebAssembly SIMD kernels on worker threads; results do not depend on the number of threads. */
export function openCpuBackend(nThreads: number, build = chooseBuild()): Promise<Backend> {
  return Promise.resolve(cpuBackend(openThreads(nThreads, build), build));
}

/** The backend on given threads. */
export function cpuBackend(threads: Threads, build: Build): Backend {
  const nThreads = threads.count;
  return {
    name: "cpu",
    description: `WebAssembly ${build === "relaxed" ? "relaxed " : ""}SIMD, ` +
      `${nThreads} thread${nThreads > 1 ? "s" : ""}`,
    async openDescriber(model, nLayers, elements) {
      const before = mark(threads.memory);
      await threads.runEverywhere({ kind: "forget" });
      const width = descriptorLength(model, nLayers);
      const describe = describing(threads, model, nLayers, elements);
      return {
        width,
        batchAtoms: 4 * TASK_ATOMS * nThreads,
        describe,
        pool: poolDescribed(describe, width, elements),
        async close() {
          await threads.runEverywhere({ kind: "forget" });
          release(threads.memory, before);
        },
      };
    },
    async leadingSubspace(centred, m) {
      const c = await covariance(threads, centred);
      return { start: leadingColumns(symmetricEigen(c).vectors, m), covariance: c };
    },
    countNeighbors: (points, radii) => countNeighbors(threads, points, radii),
    close: () => threads.close(),
  };
}

/** Stores the model's weights; the returned function describes frames with them. */
function describing(
  threads: Threads,
  model: DescriptorModel,
  nLayers: number,
  elements: readonly number[],
): Describer["describe"] {
  if (isSchnet(model)) {
    const stored = storeSchnet(threads.memory, bakeSchnet(model, nLayers));
    const task = (part: readonly Frame[]): Task => ({
      kind: "schnet",
      model: stored,
      frames: part,
    });
    return (frames) => runInParts(threads, frames, task);
  }
  const whole = bakeModel(model, elements, nLayers);
  if (countSlots(whole) === whole.nClasses) {
    const set = storeSet(threads, whole);
    return (frames) => describeWith(threads, set, frames);
  }
  // Not all tables fit: the model is baked for the elements of the frames at hand, set after set.
  const before = mark(threads.memory);
  let open: { key: string; set: StoredSet } | null = null;
  return async (frames) => {
    const rows: Float32Array[] = [];
    for (const { own, part } of byElements(frames)) {
      if (open?.key !== own.join()) {
        await threads.runEverywhere({ kind: "forget" });
        release(threads.memory, before);
        const baked = bakeModel(model, own, nLayers, whole.nIntervals);
        open = { key: own.join(), set: storeSet(threads, baked) };
      }
      rows.push(...await describeWith(threads, open.set, part));
    }
    return rows;
  };
}

/** Runs of consecutive frames with the same elements. */
function byElements(frames: readonly Frame[]): { own: number[]; part: Frame[] }[] {
  const runs: { own: number[]; part: Frame[] }[] = [];
  for (const frame of frames) {
    const own = distinctElements(frame.species);
    const last = runs[runs.length - 1];
    if (last?.own.join() === own.join()) last.part.push(frame);
    else runs.push({ own, part: [frame] });
  }
  return runs;
}

/** A model baked for some elements, in shared memory. */
interface StoredSet {
  readonly baked: BakedModel;
  readonly stored: StoredModel;
  readonly slots: TableSlots;
}

function storeSet({ memory }: Threads, baked: BakedModel): StoredSet {
  const stored = storeModel(memory, baked);
  return { baked, stored, slots: new TableSlots(baked, stored.nSlots) };
}

/** Describes frames, loading the tables that they need before. */
async function describeWith(
  threads: Threads,
  { baked, stored, slots }: StoredSet,
  frames: readonly Frame[],
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const plan of slots.plan(frames)) {
    await threads.runAll(plan.load.map((load) => tablesOf(baked, stored, load)));
    const model = { ...stored, pairOf: plan.pairOf };
    const part = plan.frames.map((f) => frames[f]);
    const task = (some: readonly Frame[]): Task => ({ kind: "describe", model, frames: some });
    rows.push(...await runInParts(threads, part, task));
  }
  return rows;
}

/** The task to fill a slot with the tables of one class of pairs. */
function tablesOf(
  { layers, nIntervals }: BakedModel,
  stored: StoredModel,
  { class: k, slot }: TablePlan["load"][number],
): Task {
  return {
    kind: "tables",
    order: {
      ...{ slot, nIntervals, nSlots: stored.nSlots },
      layers: layers.map(({ radials, nRadials, width, densityWeight }, t) => ({
        source: { radials: [radials[k]], nRadials, width, densityWeight },
        place: { tables: stored.layers[t].tables, densityTable: stored.layers[t].densityTable },
      })),
    },
  };
}

/** Rows of frames, described in parts on whichever thread is free. */
async function runInParts(
  threads: Threads,
  frames: readonly Frame[],
  task: (part: readonly Frame[]) => Task,
): Promise<Float32Array[]> {
  return (await threads.runAll(splitFrames(frames).map(task)) as Float32Array[][]).flat();
}

function splitFrames(frames: readonly Frame[]): Frame[][] {
  const parts: Frame[][] = [];
  let atoms = TASK_ATOMS;
  for (const frame of frames) {
    if (atoms >= TASK_ATOMS) {
      parts.push([]);
      atoms = 0;
    }
    parts[parts.length - 1].push(frame);
    atoms += frame.species.length;
  }
  return parts;
}
