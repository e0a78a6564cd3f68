/** A dense row-major float64 matrix: element (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
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
