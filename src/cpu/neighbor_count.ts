import type { Matrix } from "../matrix.ts";
import type { PairHistogram } from "../select/neighbor_count.ts";
import { float32Windows } from "../select/windows.ts";
import { allocate, mark, release, store } from "./memory.ts";
import type { Threads } from "./threads.ts";

/** Rows that one task sorts. */
const ROWS = 256;
/** Undecided pairs that one task can list. */
const CAPACITY = 1 << 16;

/** Pair histogram by the WebAssembly kernel; see `src/select/neighbor_count.ts`. */
export async function countPairs(
  threads: Threads,
  points: Matrix,
  radii: Float64Array,
): Promise<PairHistogram> {
  const { rows: n, cols } = points;
  const histogram = new Uint32Array(n * radii.length);
  if (n < 2 || radii.length === 0) {
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
  const [columnsAt, lowAt, highAt] = [
    store(memory, columns),
    store(memory, low),
    store(memory, high),
  ];
  const startAt = store(memory, start);
  const starts = Array.from({ length: Math.ceil(n / ROWS) }, (_, t) => t * ROWS);
  const histogramAt = allocate(memory, 4 * histogram.length);
  new Uint32Array(memory.buffer, histogramAt, histogram.length).fill(0);
  const lists = starts.map(() => allocate(memory, 8 * CAPACITY));
  const listed = await threads.runAll(starts.map((row0, t) => ({
    kind: "call",
    kernel: "neighbor_count",
    args: [
      columnsAt,
      cols,
      n,
      padded,
      row0,
      Math.min(row0 + ROWS, n),
      lowAt,
      highAt,
      radii.length,
      startAt,
      histogramAt + 4 * row0 * radii.length,
      lists[t],
      CAPACITY,
    ],
  }))) as number[];
  histogram.set(new Uint32Array(memory.buffer, histogramAt, histogram.length));
  const undecided = listed.flatMap((count, t) =>
    count > CAPACITY ? [] : [new Uint32Array(memory.buffer, lists[t], 2 * count).slice()]
  );
  const overflowed = listed.flatMap((count, t) =>
    count > CAPACITY ? rowsFrom(starts[t], Math.min(starts[t] + ROWS, n)) : []
  );
  release(memory, before);
  return { histogram, undecided: concatenate(undecided), overflowed };
}

function rowsFrom(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function concatenate(lists: readonly Uint32Array[]): Uint32Array {
  const out = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    out.set(list, at);
    at += list.length;
  }
  return out;
}
