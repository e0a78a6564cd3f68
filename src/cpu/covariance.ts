import { type Matrix, matrix } from "../matrix.ts";
import { allocate, mark, release, store } from "./memory.ts";
import type { Threads } from "./threads.ts";

/** Rows of one call: a block that fits the second-level cache. */
const ROWS = 256;
/** Rows of one task; fixed, so that the order of summation does not depend on the threads. */
const TASK_ROWS = 16384;

/** Covariance of centred rows by the WebAssembly kernel, in float64; see `src/linalg/covariance.ts`. */
export async function covariance(threads: Threads, y: Matrix): Promise<Matrix> {
  const { rows, cols } = y;
  const { memory } = threads;
  const before = mark(memory);
  const padded = Math.ceil(cols / 4) * 4;
  const address = store(memory, padded === cols ? y.data : padRows(y, padded));
  const outputs = steps(0, rows, TASK_ROWS).map(() => {
    const output = allocate(memory, 8 * padded * padded);
    new Uint8Array(memory.buffer, output, 8 * padded * padded).fill(0);
    return output;
  });
  await threads.runAll(outputs.map((output, t) => ({
    kind: "calls",
    kernel: "covariance",
    args: steps(TASK_ROWS * t, Math.min(TASK_ROWS * (t + 1), rows), ROWS).map((row) => [
      ...[address + 8 * row * padded, output, Math.min(ROWS, rows - row), padded],
    ]),
  })));
  const out = matrix(cols, cols);
  for (const output of outputs) {
    const part = new Float64Array(memory.buffer, output, padded * padded);
    for (let a = 0; a < cols; a++) {
      for (let b = a; b < cols; b++) out.data[a * cols + b] += part[a * padded + b];
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

/** first, first + step, … below last. */
function steps(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.ceil((last - first) / step) }, (_, i) => first + step * i);
}

function padRows({ data, rows, cols }: Matrix, padded: number): Float64Array {
  const out = new Float64Array(rows * padded);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * cols, (i + 1) * cols), i * padded);
  return out;
}
