// Adjoint of sum_pairs, four channels: what a change of U means for G and h,
// Ḡ_b += ± Σ_a h_a Ū[a, b] and h̄_a += ± Σ_b Ū[a, b] G_b over pairs of atoms. Shapes as in sum_pairs; g may
// be 0, then there is no h̄.

import { madd } from "./madd";

/** Ḡ and h̄ of the entries of one segment. */
export function pull_pairs(
  l1: u32,
  l2: u32,
  segment: usize,
  entries: usize,
  groups: u32,
  g: usize,
  g_bar: usize,
  senders: usize,
  senders_bar: usize,
  sums_bar: usize,
  sign: v128,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const row = 16 * (2 * l2 + 1);
  const z = groups > 1 ? load<u32>(segment, 4) : 0;
  const from = entries + 8 * load<u32>(segment, 8);
  const end = entries + 8 * load<u32>(segment, 12);
  const stride = 16 * n_a;
  let u = sums_bar + n_a * row * (load<u32>(segment) * groups + z);
  if (g == 0) {
    for (let a: u32 = 0; a < n_a; a++) {
      const h = senders + 16 * a;
      if (l2 == 0) spread_1(from, end, g_bar, row, h, stride, u, sign);
      else if (l2 == 1) spread_3(from, end, g_bar, row, h, stride, u, sign);
      else if (l2 == 2) spread_5(from, end, g_bar, row, h, stride, u, sign);
      else spread_7(from, end, g_bar, row, h, stride, u, sign);
      u += row;
    }
    return;
  }
  const to = g_bar - g;
  const back = senders_bar - senders;
  let h = senders;
  let a: u32 = 0;
  for (; a + 3 <= n_a; a += 3) {
    if (l2 == 0) pull_3x1(from, end, g, to, row, h, back, stride, u, sign);
    else pull_3x3(from, end, g, to, row, h, back, stride, u, sign);
    if (l2 >= 2) pull_3x2(from, end, g + 48, to, row, h, back, stride, u + 48, sign);
    if (l2 >= 3) pull_3x2(from, end, g + 80, to, row, h, back, stride, u + 80, sign);
    u += 3 * row;
    h += 48;
  }
  for (; a < n_a; a++) {
    if (l2 == 0) pull_1x1(from, end, g, to, row, h, back, stride, u, sign);
    else if (l2 == 1) pull_1x3(from, end, g, to, row, h, back, stride, u, sign);
    else if (l2 == 2) pull_1x5(from, end, g, to, row, h, back, stride, u, sign);
    else pull_1x7(from, end, g, to, row, h, back, stride, u, sign);
    u += row;
    h += 16;
  }
}

/** Ḡ of 1 × n components; `n` is a constant of the caller. */
// @ts-ignore: decorator
@inline
function spread(
  n: u32,
  entries: usize,
  end: usize,
  g_bar: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  const u0 = f32x4.mul(sign, v128.load(u));
  const u1 = n > 1 ? f32x4.mul(sign, v128.load(u, 16)) : u0;
  const u2 = n > 1 ? f32x4.mul(sign, v128.load(u, 32)) : u0;
  const u3 = n > 3 ? f32x4.mul(sign, v128.load(u, 48)) : u0;
  const u4 = n > 3 ? f32x4.mul(sign, v128.load(u, 64)) : u0;
  const u5 = n > 5 ? f32x4.mul(sign, v128.load(u, 80)) : u0;
  const u6 = n > 5 ? f32x4.mul(sign, v128.load(u, 96)) : u0;
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const to = g_bar + <u32> entry * g_stride;
    const x = v128.load(h + <u32> (entry >> 32) * h_stride);
    v128.store(to, madd(x, u0, v128.load(to)));
    if (n > 1) {
      v128.store(to, madd(x, u1, v128.load(to, 16)), 16);
      v128.store(to, madd(x, u2, v128.load(to, 32)), 32);
    }
    if (n > 3) {
      v128.store(to, madd(x, u3, v128.load(to, 48)), 48);
      v128.store(to, madd(x, u4, v128.load(to, 64)), 64);
    }
    if (n > 5) {
      v128.store(to, madd(x, u5, v128.load(to, 80)), 80);
      v128.store(to, madd(x, u6, v128.load(to, 96)), 96);
    }
  }
}

function spread_1(
  entries: usize,
  end: usize,
  g_bar: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  spread(1, entries, end, g_bar, g_stride, h, h_stride, u, sign);
}

function spread_3(
  entries: usize,
  end: usize,
  g_bar: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  spread(3, entries, end, g_bar, g_stride, h, h_stride, u, sign);
}

function spread_5(
  entries: usize,
  end: usize,
  g_bar: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  spread(5, entries, end, g_bar, g_stride, h, h_stride, u, sign);
}

function spread_7(
  entries: usize,
  end: usize,
  g_bar: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  spread(7, entries, end, g_bar, g_stride, h, h_stride, u, sign);
}

