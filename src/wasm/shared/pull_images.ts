// Adjoint of add_images, eight channels: what a change of G means for the places in the radial tables and
// for the harmonics of the edges, R̄ = Σ_b Ḡ_b Y_b, t̄ += Σ_c R' R̄, Ȳ_b += Σ_c R Ḡ_b. Shapes as there;
// records_bar like records: t̄, then Ȳ_b.

import { lane, madd } from "./madd";

/** t̄ and Ȳ of the edges of pairs `first` to `last`. */
export function pull_images(
  l2: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  if (l2 == 0) pull_1(first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
  else if (l2 == 1) pull_3(first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
  else if (l2 == 2) pull_5(first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
  else pull_7(first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
}

/** Sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function add_lanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const p = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const q = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(p, q, 0, 1, 4, 5), v128.shuffle<f32>(p, q, 2, 3, 6, 7));
}

/** t̄ and Ȳ of n components; `n` is a constant of the caller. */
// @ts-ignore: decorator
@inline
function pull(
  n: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  const stride: u32 = n > 3 ? 32 : 16;
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    for (; e < end; e++) {
      const x = v128.load(records + stride * e);
      const y = n > 3 ? v128.load(records + stride * e, 16) : x;
      const t = lane(x, 0);
      let from = table + load<u32>(rows + 4 * e);
      let bar = g_bar;
      let t_bar = f32x4.splat(0);
      let s0 = t_bar, s1 = t_bar, s2 = t_bar, s3 = t_bar, s4 = t_bar, s5 = t_bar, s6 = t_bar;
      for (let i = 0; i < 2; i++) {
        // Value and slope of the cubics of four channels.
        const c3 = v128.load(from, 48);
        let r = madd(t, c3, v128.load(from, 32));
        let slope = madd(t, c3, r);
        r = madd(t, r, v128.load(from, 16));
        slope = madd(t, slope, r);
        r = madd(t, r, v128.load(from));
        const g0 = v128.load(bar);
        let r_bar = n > 1 ? f32x4.mul(g0, lane(x, 1)) : g0;
        if (n > 1) {
          s0 = madd(r, g0, s0);
          const g1 = v128.load(bar, 16);
          r_bar = madd(g1, lane(x, 2), r_bar);
          s1 = madd(r, g1, s1);
          const g2 = v128.load(bar, 32);
          r_bar = madd(g2, lane(x, 3), r_bar);
          s2 = madd(r, g2, s2);
        }
        if (n > 3) {
          const g3 = v128.load(bar, 48);
          r_bar = madd(g3, lane(y, 0), r_bar);
          s3 = madd(r, g3, s3);
          const g4 = v128.load(bar, 64);
          r_bar = madd(g4, lane(y, 1), r_bar);
          s4 = madd(r, g4, s4);
        }
        if (n > 5) {
          const g5 = v128.load(bar, 80);
          r_bar = madd(g5, lane(y, 2), r_bar);
          s5 = madd(r, g5, s5);
          const g6 = v128.load(bar, 96);
          r_bar = madd(g6, lane(y, 3), r_bar);
          s6 = madd(r, g6, s6);
        }
        t_bar = madd(slope, r_bar, t_bar);
        from += next;
        bar += half;
      }
      const to = records_bar + stride * e;
      v128.store(to, f32x4.add(v128.load(to), add_lanes(t_bar, s0, s1, s2)));
      if (n > 3) v128.store(to, f32x4.add(v128.load(to, 16), add_lanes(s3, s4, s5, s6)), 16);
    }
    g_bar += 16 * n;
  }
}

function pull_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  pull(1, first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
}

function pull_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  pull(3, first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
}

function pull_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  pull(5, first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
}

function pull_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  g_bar: usize,
  half: usize,
  records_bar: usize,
): void {
  pull(7, first, last, pairs, rows, records, table, next, g_bar, half, records_bar);
}
