// Adds a bias to every row, and takes the shifted softplus where asked: x ← ln(1 + e^(x + b)) - ln 2.
//
// x    f32 (n_rows, n), read and written; n is a multiple of 4
// bias f32 (n)
// activate 0: the bias only
//
// Relative error 1e-6 of the largest number. Definition: src/model/schnet.ts.
// Host: src/cpu/describe_schnet.ts.

import { madd } from "./shared/madd";

const LN_2: f32 = 0.6931471805599453;
/** Beyond this e^-a is nothing beside 1. */
const LARGEST: f32 = 60;

// @ts-ignore: decorator
@inline
function times(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline
function plus(a: v128, b: f32): v128 {
  return f32x4.add(a, f32x4.splat(b));
}

/** e^-a for 0 ≤ a: 2^n times the series of e^r, |r| ≤ ln 2 / 2. */
// @ts-ignore: decorator
@inline
function exp_minus(a: v128): v128 {
  const t = times(f32x4.min(a, f32x4.splat(LARGEST)), f32x4.splat(-1 / LN_2));
  const n = f32x4.nearest(t);
  const r = times(f32x4.sub(t, n), f32x4.splat(LN_2));
  let e = madd(r, f32x4.splat(1.0 / 5040.0), f32x4.splat(1.0 / 720.0));
  e = madd(r, e, f32x4.splat(1.0 / 120.0));
  e = madd(r, e, f32x4.splat(1.0 / 24.0));
  e = madd(r, e, f32x4.splat(1.0 / 6.0));
  e = madd(r, e, f32x4.splat(0.5));
  e = madd(r, e, f32x4.splat(1));
  e = madd(r, e, f32x4.splat(1));
  const exponent = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127));
  return times(e, i32x4.shl(exponent, 23));
}

/** ln(1 + y) for 0 ≤ y ≤ 1: 2 artanh z, z = y / (2 + y) ≤ 1/3. */
// @ts-ignore: decorator
@inline
function log_one_plus(y: v128): v128 {
  const z = f32x4.div(y, plus(y, 2));
  const s = times(z, z);
  let p = madd(s, f32x4.splat(2.0 / 13.0), f32x4.splat(2.0 / 11.0));
  p = madd(s, p, f32x4.splat(2.0 / 9.0));
  p = madd(s, p, f32x4.splat(2.0 / 7.0));
  p = madd(s, p, f32x4.splat(2.0 / 5.0));
  p = madd(s, p, f32x4.splat(2.0 / 3.0));
  p = madd(s, p, f32x4.splat(2));
  return times(z, p);
}

export function add_bias(x: usize, bias: usize, n_rows: u32, n: u32, activate: u32): void {
  const width: u32 = 4 * n;
  for (let i: u32 = 0; i < n_rows; i++) {
    for (let c: u32 = 0; c < width; c += 16) {
      const at = x + i * width + c;
      const sum = f32x4.add(v128.load(at), v128.load(bias + c));
      if (!activate) {
        v128.store(at, sum);
        continue;
      }
      // ln(1 + e^s) = max(s, 0) + ln(1 + e^-|s|), which cannot overflow.
      const rest = log_one_plus(exp_minus(f32x4.abs(sum)));
      v128.store(at, plus(f32x4.add(f32x4.max(sum, f32x4.splat(0)), rest), -LN_2));
    }
  }
}
