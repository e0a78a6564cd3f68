import { distinctElements, type Frame } from "../frame.ts";
import { type BakedModel, bakeModel } from "../model/bake.ts";
import { type TablePlan, TableSlots } from "../model/bake_tables.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { mark, release } from "./memory.ts";
import type { Task } from "./task.ts";
import type { Threads } from "./threads.ts";
import { countSlots, type StoredModel, storeModel } from "./weights.ts";

/** Most atoms handed to one thread at a time, but for larger frames. */
export const TASK_ATOMS = 256;

/** Runs frames in parts on whichever thread is free; one result per frame, in their order. */
export async function runInParts<Result>(
  threads: Threads,
  frames: readonly Frame[],
  task: (part: readonly Frame[]) => Task,
): Promise<Result[]> {
  const parts = splitFrames(frames, threads.count);
  return (await threads.runAll(parts.map(task)) as Result[][]).flat();
}

/** Consecutive frames, few enough together that there are parts for all threads. */
function splitFrames(frames: readonly Frame[], nThreads: number): Frame[][] {
  const all = frames.reduce((sum, { species }) => sum + species.length, 0);
  const most = Math.min(TASK_ATOMS, Math.ceil(all / nThreads));
  const parts: Frame[][] = [];
  let atoms = most;
  for (const frame of frames) {
    if (atoms >= most) {
      parts.push([]);
      atoms = 0;
    }
    parts[parts.length - 1].push(frame);
    atoms += frame.species.length;
  }
  return parts;
}

/** The task to run some frames with a model in shared memory. */
export type FrameTask = (model: StoredModel, part: readonly Frame[]) => Task;

/**
 * Stores the weights of a model's first layers, and radial tables for as many elements as there is room
 * for; the returned function runs frames with them, loading other tables where it must.
 *
 * @param adjoint whether the weights of the way back are stored too
 */
export function frameRunner<Result>(
  threads: Threads,
  model: MaceModel,
  nLayers: number,
  elements: readonly number[],
  adjoint: boolean,
  task: FrameTask,
): (frames: readonly Frame[]) => Promise<Result[]> {
  const whole = bakeModel(model, elements, { nLayers });
  if (countSlots(whole) === whole.nClasses) {
    const set = storeSet(threads, whole, adjoint);
    return (frames) => runWith(threads, set, frames, task);
  }
  // Not all tables fit: the model is baked for the elements of the frames at hand, set after set.
  const before = mark(threads.memory);
  let open: { key: string; set: StoredSet } | null = null;
  return async (frames) => {
    const results: Result[] = [];
    for (const { own, part } of byElements(frames)) {
      if (open?.key !== own.join()) {
        await threads.runEverywhere({ kind: "forget" });
        release(threads.memory, before);
        const baked = bakeModel(model, own, { nLayers, nIntervals: whole.nIntervals });
        open = { key: own.join(), set: storeSet(threads, baked, adjoint) };
      }
      results.push(...await runWith<Result>(threads, open.set, part, task));
    }
    return results;
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

function storeSet({ memory }: Threads, baked: BakedModel, adjoint: boolean): StoredSet {
  const stored = storeModel(memory, baked, adjoint);
  return { baked, stored, slots: new TableSlots(baked, stored.nSlots) };
}

/** Runs frames, loading the tables that they need before. */
async function runWith<Result>(
  threads: Threads,
  { baked, stored, slots }: StoredSet,
  frames: readonly Frame[],
  task: FrameTask,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const plan of slots.plan(frames)) {
    await threads.runAll(plan.load.flatMap((load) => tablesOf(baked, stored, load)));
    const model = { ...stored, pairOf: plan.pairOf };
    const part = plan.frames.map((f) => frames[f]);
    results.push(...await runInParts<Result>(threads, part, (some) => task(model, some)));
  }
  return results;
}

/** The tasks to fill a slot with the tables of one class of pairs, layer by layer. */
export function tablesOf(
  { layers, nIntervals }: BakedModel,
  stored: StoredModel,
  { class: k, slot }: TablePlan["load"][number],
): Task[] {
  return layers.map(({ radials, nRadials, width, densityWeight }, t) => ({
    kind: "tables",
    order: {
      ...{ slot, nIntervals, nSlots: stored.nSlots },
      source: { radials: [radials[k]], nRadials, width, densityWeight },
      place: { tables: stored.layers[t].tables, densityTable: stored.layers[t].densityTable },
    },
  }));
}
