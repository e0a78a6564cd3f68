import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import type { LinearReadout } from "./linear_readout.ts";
import { type Matrix, squaredDistance } from "../matrix.ts";

/** Regularisations tried, relative to the mean diagonal of the kernel. */
const LAMBDAS = Array.from({ length: 12 }, (_, k) => 10 ** (k - 10));
/** Widths of the radial kernel tried, relative to the median distance of the training rows. */
const WIDTHS = [0.5, 1, 2, 4, 8];

export type Regressor = "ridge" | "krr";

/** Predictions and the leave-one-out error that chose the hyper-parameters. */
export interface Fit {
  readonly predicted: Float64Array;
  /** Of the rows, shape (d), and what is added; null where the regression is not linear. */
  readonly readout: LinearReadout | null;
  /** Root mean square of the leave-one-out residuals of the training rows. */
  readonly leaveOneOut: number;
}

/**
 * Ridge regression (linear kernel) or Gaussian kernel ridge regression with a free constant,
 * (K + λ) α + b = y with Σ α = 0. The regularisation, and the kernel's width, are those of the least
 * closed-form leave-one-out error of the training rows (Cawley and Talbot 2004),
 * eᵢ = αᵢ / (Gᵢᵢ - (G 1)ᵢ² / 1ᵀ G 1), G = (K + λ)⁻¹; test rows are not looked at.
 *
 * @param x standardised features, shape (n, d)
 * @param y target of every row; only those of `train` are read
 */
export function kernelRidge(
  kind: Regressor,
  x: Matrix,
  y: Float64Array,
  train: readonly number[],
  test: readonly number[],
): Fit {
  const target = train.map((i) => y[i]);
  const kernels = kind === "ridge" ? [linear(x)] : radial(x, train);
  let best: Solution & { kernel: Kernel } = { ...NONE, kernel: kernels[0] };
  for (const kernel of kernels) {
    const found = leastLeaveOneOut(kernel, train, target);
    if (found.error < best.error) best = { ...found, kernel };
  }
  const { kernel, alpha, constant, error } = best;
  const predicted = Float64Array.from(
    test,
    (i) => train.reduce((sum, j, t) => sum + alpha[t] * kernel(i, j), constant),
  );
  const readout = kind === "ridge" ? { weights: weightsOf(x, train, alpha), constant } : null;
  return { predicted, readout, leaveOneOut: error };
}

/** Weights of the columns that the linear kernel stands for. */
function weightsOf(
  { data, cols }: Matrix,
  train: readonly number[],
  alpha: Float64Array,
): Float64Array {
  const weights = new Float64Array(cols);
  train.forEach((row, t) => {
    for (let k = 0; k < cols; k++) weights[k] += alpha[t] * data[row * cols + k] / cols;
  });
  return weights;
}

interface Solution {
  readonly error: number;
  readonly alpha: Float64Array;
  readonly constant: number;
}
const NONE: Solution = { error: Infinity, alpha: new Float64Array(0), constant: 0 };

type Kernel = (i: number, j: number) => number;

function linear({ data, cols }: Matrix): Kernel {
  return (i, j) => {
    let sum = 0;
    for (let k = 0; k < cols; k++) sum += data[i * cols + k] * data[j * cols + k];
    return sum / cols;
  };
}

function radial(x: Matrix, train: readonly number[]): Kernel[] {
  const distances = train.flatMap((i, a) =>
    train.slice(0, a).map((j) => squaredDistance(x, i, x, j))
  )
    .sort((a, b) => a - b);
  const median = distances[distances.length >> 1] || 1;
  return WIDTHS.map((width) => {
    const scale = 1 / (2 * width * width * median);
    return (i, j) => Math.exp(-squaredDistance(x, i, x, j) * scale);
  });
}

/** K = Q Λ Qᵀ gives the error of every λ at O(n²) each. */
function leastLeaveOneOut(
  kernel: Kernel,
  train: readonly number[],
  target: readonly number[],
): Solution {
  const n = train.length;
  const k = MlMatrix.zeros(n, n);
  train.forEach((i, a) => {
    for (let b = 0; b <= a; b++) {
      const value = kernel(i, train[b]);
      k.set(a, b, value);
      k.set(b, a, value);
    }
  });
  const { eigenvectorMatrix: q, realEigenvalues: values } = new EigenvalueDecomposition(k, {
    assumeSymmetric: true,
  });
  const project = (v: readonly number[]) =>
    q.transpose().mmul(MlMatrix.columnVector([...v])).to1DArray();
  const [y, ones] = [project(target), project(target.map(() => 1))];
  const diagonal = k.trace() / n || 1;
  let best = NONE;
  for (const lambda of LAMBDAS) {
    const inverse = values.map((v) => 1 / (Math.max(v, 0) + lambda * diagonal));
    const found = leaveOneOut(q, inverse, y, ones);
    if (found.error < best.error) best = found;
  }
  return best;
}

/**
 * @param inverse eigenvalues of (K + λ)⁻¹
 * @param y target in the eigenvectors' basis
 * @param ones the vector of ones in that basis
 */
function leaveOneOut(
  q: MlMatrix,
  inverse: readonly number[],
  y: readonly number[],
  ones: readonly number[],
): Solution {
  const n = inverse.length;
  const total = ones.reduce((sum, u, j) => sum + u * u * inverse[j], 0);
  const constant = ones.reduce((sum, u, j) => sum + u * y[j] * inverse[j], 0) / total;
  const alpha = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let [a, diagonal, row] = [0, 0, 0];
    for (let j = 0; j < n; j++) {
      const g = q.get(i, j) * inverse[j];
      a += g * (y[j] - constant * ones[j]);
      diagonal += q.get(i, j) * g;
      row += g * ones[j];
    }
    alpha[i] = a;
    sum += (a / (diagonal - row * row / total)) ** 2;
  }
  return { error: Math.sqrt(sum / n), alpha, constant };
}
