import { type Matrix, matrix } from "../matrix.ts";

/** Covariance Yᵀ Y / (n - 1) of centred rows Y, shape (n, d) → (d, d). */
export function covariance(y: Matrix): Matrix {
  const { data, rows, cols } = y;
  const out = matrix(cols, cols);
  for (let i = 0; i < rows; i++) {
    for (let a = 0; a < cols; a++) {
      const value = data[i * cols + a];
      if (value === 0) continue;
      for (let b = a; b < cols; b++) out.data[a * cols + b] += value * data[i * cols + b];
    }
  }
  for (let a = 0; a < cols; a++) {
    for (let b = a; b < cols; b++) {
      const value = out.data[a * cols + b] / Math.max(rows - 1, 1);
      out.data[a * cols + b] = out.data[b * cols + a] = value;
    }
  }
  return out;
}
