import { type Matrix, matrix } from "../matrix.ts";

/** How columns are scaled before PCA. */
export type Standardization = "zscore" | "global" | "none";

/** Rounding noise of a float32 column, relative to its r.m.s.; spread below it is not signal. */
const NOISE = 1e-5;

/** Centre and scale of every column; a scale of 0 drops a constant column. */
export interface Scaling {
  /** Mean of each column, shape (d). */
  readonly mean: Float64Array;
  /** Factor of each column, 0 drops it, shape (d). */
  readonly factor: Float64Array;
}

/**
 * Centre and scale of the columns of X, shape (n, d).
 * `zscore` divides by √(variance + (1e-5 · r.m.s.)²), so that a column that varies by float32 rounding
 * alone is not blown up; `global` divides all columns by the r.m.s. distance from the mean.
 */
export function columnScaling(x: Matrix, mode: Standardization): Scaling {
  const { data, rows, cols } = x;
  const mean = new Float64Array(cols);
  const square = new Float64Array(cols);
  const variance = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      mean[j] += data[i * cols + j] / rows;
      square[j] += data[i * cols + j] ** 2 / rows;
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) variance[j] += (data[i * cols + j] - mean[j]) ** 2 / rows;
  }
  const total = variance.reduce((sum, v) => sum + v, 0);
  const factor = variance.map((v, j) => {
    if (v === 0) return 0;
    if (mode === "none") return 1;
    return 1 / Math.sqrt(mode === "global" ? total : v + NOISE * NOISE * square[j]);
  });
  return { mean, factor };
}

/** (X - mean) · factor, column by column. */
export function standardize(x: Matrix, { mean, factor }: Scaling): Matrix {
  const out = matrix(x.rows, x.cols);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.cols; j++) {
      out.data[i * x.cols + j] = (x.data[i * x.cols + j] - mean[j]) * factor[j];
    }
  }
  return out;
}
