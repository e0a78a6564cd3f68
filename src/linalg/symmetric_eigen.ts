import { EigenvalueDecomposition, Matrix as DenseMatrix } from "ml-matrix";
import { type Matrix, matrix } from "../matrix.ts";

/** Eigenvalues in descending order and the eigenvectors as columns. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

/** Eigenvalues and eigenvectors of a symmetric matrix (Householder and QL, by ml-matrix). */
export function symmetricEigen(a: Matrix): Eigen {
  const n = a.rows;
  if (n === 0) return { values: new Float64Array(0), vectors: matrix(0, 0) };
  const rows = Array.from({ length: n }, (_, i) => a.data.subarray(i * n, (i + 1) * n));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    new DenseMatrix(rows.map((row) => Array.from(row))),
    { assumeSymmetric: true },
  );
  const order = realEigenvalues.map((_, i) => i)
    .sort((i, j) => realEigenvalues[j] - realEigenvalues[i]);
  const vectors = matrix(n, n);
  for (let i = 0; i < n; i++) {
    order.forEach((k, j) => vectors.data[i * n + j] = eigenvectorMatrix.get(i, k));
  }
  return { values: Float64Array.from(order, (k) => realEigenvalues[k]), vectors };
}

/** The first m columns. */
export function leadingColumns(vectors: Matrix, m: number): Matrix {
  const out = matrix(vectors.rows, m);
  for (let i = 0; i < vectors.rows; i++) {
    const from = i * vectors.cols;
    out.data.set(vectors.data.subarray(from, from + m), i * m);
  }
  return out;
}
