// Adjoint of product_basis for one degree l, eight channels at a time: every term of component M adds
// coefficient · B̄[M] · (product of its other factors) to x̄ of each of its factors.
//
// out_bar f32 (n_atoms, d_out, channels), components l² … read
// x_bar   f32 (n_atoms, d, channels), added to
// all else as in product_basis
//
// Definition: productBasisAdjoint in src/model/product_basis.ts. Host: src/cpu/layer_adjoint.ts.

import { madd } from "./shared/madd";

const NONE: u32 = 255;

export function product_basis_adjoint(
  x: usize,
  coefficients: usize,
  terms: usize,
  elements: usize,
  out_bar: usize,
  x_bar: usize,
  n_atoms: i32,
  d: i32,
  channels: i32,
  n_terms: i32,
  d_out: i32,
  l: i32,
): void {
  const stride: usize = 4 * channels;
  for (let n = 0; n < n_atoms; n++) {
    const z = load<u8>(elements + n);
    for (let c: usize = 0; c < stride; c += 32) {
      const from = x + n * d * stride + c;
      const to = x_bar + n * d * stride + c;
      const bar = out_bar + (n * d_out + l * l) * stride + c;
      let w = coefficients + <usize> z * n_terms * stride + c;
      for (let t = 0; t < n_terms; t++) {
        const term = load<u32>(terms + 4 * t);
        const at = bar + (term & 255) * stride;
        const p = f32x4.mul(v128.load(w), v128.load(at));
        const q = f32x4.mul(v128.load(w, 16), v128.load(at, 16));
        w += stride;
        const i = ((term >> 8) & 255) * stride;
        if (((term >> 16) & 255) == NONE) {
          v128.store(to + i, f32x4.add(p, v128.load(to + i)));
          v128.store(to + i, f32x4.add(q, v128.load(to + i, 16)), 16);
          continue;
        }
        const j = ((term >> 16) & 255) * stride;
        let pi = f32x4.mul(p, v128.load(from + i));
        let qi = f32x4.mul(q, v128.load(from + i, 16));
        let pj = f32x4.mul(p, v128.load(from + j));
        let qj = f32x4.mul(q, v128.load(from + j, 16));
        if (term >> 24 != NONE) {
          const k = (term >> 24) * stride;
          add(to + k, pi, qi, v128.load(from + j), v128.load(from + j, 16));
          const r = v128.load(from + k);
          const s = v128.load(from + k, 16);
          pi = f32x4.mul(pi, r);
          qi = f32x4.mul(qi, s);
          pj = f32x4.mul(pj, r);
          qj = f32x4.mul(qj, s);
        }
        v128.store(to + j, f32x4.add(pi, v128.load(to + j)));
        v128.store(to + j, f32x4.add(qi, v128.load(to + j, 16)), 16);
        v128.store(to + i, f32x4.add(pj, v128.load(to + i)));
        v128.store(to + i, f32x4.add(qj, v128.load(to + i, 16)), 16);
      }
    }
  }
}

/** x̄ += (p, q) · (r, s). */
// @ts-ignore: decorator
@inline
function add(to: usize, p: v128, q: v128, r: v128, s: v128): void {
  v128.store(to, madd(p, r, v128.load(to)));
  v128.store(to, madd(q, s, v128.load(to, 16)), 16);
}
