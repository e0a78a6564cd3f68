import { addProduct, type Matrix, matrix } from "../matrix.ts";
import { type Eigen, symmetricEigen } from "./symmetric_eigen.ts";

/** Residual ‖C v - λ v‖ relative to the largest eigenvalue at which an eigenpair counts as exact. */
const CONVERGED = 1e-11;
const MAX_ITERATIONS = 300;

/**
 * Leading eigenpairs of a covariance by block subspace iteration with a Rayleigh-Ritz step (Saad,
 * Numerical Methods for Large Eigenvalue Problems, alg. 5.3), in float64. Any start leads to the same
 * exact answer; a good start saves iterations.
 *
 * @param apply the covariance times a matrix (d, m)
 * @param start any matrix whose columns are near the leading subspace, shape (d, m)
 * @param wanted number of eigenpairs to converge, at most m
 * @returns m eigenpairs, the first `wanted` of them converged
 * @throws {Error} if they do not converge
 */
export function refineSubspace(
  apply: (v: Matrix) => Matrix,
  start: Matrix,
  wanted: number,
): Eigen {
  let v = orthonormalize(start);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const cv = apply(v);
    const ritz = symmetricEigen(symmetrized(transposeTimes(v, cv)));
    const vectors = times(v, ritz.vectors);
    const images = times(cv, ritz.vectors);
    if (largestResidual(vectors, images, ritz.values, wanted) <= CONVERGED * ritz.values[0]) {
      return { values: ritz.values, vectors };
    }
    v = orthonormalize(images);
  }
  throw new Error(
    `The ${wanted} leading components did not converge in ${MAX_ITERATIONS} iterations`,
  );
}

/** The covariance of centred rows Y, shape (n, d), times V, as Yᵀ (Y V) / (n - 1). */
export function applyCovariance(y: Matrix, v: Matrix): Matrix {
  const yv = times(y, v);
  const out = transposeTimes(y, yv);
  for (let i = 0; i < out.data.length; i++) out.data[i] /= Math.max(y.rows - 1, 1);
  return out;
}

function largestResidual(v: Matrix, cv: Matrix, values: Float64Array, wanted: number): number {
  let largest = 0;
  for (let j = 0; j < wanted; j++) {
    let sum = 0;
    for (let i = 0; i < v.rows; i++) {
      sum += (cv.data[i * v.cols + j] - values[j] * v.data[i * v.cols + j]) ** 2;
    }
    largest = Math.max(largest, Math.sqrt(sum));
  }
  return largest;
}

/** A B. */
export function times(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.cols);
  addProduct(out.data, a.data, b.data, a.rows, a.cols, b.cols);
  return out;
}

/** Aᵀ B. */
function transposeTimes(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.cols, b.cols);
  for (let i = 0; i < a.rows; i++) {
    const row = b.data.subarray(i * b.cols, (i + 1) * b.cols);
    for (let p = 0; p < a.cols; p++) {
      const value = a.data[i * a.cols + p];
      if (value === 0) continue;
      for (let j = 0; j < b.cols; j++) out.data[p * b.cols + j] += value * row[j];
    }
  }
  return out;
}

function symmetrized(a: Matrix): Matrix {
  const out = matrix(a.rows, a.cols);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.cols; j++) {
      out.data[i * a.cols + j] = 0.5 * (a.data[i * a.cols + j] + a.data[j * a.cols + i]);
    }
  }
  return out;
}

/** Orthonormal columns with the span of A's, by Gram-Schmidt applied twice; null columns are replaced. */
export function orthonormalize(a: Matrix): Matrix {
  const { rows, cols } = a;
  const out = matrix(rows, cols);
  for (let j = 0; j < cols; j++) {
    let column = Float64Array.from({ length: rows }, (_, i) => a.data[i * cols + j]);
    for (let attempt = 0; attempt < rows + 2; attempt++) {
      const before = norm(column);
      for (let pass = 0; pass < 2; pass++) project(column, out, j);
      const after = norm(column);
      if (after > 1e-10 * before && after > 0) {
        for (let i = 0; i < rows; i++) out.data[i * cols + j] = column[i] / after;
        break;
      }
      column = new Float64Array(rows);
      column[(j + attempt) % rows] = 1;
    }
  }
  return out;
}

function project(column: Float64Array, basis: Matrix, count: number): void {
  for (let p = 0; p < count; p++) {
    let dot = 0;
    for (let i = 0; i < basis.rows; i++) dot += column[i] * basis.data[i * basis.cols + p];
    for (let i = 0; i < basis.rows; i++) column[i] -= dot * basis.data[i * basis.cols + p];
  }
}

function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}
