// Sum of products of columns, out[a, b] = Σ_i y[i, a] y[i, b], in float64, two columns at a time.
//
// y    f64 (n_rows, n_cols), n_cols even
// out  f64 (n_cols, n_cols), written for b >= a - 1
//
// Definition: src/linalg/covariance.ts. Host: src/cpu/covariance.ts.

export function covariance(y: usize, out: usize, n_rows: i32, n_cols: i32): void {
  const stride = 8 * n_cols;
  memory.fill(out, 0, n_cols * stride);
  for (let i = 0; i < n_rows; i++) {
    const row = y + i * stride;
    for (let a = 0; a < n_cols; a++) {
      const value = v128.load_splat<f64>(row + 8 * a);
      const to = out + a * stride;
      for (let b = 8 * (a & ~1); b < stride; b += 16) {
        v128.store(to + b, f64x2.add(v128.load(to + b), f64x2.mul(value, v128.load(row + b))));
      }
    }
  }
}
