// Sum of products of columns, out[a, b] = Σ_i y[i, a] y[i, b], in float64, in tiles of four by four
// columns whose sums stay in registers over a block of rows.
//
// y    f64 (n_rows, n_cols), n_cols a multiple of 4
// out  f64 (n_cols, n_cols), added to for the tiles with b ≥ a
//
// Definition: src/linalg/covariance.ts. Host: src/cpu/covariance.ts.

import { madd_f64 } from "./shared/madd";

export function covariance(y: usize, out: usize, n_rows: u32, n_cols: u32): void {
  const stride: u32 = 8 * n_cols;
  const end = y + n_rows * stride;
  for (let a: u32 = 0; a < stride; a += 32) {
    for (let b: u32 = a; b < stride; b += 32) {
      const to = out + a * n_cols + b;
      let s0 = v128.load(to), t0 = v128.load(to, 16);
      let s1 = v128.load(to + stride), t1 = v128.load(to + stride, 16);
      let s2 = v128.load(to + 2 * stride), t2 = v128.load(to + 2 * stride, 16);
      let s3 = v128.load(to + 3 * stride), t3 = v128.load(to + 3 * stride, 16);
      for (let row = y; row < end; row += stride) {
        const p = v128.load(row + b);
        const q = v128.load(row + b, 16);
        const x = v128.load(row + a);
        const z = v128.load(row + a, 16);
        const a0 = v128.shuffle<f64>(x, x, 0, 0);
        s0 = madd_f64(a0, p, s0);
        t0 = madd_f64(a0, q, t0);
        const a1 = v128.shuffle<f64>(x, x, 1, 1);
        s1 = madd_f64(a1, p, s1);
        t1 = madd_f64(a1, q, t1);
        const a2 = v128.shuffle<f64>(z, z, 0, 0);
        s2 = madd_f64(a2, p, s2);
        t2 = madd_f64(a2, q, t2);
        const a3 = v128.shuffle<f64>(z, z, 1, 1);
        s3 = madd_f64(a3, p, s3);
        t3 = madd_f64(a3, q, t3);
      }
      v128.store(to, s0);
      v128.store(to, t0, 16);
      v128.store(to + stride, s1);
      v128.store(to + stride, t1, 16);
      v128.store(to + 2 * stride, s2);
      v128.store(to + 2 * stride, t2, 16);
      v128.store(to + 3 * stride, s3);
      v128.store(to + 3 * stride, t3, 16);
    }
  }
}
