// What changes of G and of its tangent mean for the radial tables, eight channels: with r̄ = Σ_b (Y_b Ġ̄_b + Ẏ_b Ḡ_b)
// and s̄ = ṫ Σ_b Y_b Ḡ_b of every edge the cubic's coefficients get c̄_i += t^i r̄ + i t^(i-1) s̄. Here Ḡ is the
// adjoint of G and Ġ̄, `g_bar_dot`, its tangent. Shapes as in add_images; table_bar like table.

import { madd, splat } from "./madd";

/** c̄ of the edges of pairs `first` to `last`. */
export function pull_tables(
  l2: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  if (l2 == 0) pull_1(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
  else if (l2 == 1) pull_3(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
  else if (l2 == 2) pull_5(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
  else pull_7(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
}

/** c̄ from n components; `n` is a constant of the caller. */
// @ts-ignore: decorator
@inline
function pull(
  n: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  const stride: u32 = n > 3 ? 32 : 16;
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    for (; e < end; e++) {
      const at = records + stride * e;
      const dot = dots + stride * e;
      let s = v128.load(g_bar), p = v128.load(g_bar + half);
      let r = v128.load(g_bar_dot), q = v128.load(g_bar_dot + half);
      if (n > 1) {
        const y0 = splat(at, 1), d0 = splat(dot, 1);
        r = madd(s, d0, f32x4.mul(r, y0));
        q = madd(p, d0, f32x4.mul(q, y0));
        s = f32x4.mul(s, y0);
        p = f32x4.mul(p, y0);
        const y1 = splat(at, 2), d1 = splat(dot, 2);
        const g1 = v128.load(g_bar, 16), h1 = v128.load(g_bar + half, 16);
        s = madd(g1, y1, s);
        p = madd(h1, y1, p);
        r = madd(g1, d1, madd(v128.load(g_bar_dot, 16), y1, r));
        q = madd(h1, d1, madd(v128.load(g_bar_dot + half, 16), y1, q));
        const y2 = splat(at, 3), d2 = splat(dot, 3);
        const g2 = v128.load(g_bar, 32), h2 = v128.load(g_bar + half, 32);
        s = madd(g2, y2, s);
        p = madd(h2, y2, p);
        r = madd(g2, d2, madd(v128.load(g_bar_dot, 32), y2, r));
        q = madd(h2, d2, madd(v128.load(g_bar_dot + half, 32), y2, q));
      }
      if (n > 3) {
        const y3 = splat(at, 4), d3 = splat(dot, 4);
        const g3 = v128.load(g_bar, 48), h3 = v128.load(g_bar + half, 48);
        s = madd(g3, y3, s);
        p = madd(h3, y3, p);
        r = madd(g3, d3, madd(v128.load(g_bar_dot, 48), y3, r));
        q = madd(h3, d3, madd(v128.load(g_bar_dot + half, 48), y3, q));
        const y4 = splat(at, 5), d4 = splat(dot, 5);
        const g4 = v128.load(g_bar, 64), h4 = v128.load(g_bar + half, 64);
        s = madd(g4, y4, s);
        p = madd(h4, y4, p);
        r = madd(g4, d4, madd(v128.load(g_bar_dot, 64), y4, r));
        q = madd(h4, d4, madd(v128.load(g_bar_dot + half, 64), y4, q));
      }
      if (n > 5) {
        const y5 = splat(at, 6), d5 = splat(dot, 6);
        const g5 = v128.load(g_bar, 80), h5 = v128.load(g_bar + half, 80);
        s = madd(g5, y5, s);
        p = madd(h5, y5, p);
        r = madd(g5, d5, madd(v128.load(g_bar_dot, 80), y5, r));
        q = madd(h5, d5, madd(v128.load(g_bar_dot + half, 80), y5, q));
        const y6 = splat(at, 7), d6 = splat(dot, 7);
        const g6 = v128.load(g_bar, 96), h6 = v128.load(g_bar + half, 96);
        s = madd(g6, y6, s);
        p = madd(h6, y6, p);
        r = madd(g6, d6, madd(v128.load(g_bar_dot, 96), y6, r));
        q = madd(h6, d6, madd(v128.load(g_bar_dot + half, 96), y6, q));
      }
      const to = table_bar + load<u32>(rows + 4 * e);
      const t = splat(at, 0), change = splat(dot, 0);
      add(to, t, r, f32x4.mul(change, s));
      add(to + next, t, q, f32x4.mul(change, p));
    }
    g_bar += 16 * n;
    g_bar_dot += 16 * n;
  }
}

/** c̄_i += t^i r̄ + i t^(i-1) s̄. */
// @ts-ignore: decorator
@inline
function add(to: usize, t: v128, r: v128, s: v128): void {
  v128.store(to, f32x4.add(v128.load(to), r));
  const r1 = f32x4.mul(t, r);
  v128.store(to, f32x4.add(v128.load(to, 16), f32x4.add(r1, s)), 16);
  // t (t r̄ + 2 s̄) and t² (t r̄ + 3 s̄)
  const r2 = f32x4.mul(t, f32x4.add(r1, f32x4.add(s, s)));
  v128.store(to, f32x4.add(v128.load(to, 32), r2), 32);
  const r3 = f32x4.mul(t, madd(t, s, r2));
  v128.store(to, f32x4.add(v128.load(to, 48), r3), 48);
}

function pull_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  pull(1, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
}

function pull_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  pull(3, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
}

function pull_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  pull(5, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
}

function pull_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  g_bar: usize,
  g_bar_dot: usize,
  half: usize,
  table_bar: usize,
  next: usize,
): void {
  pull(7, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half, table_bar, next);
}
