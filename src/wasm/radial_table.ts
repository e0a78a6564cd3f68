// Radial tables of one pair of elements, cubic Hermite polynomials of R = z W on every interval, in
// float64 and rounded once.
//
// values  f64 (n + 1, k)  hidden values z at the knots, n even
// slopes  f64 (n + 1, k)  their slopes per interval
// weight  f64 (k, width)  last layer, width a multiple of 4
// out     f32             coefficients c0 … c3 of four channels, (4, 4), interval after interval; the next
//                         four channels `stride` bytes on
//
// Definition: src/model/radial_table.ts. Host: src/cpu/radial_table.ts.

import { madd_f64 } from "./shared/madd";

export function radial_table(
  values: usize,
  slopes: usize,
  weight: usize,
  out: usize,
  n: u32,
  k: u32,
  width: u32,
  stride: u32,
): void {
  const row_bytes: u32 = 8 * k;
  const weight_bytes: u32 = 8 * width;
  for (let c: u32 = 0; c < width; c += 4) {
    let to = out + (c >> 2) * stride;
    const w_first = weight + 8 * c;
    let v0 = f64x2.splat(0), v1 = v0, s0 = v0, s1 = v0;
    let w = w_first;
    for (let q: u32 = 0; q < row_bytes; q += 8) {
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      const z = v128.load64_splat(values + q), d = v128.load64_splat(slopes + q);
      v0 = madd_f64(z, w0, v0);
      v1 = madd_f64(z, w1, v1);
      s0 = madd_f64(d, w0, s0);
      s1 = madd_f64(d, w1, s1);
      w += weight_bytes;
    }
    // Two knots at a time, which share the weights.
    for (let row: u32 = 1; row <= n; row += 2) {
      let a0 = f64x2.splat(0), a1 = a0, b0 = a0, b1 = a0;
      let e0 = a0, e1 = a0, f0 = a0, f1 = a0;
      const first = row * row_bytes;
      w = w_first;
      for (let q: u32 = first; q < first + row_bytes; q += 8) {
        const w0 = v128.load(w), w1 = v128.load(w, 16);
        const z = v128.load64_splat(values + q), d = v128.load64_splat(slopes + q);
        a0 = madd_f64(z, w0, a0);
        a1 = madd_f64(z, w1, a1);
        b0 = madd_f64(d, w0, b0);
        b1 = madd_f64(d, w1, b1);
        const y = v128.load64_splat(values + q + row_bytes);
        const h = v128.load64_splat(slopes + q + row_bytes);
        e0 = madd_f64(y, w0, e0);
        e1 = madd_f64(y, w1, e1);
        f0 = madd_f64(h, w0, f0);
        f1 = madd_f64(h, w1, f1);
        w += weight_bytes;
      }
      store_cubics(to, v0, v1, s0, s1, a0, a1, b0, b1);
      store_cubics(to + 64, a0, a1, b0, b1, e0, e1, f0, f1);
      to += 128;
      v0 = e0;
      v1 = e1;
      s0 = f0;
      s1 = f1;
    }
  }
}

/** The cubics of one interval between knots with values v, a and slopes s, b. */
// @ts-ignore: decorator
@inline
function store_cubics(
  to: usize,
  v0: v128,
  v1: v128,
  s0: v128,
  s1: v128,
  a0: v128,
  a1: v128,
  b0: v128,
  b1: v128,
): void {
  v128.store(to, narrow(v0, v1));
  v128.store(to, narrow(s0, s1), 16);
  v128.store(to, narrow(square(v0, a0, s0, b0), square(v1, a1, s1, b1)), 32);
  v128.store(to, narrow(cube(v0, a0, s0, b0), cube(v1, a1, s1, b1)), 48);
}

/** 3 (v1 - v0) - 2 s0 - s1. */
// @ts-ignore: decorator
@inline
function square(v0: v128, v1: v128, s0: v128, s1: v128): v128 {
  const rise = f64x2.mul(f64x2.splat(3), f64x2.sub(v1, v0));
  return f64x2.sub(f64x2.sub(rise, f64x2.add(s0, s0)), s1);
}

/** 2 (v0 - v1) + s0 + s1. */
// @ts-ignore: decorator
@inline
function cube(v0: v128, v1: v128, s0: v128, s1: v128): v128 {
  const fall = f64x2.sub(v0, v1);
  return f64x2.add(f64x2.add(f64x2.add(fall, fall), s0), s1);
}

/** Four numbers in float32. */
// @ts-ignore: decorator
@inline
function narrow(low: v128, high: v128): v128 {
  const a = f32x4.demote_f64x2_zero(low);
  const b = f32x4.demote_f64x2_zero(high);
  return v128.shuffle<f32>(a, b, 0, 1, 4, 5);
}