/** Ḡ and h̄ of 1 × n components; `n` is a constant of the caller. Ḡ lies `to` bytes behind G, h̄ `back`
 * bytes behind h. */
// @ts-ignore: decorator
@inline
function pull_row(
  n: u32,
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  const u0 = f32x4.mul(sign, v128.load(u));
  const u1 = n > 1 ? f32x4.mul(sign, v128.load(u, 16)) : u0;
  const u2 = n > 1 ? f32x4.mul(sign, v128.load(u, 32)) : u0;
  const u3 = n > 3 ? f32x4.mul(sign, v128.load(u, 48)) : u0;
  const u4 = n > 3 ? f32x4.mul(sign, v128.load(u, 64)) : u0;
  const u5 = n > 5 ? f32x4.mul(sign, v128.load(u, 80)) : u0;
  const u6 = n > 5 ? f32x4.mul(sign, v128.load(u, 96)) : u0;
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const bar = from + to;
    const at = h + <u32> (entry >> 32) * h_stride;
    const x = v128.load(at);
    let sum = madd(u0, v128.load(from), v128.load(at + back));
    v128.store(bar, madd(x, u0, v128.load(bar)));
    if (n > 1) {
      sum = madd(u1, v128.load(from, 16), sum);
      v128.store(bar, madd(x, u1, v128.load(bar, 16)), 16);
      sum = madd(u2, v128.load(from, 32), sum);
      v128.store(bar, madd(x, u2, v128.load(bar, 32)), 32);
    }
    if (n > 3) {
      sum = madd(u3, v128.load(from, 48), sum);
      v128.store(bar, madd(x, u3, v128.load(bar, 48)), 48);
      sum = madd(u4, v128.load(from, 64), sum);
      v128.store(bar, madd(x, u4, v128.load(bar, 64)), 64);
    }
    if (n > 5) {
      sum = madd(u5, v128.load(from, 80), sum);
      v128.store(bar, madd(x, u5, v128.load(bar, 80)), 80);
      sum = madd(u6, v128.load(from, 96), sum);
      v128.store(bar, madd(x, u6, v128.load(bar, 96)), 96);
    }
    v128.store(at + back, sum);
  }
}

/** The same for 3 × n components, n at most 3; a row of Ū takes `g_stride` bytes. */
// @ts-ignore: decorator
@inline
function pull_rows(
  n: u32,
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  const v = u + g_stride;
  const w = v + g_stride;
  const u0 = f32x4.mul(sign, v128.load(u));
  const v0 = f32x4.mul(sign, v128.load(v));
  const w0 = f32x4.mul(sign, v128.load(w));
  const u1 = n > 1 ? f32x4.mul(sign, v128.load(u, 16)) : u0;
  const v1 = n > 1 ? f32x4.mul(sign, v128.load(v, 16)) : u0;
  const w1 = n > 1 ? f32x4.mul(sign, v128.load(w, 16)) : u0;
  const u2 = n > 2 ? f32x4.mul(sign, v128.load(u, 32)) : u0;
  const v2 = n > 2 ? f32x4.mul(sign, v128.load(v, 32)) : u0;
  const w2 = n > 2 ? f32x4.mul(sign, v128.load(w, 32)) : u0;
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const bar = from + to;
    const at = h + <u32> (entry >> 32) * h_stride;
    const x = v128.load(at);
    const y = v128.load(at, 16);
    const z = v128.load(at, 32);
    const g0 = v128.load(from);
    let p = madd(u0, g0, v128.load(at + back));
    let q = madd(v0, g0, v128.load(at + back, 16));
    let r = madd(w0, g0, v128.load(at + back, 32));
    v128.store(bar, madd(x, u0, madd(y, v0, madd(z, w0, v128.load(bar)))));
    if (n > 1) {
      const g1 = v128.load(from, 16);
      p = madd(u1, g1, p);
      q = madd(v1, g1, q);
      r = madd(w1, g1, r);
      v128.store(bar, madd(x, u1, madd(y, v1, madd(z, w1, v128.load(bar, 16)))), 16);
    }
    if (n > 2) {
      const g2 = v128.load(from, 32);
      p = madd(u2, g2, p);
      q = madd(v2, g2, q);
      r = madd(w2, g2, r);
      v128.store(bar, madd(x, u2, madd(y, v2, madd(z, w2, v128.load(bar, 32)))), 32);
    }
    v128.store(at + back, p);
    v128.store(at + back, q, 16);
    v128.store(at + back, r, 32);
  }
}

function pull_1x1(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_row(1, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_1x3(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_row(3, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_1x5(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_row(5, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_1x7(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_row(7, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_3x1(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_rows(1, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_3x2(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_rows(2, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}

function pull_3x3(
  entries: usize,
  end: usize,
  g: usize,
  to: usize,
  g_stride: u32,
  h: usize,
  back: usize,
  h_stride: u32,
  u: usize,
  sign: v128,
): void {
  pull_rows(3, entries, end, g, to, g_stride, h, back, h_stride, u, sign);
}
