import type { Matrix } from "../matrix.ts";
import { accumulate, type NeighborCounts } from "../select/neighbor_count.ts";
import { float32Windows } from "../select/windows.ts";
import { allocate, mark, release, store } from "./memory.ts";
import type { Threads } from "./threads.ts";

/** Pairs that one call of the kernel looks at: some ten milliseconds. */
const CALL_PAIRS = 2 ** 23;
/** Bytes for the histograms of all tasks. */
const MAX_HISTOGRAMS = 2 ** 30;

/** Neighbor counts by the WebAssembly kernel; see `src/select/neighbor_count.ts`. */
export async function countNeighbors(
  threads: Threads,
  points: Matrix,
  radii: Float64Array,
): Promise<NeighborCounts> {
  const { rows: n, cols } = points;
  if (n < 2 || radii.length === 0) {
    return { counts: new Uint32Array(n * radii.length), nDecided: 0 };
  }
  const { memory } = threads;
  const before = mark(memory);
  const padded = Math.ceil(n / 4) * 4;
  const { centred, low, high, start } = float32Windows(points, radii);
  const columns = new Float32Array(cols * padded).fill(Infinity);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < cols; k++) columns[k * padded + i] = centred[i * cols + k];
  }
  const [columnsAt, exactAt, radiiAt, lowAt, highAt, startAt] = [
    columns,
    points.data,
    radii,
    low,
    high,
    start,
  ].map((data) => store(memory, data));
  // Pairs are counted on both points, so every task has a histogram of its own.
  const bytes = 4 * padded * radii.length;
  const nTasks = Math.max(1, Math.min(threads.count, Math.floor(MAX_HISTOGRAMS / bytes)));
  const tasks = Array.from({ length: nTasks }, () => ({
    histogram: allocate(memory, bytes),
    decided: allocate(memory, 4),
    tile: allocate(memory, 64),
  }));
  for (const { histogram, decided } of tasks) {
    new Uint8Array(memory.buffer, histogram, bytes).fill(0);
    new Uint32Array(memory.buffer, decided, 1)[0] = 0;
  }
  const rows = 4 * Math.max(1, Math.floor(CALL_PAIRS / (4 * n)));
  await threads.runAll(tasks.map(({ histogram, decided, tile }, t) => ({
    kind: "calls",
    kernel: "neighbor_count",
    args: everyNth(Math.ceil(padded / rows), nTasks, t).map((chunk) => [
      ...[columnsAt, exactAt, cols, padded, rows * chunk, Math.min(rows * (chunk + 1), padded)],
      ...[radiiAt, lowAt, highAt, radii.length, startAt, histogram, decided, tile],
    ]),
  })));
  const histogram = new Uint32Array(n * radii.length);
  let nDecided = 0;
  for (const { histogram: at, decided } of tasks) {
    new Uint32Array(memory.buffer, at, histogram.length).forEach((count, i) =>
      histogram[i] += count
    );
    nDecided += new Uint32Array(memory.buffer, decided, 1)[0];
  }
  release(memory, before);
  return { counts: accumulate(histogram, radii.length), nDecided };
}

/** t, t + step, … below n. */
function everyNth(n: number, step: number, t: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((n - t) / step)) }, (_, i) => t + step * i);
}
