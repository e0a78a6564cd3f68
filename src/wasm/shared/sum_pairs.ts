// Second step of atomic_basis: U[a, b] += ± Σ h_a G_b over pairs of atoms, four channels, with as many
// sums in registers as WebAssembly engines have. g (n_pairs, 2 l2 + 1, 4), h (n_atoms, 2 l1 + 1, 4),
// u (n_atoms, groups, 2 l1 + 1, 2 l2 + 1, 4).

import { madd } from "./madd";

/** U[a, b] += ±Σ h_a G_b over the entries of one segment. */
export function sum_pairs(
  l1: u32,
  l2: u32,
  segment: usize,
  entries: usize,
  groups: u32,
  g: usize,
  senders: usize,
  sums: usize,
  sign: v128,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const row = 16 * (2 * l2 + 1);
  const z = groups > 1 ? load<u32>(segment, 4) : 0;
  const from = entries + 8 * load<u32>(segment, 8);
  const end = entries + 8 * load<u32>(segment, 12);
  const stride = 16 * n_a;
  let u = sums + n_a * row * (load<u32>(segment) * groups + z);
  let h = senders;
  let a: u32 = 0;
  for (; a + 3 <= n_a; a += 3) {
    if (l2 == 0) sum_3x1(from, end, g, row, h, stride, u, row, sign);
    else sum_3x3(from, end, g, row, h, stride, u, row, sign);
    if (l2 >= 2) sum_3x2(from, end, g + 48, row, h, stride, u + 48, row, sign);
    if (l2 >= 3) sum_3x2(from, end, g + 80, row, h, stride, u + 80, row, sign);
    u += 3 * row;
    h += 48;
  }
  for (; a < n_a; a++) {
    if (l2 == 0) sum_1x1(from, end, g, row, h, stride, u, row, sign);
    else if (l2 == 1) sum_1x3(from, end, g, row, h, stride, u, row, sign);
    else if (l2 == 2) sum_1x5(from, end, g, row, h, stride, u, row, sign);
    else sum_1x7(from, end, g, row, h, stride, u, row, sign);
    u += row;
    h += 16;
  }
}

/** U of 1 × 1 components. */
function sum_1x1(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
  }
  v128.store(u, f32x4.mul(sign, s00));
}

/** U of 1 × 3 components. */
function sum_1x3(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s01 = f32x4.mul(sign, v128.load(u, 16));
  let s02 = f32x4.mul(sign, v128.load(u, 32));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    const g1 = v128.load(from, 16);
    s01 = madd(h0, g1, s01);
    const g2 = v128.load(from, 32);
    s02 = madd(h0, g2, s02);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u, f32x4.mul(sign, s01), 16);
  v128.store(u, f32x4.mul(sign, s02), 32);
}

/** U of 1 × 5 components. */
function sum_1x5(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s01 = f32x4.mul(sign, v128.load(u, 16));
  let s02 = f32x4.mul(sign, v128.load(u, 32));
  let s03 = f32x4.mul(sign, v128.load(u, 48));
  let s04 = f32x4.mul(sign, v128.load(u, 64));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    const g1 = v128.load(from, 16);
    s01 = madd(h0, g1, s01);
    const g2 = v128.load(from, 32);
    s02 = madd(h0, g2, s02);
    const g3 = v128.load(from, 48);
    s03 = madd(h0, g3, s03);
    const g4 = v128.load(from, 64);
    s04 = madd(h0, g4, s04);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u, f32x4.mul(sign, s01), 16);
  v128.store(u, f32x4.mul(sign, s02), 32);
  v128.store(u, f32x4.mul(sign, s03), 48);
  v128.store(u, f32x4.mul(sign, s04), 64);
}

/** U of 1 × 7 components. */
function sum_1x7(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s01 = f32x4.mul(sign, v128.load(u, 16));
  let s02 = f32x4.mul(sign, v128.load(u, 32));
  let s03 = f32x4.mul(sign, v128.load(u, 48));
  let s04 = f32x4.mul(sign, v128.load(u, 64));
  let s05 = f32x4.mul(sign, v128.load(u, 80));
  let s06 = f32x4.mul(sign, v128.load(u, 96));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    const g1 = v128.load(from, 16);
    s01 = madd(h0, g1, s01);
    const g2 = v128.load(from, 32);
    s02 = madd(h0, g2, s02);
    const g3 = v128.load(from, 48);
    s03 = madd(h0, g3, s03);
    const g4 = v128.load(from, 64);
    s04 = madd(h0, g4, s04);
    const g5 = v128.load(from, 80);
    s05 = madd(h0, g5, s05);
    const g6 = v128.load(from, 96);
    s06 = madd(h0, g6, s06);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u, f32x4.mul(sign, s01), 16);
  v128.store(u, f32x4.mul(sign, s02), 32);
  v128.store(u, f32x4.mul(sign, s03), 48);
  v128.store(u, f32x4.mul(sign, s04), 64);
  v128.store(u, f32x4.mul(sign, s05), 80);
  v128.store(u, f32x4.mul(sign, s06), 96);
}

