/** Float64 weights as float32 rows padded with zeros, rounded once. */
import { addProduct } from "../matrix.ts";

/**
 * Numbers smaller than this share of the largest of their array are zero: weight decay leaves many
 * trained weights near 1e-30, whose products are subnormal and slow a processor down a hundredfold.
 */
export const NEGLIGIBLE = 1e-14;

/** `count` matrices (rows, cols) as float32 matrices (paddedRows, paddedCols), times `scale`. */
export function padMatrices(
  weights: Float64Array,
  [count, rows, cols]: readonly [number, number, number],
  [paddedRows, paddedCols]: readonly [number, number],
  scale = 1,
): Float32Array {
  const out = new Float32Array(count * paddedRows * paddedCols);
  for (let m = 0; m < count; m++) {
    for (let u = 0; u < rows; u++) {
      for (let w = 0; w < cols; w++) {
        out[(m * paddedRows + u) * paddedCols + w] = weights[(m * rows + u) * cols + w] * scale;
      }
    }
  }
  return dropNegligible(out);
}

/** Rows of `cols` groups of `depth` numbers, padded to `padded` groups. */
export function padColumns(
  rows: ArrayLike<number>,
  cols: number,
  padded: number,
  depth = 1,
): Float32Array {
  const n = rows.length / (cols * depth);
  const out = new Float32Array(n * padded * depth);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < cols * depth; k++) {
      out[i * padded * depth + k] = rows[i * cols * depth + k];
    }
  }
  return dropNegligible(out);
}

/** Sets negligible numbers to zero, in place. */
function dropNegligible(x: Float32Array): Float32Array {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < x.length; i++) if (Math.abs(x[i]) < NEGLIGIBLE * largest) x[i] = 0;
  return x;
}

/** One array after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The product of matrices (n, k) and (k, m), row-major. */
export function product(
  a: Float64Array,
  b: Float64Array,
  [n, k, m]: readonly [number, number, number],
): Float64Array {
  const out = new Float64Array(n * m);
  addProduct(out, a, b, n, k, m);
  return out;
}
