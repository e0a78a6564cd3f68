import type { Matrix } from "../matrix.ts";
import type { PairHistogram } from "../select/neighbor_count.ts";
import { float32Windows } from "../select/windows.ts";
import { allocate, mark, release, store } from "./memory.ts";
import type { Threads } from "./threads.ts";

/** Undecided pairs that one task can list. */
const CAPACITY = 1 << 20;
/** Pairs that one call of the kernel looks at: some ten milliseconds. */
const CALL_PAIRS = 2 ** 23;
/** Bytes for the histograms of all tasks. */
const MAX_HISTOGRAMS = 2 ** 30;

/** Pair histogram by the WebAssembly kernel; see `src/select/neighbor_count.ts`. */
export async function countPairs(
  threads: Threads,
  points: Matrix,
  radii: Float64Array,
): Promise<PairHistogram> {
  const { rows: n, cols } = points;
  if (n < 2 || radii.length === 0) {
    const histogram = new Uint32Array(n * radii.length);
    return { histogram, undecided: new Uint32Array(0), overflowed: [] };
  }
  const { memory } = threads;
  const before = mark(memory);
  const padded = Math.ceil(n / 4) * 4;
  const { centred, low, high, start } = float32Windows(points, radii);
  const columns = new Float32Array(cols * padded).fill(Infinity);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < cols; k++) columns[k * padded + i] = centred[i * cols + k];
  }
  const [columnsAt, lowAt, highAt] = [columns, low, high].map((data) => store(memory, data));
  const startAt = store(memory, start);
  // Pairs are counted on both points, so every task has a histogram of its own.
  const bytes = 4 * padded * radii.length;
  const nTasks = Math.max(1, Math.min(threads.count, Math.floor(MAX_HISTOGRAMS / bytes)));
  const tasks = Array.from({ length: nTasks }, () => ({
    histogram: allocate(memory, bytes),
    list: allocate(memory, 8 * CAPACITY),
    listed: allocate(memory, 4),
    tile: allocate(memory, 64),
  }));
  for (const { histogram, listed } of tasks) {
    new Uint8Array(memory.buffer, histogram, bytes).fill(0);
    new Uint32Array(memory.buffer, listed, 1)[0] = 0;
  }
  const rows = 4 * Math.max(1, Math.floor(CALL_PAIRS / (4 * n)));
  await threads.runAll(tasks.map(({ histogram, list, listed, tile }, t) => ({
    kind: "calls",
    kernel: "neighbor_count",
    args: everyNth(Math.ceil(padded / rows), nTasks, t).map((chunk) => [
      ...[columnsAt, cols, padded, rows * chunk, Math.min(rows * (chunk + 1), padded)],
      ...[lowAt, highAt, radii.length, startAt, histogram, list, CAPACITY, listed, tile],
    ]),
  })));
  const listed = tasks.map(({ listed }) => new Uint32Array(memory.buffer, listed, 1)[0]);
  const result = listed.some((count) => count > CAPACITY)
    ? { undecided: new Uint32Array(0), overflowed: Array.from({ length: n }, (_, i) => i) }
    : { undecided: bothWays(memory, tasks.map(({ list }) => list), listed), overflowed: [] };
  const histogram = new Uint32Array(n * radii.length);
  for (const { histogram: at } of tasks) {
    new Uint32Array(memory.buffer, at, histogram.length).forEach((count, i) =>
      histogram[i] += count
    );
  }
  release(memory, before);
  return { histogram, ...result };
}

/** t, t + step, … below n. */
function everyNth(n: number, step: number, t: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((n - t) / step)) }, (_, i) => t + step * i);
}

/** Listed pairs i < j as i, j, j, i. */
function bothWays(
  memory: WebAssembly.Memory,
  lists: readonly number[],
  counts: readonly number[],
): Uint32Array {
  const out = new Uint32Array(4 * counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  lists.forEach((list, t) => {
    const pairs = new Uint32Array(memory.buffer, list, 2 * counts[t]);
    for (let p = 0; p < pairs.length; p += 2, at += 4) {
      out[at] = out[at + 3] = pairs[p];
      out[at + 1] = out[at + 2] = pairs[p + 1];
    }
  });
  return out;
}
