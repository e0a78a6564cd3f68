// Tangent of product_basis_adjoint for one degree l, and what it means for the coefficients, four channels at a
// time. With m the product of a term's other factors, its tangent ṁ and b = coefficient · B̄[M]:
// x̄̇ += ḃ m + b ṁ for each of its factors, and c̄ += B̄̇[M] x_i x_j x_k + B̄[M] d(x_i x_j x_k).
//
// x_dot             f32 (n_atoms, d, channels)
// out_bar, out_bar_dot  f32 (n_atoms, d_out, channels), components l² … read
// x_bar_dot         f32 (n_atoms, d, channels), added to
// coefficients_bar  f32 (n_elements, n_terms, channels), added to
// all else as in product_basis
//
// Definition: productBasisAdjointTangent and productBasisWeightsTangent in src/model/product_basis.ts.
// Host: src/cpu/layer_weights.ts.

import { madd } from "./shared/madd";

const NONE: u32 = 255;

export function product_basis_weights(
  x: usize,
  x_dot: usize,
  coefficients: usize,
  terms: usize,
  elements: usize,
  out_bar: usize,
  out_bar_dot: usize,
  x_bar_dot: usize,
  coefficients_bar: usize,
  n_atoms: i32,
  d: i32,
  channels: i32,
  n_terms: i32,
  d_out: i32,
  l: i32,
): void {
  const stride: usize = 4 * channels;
  const dot = x_dot - x;
  const turn = x_bar_dot - x;
  const bar_dot = out_bar_dot - out_bar;
  const pull = coefficients_bar - coefficients;
  for (let c: usize = 0; c < stride; c += 16) {
    for (let n = 0; n < n_atoms; n++) {
      const z = load<u8>(elements + n);
      const from = x + n * d * stride + c;
      const bars = out_bar + (n * d_out + l * l) * stride + c;
      let w = coefficients + <usize> z * n_terms * stride + c;
      for (let t = 0; t < n_terms; t++) {
        const term = load<u32>(terms + 4 * t);
        const at = bars + (term & 255) * stride;
        const bar = v128.load(at);
        const barDot = v128.load(at + bar_dot);
        const weight = v128.load(w);
        const b = f32x4.mul(weight, bar);
        const bDot = f32x4.mul(weight, barDot);
        const i = from + ((term >> 8) & 255) * stride;
        const xi = v128.load(i);
        const di = v128.load(i + dot);
        let product = xi, productDot = di;
        if (((term >> 16) & 255) == NONE) {
          v128.store(i + turn, f32x4.add(bDot, v128.load(i + turn)));
        } else {
          const j = from + ((term >> 16) & 255) * stride;
          const xj = v128.load(j);
          const dj = v128.load(j + dot);
          let mi = xj, miDot = dj, mj = xi, mjDot = di;
          product = f32x4.mul(xi, xj);
          productDot = madd(xi, dj, f32x4.mul(di, xj));
          if (term >> 24 != NONE) {
            const k = from + (term >> 24) * stride;
            add(k + turn, bDot, product, b, productDot);
            const xk = v128.load(k);
            const dk = v128.load(k + dot);
            miDot = madd(xj, dk, f32x4.mul(dj, xk));
            mjDot = madd(xi, dk, f32x4.mul(di, xk));
            mi = f32x4.mul(xj, xk);
            mj = f32x4.mul(xi, xk);
            productDot = madd(product, dk, f32x4.mul(productDot, xk));
            product = f32x4.mul(product, xk);
          }
          add(j + turn, bDot, mj, b, mjDot);
          add(i + turn, bDot, mi, b, miDot);
        }
        add(w + pull, barDot, product, bar, productDot);
        w += stride;
      }
    }
  }
}

/** Adds a b + c d. */
// @ts-ignore: decorator
@inline
function add(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, madd(a, b, madd(c, d, v128.load(to))));
}
