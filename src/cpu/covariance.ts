import { type Matrix, matrix } from "../matrix.ts";
import { allocate, mark, release, store } from "./memory.ts";
import type { Threads } from "./threads.ts";

/** Rows of one task; fixed, so that the order of summation does not depend on the threads. */
const ROWS = 4096;

/** Covariance of centred rows by the WebAssembly kernel, in float64; see `src/linalg/covariance.ts`. */
export async function covariance(threads: Threads, y: Matrix): Promise<Matrix> {
  const { rows, cols } = y;
  const { memory } = threads;
  const before = mark(memory);
  const even = cols + cols % 2;
  const padded = new Float64Array(rows * even);
  for (let i = 0; i < rows; i++) padded.set(y.data.subarray(i * cols, (i + 1) * cols), i * even);
  const address = store(memory, padded);
  const starts = Array.from({ length: Math.ceil(rows / ROWS) }, (_, t) => t * ROWS);
  const outputs = starts.map(() => allocate(memory, 8 * even * even));
  await threads.runAll(starts.map((row0, t) => ({
    kind: "calls",
    kernel: "covariance",
    args: [[address + 8 * row0 * even, outputs[t], Math.min(ROWS, rows - row0), even]],
  })));
  const out = matrix(cols, cols);
  for (const output of outputs) {
    const part = new Float64Array(memory.buffer, output, even * even);
    for (let a = 0; a < cols; a++) {
      for (let b = a; b < cols; b++) out.data[a * cols + b] += part[a * even + b];
    }
  }
  for (let a = 0; a < cols; a++) {
    for (let b = a; b < cols; b++) {
      const value = out.data[a * cols + b] / Math.max(rows - 1, 1);
      out.data[a * cols + b] = out.data[b * cols + a] = value;
    }
  }
  release(memory, before);
  return out;
}
