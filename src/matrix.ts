/** A dense row-major float64 matrix: element (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  /** Shape (rows, cols), row-major. */
  readonly data: Float64Array;
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly cols: number;
}

/** A zero matrix, or a view of `data`, shape (rows, cols). */
export function matrix(rows: number, cols: number, data?: Float64Array): Matrix {
  if (data && data.length !== rows * cols) {
    throw new RangeError(
      `Cannot form a matrix: ${data.length} numbers given, expected ${rows} x ${cols}`,
    );
  }
  return { data: data ?? new Float64Array(rows * cols), rows, cols };
}

/** The rows `indices` of `m`, in that order. */
export function takeRows(m: Matrix, indices: ArrayLike<number>): Matrix {
  const out = matrix(indices.length, m.cols);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * m.cols;
    out.data.set(m.data.subarray(from, from + m.cols), i * m.cols);
  }
  return out;
}

/**
 * Adds `scale` · A B to `out`, all row-major: A is (n, k), B is (k, m), out is (n, m).
 * Four rows of B are taken at a time, so that each element of `out` is touched k/4 times.
 */
export function addProduct(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  n: number,
  k: number,
  m: number,
  scale = 1,
): void {
  for (let i = 0; i < n; i++) {
    const row = i * m;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const a0 = a[i * k + p] * scale;
      const a1 = a[i * k + p + 1] * scale;
      const a2 = a[i * k + p + 2] * scale;
      const a3 = a[i * k + p + 3] * scale;
      const b0 = p * m;
      const b1 = b0 + m;
      const b2 = b1 + m;
      const b3 = b2 + m;
      for (let j = 0; j < m; j++) {
        out[row + j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
      }
    }
    for (; p < k; p++) {
      const ap = a[i * k + p] * scale;
      for (let j = 0; j < m; j++) out[row + j] += ap * b[p * m + j];
    }
  }
}

/** The transpose of a row-major matrix (rows, cols). */
export function transposed(data: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j];
  }
  return out;
}

/** Squared Euclidean distance between row i of A and row j of B. */
export function squaredDistance(a: Matrix, i: number, b: Matrix, j: number): number {
  const { cols } = a;
  let sum = 0;
  for (let k = 0; k < cols; k++) sum += (a.data[i * cols + k] - b.data[j * cols + k]) ** 2;
  return sum;
}
