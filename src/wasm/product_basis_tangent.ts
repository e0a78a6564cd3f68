// Tangent of product_basis for one degree l, eight channels at a time: every term's factors change in turn,
// out_dot[n, M, c] = Σ_t coefficient[z_n, t, c] (ẋ_i x_j x_k + x_i ẋ_j x_k + x_i x_j ẋ_k).
//
// x_dot   f32 (n_atoms, d, channels)
// out_dot f32 (n_atoms, d_out, channels), components l² … written
// all else as in product_basis
//
// Definition: productBasisTangent in src/model/product_basis.ts. Host: src/cpu/layer_tangent.ts.

import { madd } from "./shared/madd";

const NONE: u32 = 255;

export function product_basis_tangent(
  x: usize,
  x_dot: usize,
  coefficients: usize,
  terms: usize,
  elements: usize,
  out_dot: usize,
  n_atoms: i32,
  d: i32,
  channels: i32,
  n_terms: i32,
  d_out: i32,
  l: i32,
): void {
  const stride: usize = 4 * channels;
  const dot = x_dot - x;
  for (let n = 0; n < n_atoms; n++) {
    const z = load<u8>(elements + n);
    for (let c: usize = 0; c < stride; c += 16) {
      const from = x + n * d * stride + c;
      const to = out_dot + (n * d_out + l * l) * stride + c;
      let w = coefficients + <usize> z * n_terms * stride + c;
      let component: u32 = 0;
      let sum = f32x4.splat(0);
      for (let t = 0; t < n_terms; t++) {
        const term = load<u32>(terms + 4 * t);
        const next = term & 255;
        if (next != component) {
          v128.store(to + component * stride, sum);
          sum = f32x4.splat(0);
          component = next;
        }
        const i = from + ((term >> 8) & 255) * stride;
        let value = v128.load(i);
        let slope = v128.load(i + dot);
        if (((term >> 16) & 255) != NONE) {
          const j = from + ((term >> 16) & 255) * stride;
          const xj = v128.load(j);
          slope = madd(value, v128.load(j + dot), f32x4.mul(slope, xj));
          value = f32x4.mul(value, xj);
        }
        if (term >> 24 != NONE) {
          const k = from + (term >> 24) * stride;
          slope = madd(value, v128.load(k + dot), f32x4.mul(slope, v128.load(k)));
        }
        sum = madd(v128.load(w), slope, sum);
        w += stride;
      }
      v128.store(to + component * stride, sum);
    }
  }
}