/** U of 3 × 1 components. */
function sum_3x1(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s10 = f32x4.mul(sign, v128.load(u + row));
  let s20 = f32x4.mul(sign, v128.load(u + 2 * row));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const h1 = v128.load(x, 16);
    const h2 = v128.load(x, 32);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    s10 = madd(h1, g0, s10);
    s20 = madd(h2, g0, s20);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u + row, f32x4.mul(sign, s10));
  v128.store(u + 2 * row, f32x4.mul(sign, s20));
}

/** U of 3 × 2 components. */
function sum_3x2(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s01 = f32x4.mul(sign, v128.load(u, 16));
  let s10 = f32x4.mul(sign, v128.load(u + row));
  let s11 = f32x4.mul(sign, v128.load(u + row, 16));
  let s20 = f32x4.mul(sign, v128.load(u + 2 * row));
  let s21 = f32x4.mul(sign, v128.load(u + 2 * row, 16));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const h1 = v128.load(x, 16);
    const h2 = v128.load(x, 32);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    s10 = madd(h1, g0, s10);
    s20 = madd(h2, g0, s20);
    const g1 = v128.load(from, 16);
    s01 = madd(h0, g1, s01);
    s11 = madd(h1, g1, s11);
    s21 = madd(h2, g1, s21);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u, f32x4.mul(sign, s01), 16);
  v128.store(u + row, f32x4.mul(sign, s10));
  v128.store(u + row, f32x4.mul(sign, s11), 16);
  v128.store(u + 2 * row, f32x4.mul(sign, s20));
  v128.store(u + 2 * row, f32x4.mul(sign, s21), 16);
}

/** U of 3 × 3 components. */
function sum_3x3(
  entries: usize,
  end: usize,
  g: usize,
  g_stride: u32,
  h: usize,
  h_stride: u32,
  u: usize,
  row: u32,
  sign: v128,
): void {
  let s00 = f32x4.mul(sign, v128.load(u));
  let s01 = f32x4.mul(sign, v128.load(u, 16));
  let s02 = f32x4.mul(sign, v128.load(u, 32));
  let s10 = f32x4.mul(sign, v128.load(u + row));
  let s11 = f32x4.mul(sign, v128.load(u + row, 16));
  let s12 = f32x4.mul(sign, v128.load(u + row, 32));
  let s20 = f32x4.mul(sign, v128.load(u + 2 * row));
  let s21 = f32x4.mul(sign, v128.load(u + 2 * row, 16));
  let s22 = f32x4.mul(sign, v128.load(u + 2 * row, 32));
  for (; entries < end; entries += 8) {
    const entry = load<u64>(entries);
    const from = g + <u32> entry * g_stride;
    const x = h + <u32> (entry >> 32) * h_stride;
    const h0 = v128.load(x);
    const h1 = v128.load(x, 16);
    const h2 = v128.load(x, 32);
    const g0 = v128.load(from);
    s00 = madd(h0, g0, s00);
    s10 = madd(h1, g0, s10);
    s20 = madd(h2, g0, s20);
    const g1 = v128.load(from, 16);
    s01 = madd(h0, g1, s01);
    s11 = madd(h1, g1, s11);
    s21 = madd(h2, g1, s21);
    const g2 = v128.load(from, 32);
    s02 = madd(h0, g2, s02);
    s12 = madd(h1, g2, s12);
    s22 = madd(h2, g2, s22);
  }
  v128.store(u, f32x4.mul(sign, s00));
  v128.store(u, f32x4.mul(sign, s01), 16);
  v128.store(u, f32x4.mul(sign, s02), 32);
  v128.store(u + row, f32x4.mul(sign, s10));
  v128.store(u + row, f32x4.mul(sign, s11), 16);
  v128.store(u + row, f32x4.mul(sign, s12), 32);
  v128.store(u + 2 * row, f32x4.mul(sign, s20));
  v128.store(u + 2 * row, f32x4.mul(sign, s21), 16);
  v128.store(u + 2 * row, f32x4.mul(sign, s22), 32);
}
