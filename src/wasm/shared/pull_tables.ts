// What changes of G and of its tangent mean for the radial tables, four channels: with r̄ = Σ_b (Y_b Ġ̄_b + Ẏ_b Ḡ_b)
// and s̄ = ṫ Σ_b Y_b Ḡ_b of every edge the cubic's coefficients get c̄_i += t^i r̄ + i t^(i-1) s̄. Here Ḡ is the
// adjoint of G and Ġ̄, `g_bar_dot`, its tangent. Shapes as in add_images; table_bar like table.

import { madd, splat } from "./madd";

/** c̄ of the edges of pairs `first` to `last`, eight channels. */
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
  for (let i = 0; i < 2; i++) {
    if (l2 == 0) pull_1(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
    else if (l2 == 1) pull_3(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
    else if (l2 == 2) pull_5(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
    else pull_7(first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
    g_bar += half;
    g_bar_dot += half;
    table_bar += next;
  }
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
  table_bar: usize,
): void {
  const stride: u32 = n > 3 ? 32 : 16;
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    const g0 = v128.load(g_bar);
    const d0 = v128.load(g_bar_dot);
    const g1 = n > 1 ? v128.load(g_bar, 16) : g0;
    const d1 = n > 1 ? v128.load(g_bar_dot, 16) : g0;
    const g2 = n > 1 ? v128.load(g_bar, 32) : g0;
    const d2 = n > 1 ? v128.load(g_bar_dot, 32) : g0;
    for (; e < end; e++) {
      const at = records + stride * e;
      const dot = dots + stride * e;
      let s = g0, r = d0;
      if (n > 1) {
        s = f32x4.mul(g0, splat(at, 1));
        r = madd(g0, splat(dot, 1), f32x4.mul(d0, splat(at, 1)));
        s = madd(g1, splat(at, 2), s);
        r = madd(g1, splat(dot, 2), madd(d1, splat(at, 2), r));
        s = madd(g2, splat(at, 3), s);
        r = madd(g2, splat(dot, 3), madd(d2, splat(at, 3), r));
      }
      if (n > 3) {
        const g3 = v128.load(g_bar, 48);
        s = madd(g3, splat(at, 4), s);
        r = madd(g3, splat(dot, 4), madd(v128.load(g_bar_dot, 48), splat(at, 4), r));
        const g4 = v128.load(g_bar, 64);
        s = madd(g4, splat(at, 5), s);
        r = madd(g4, splat(dot, 5), madd(v128.load(g_bar_dot, 64), splat(at, 5), r));
        if (n > 5) {
          const g5 = v128.load(g_bar, 80);
          s = madd(g5, splat(at, 6), s);
          r = madd(g5, splat(dot, 6), madd(v128.load(g_bar_dot, 80), splat(at, 6), r));
          const g6 = v128.load(g_bar, 96);
          s = madd(g6, splat(at, 7), s);
          r = madd(g6, splat(dot, 7), madd(v128.load(g_bar_dot, 96), splat(at, 7), r));
        }
      }
      add(table_bar + load<u32>(rows + 4 * e), splat(at, 0), r, f32x4.mul(splat(dot, 0), s));
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
  table_bar: usize,
): void {
  pull(1, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
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
  table_bar: usize,
): void {
  pull(3, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
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
  table_bar: usize,
): void {
  pull(5, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
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
  table_bar: usize,
): void {
  pull(7, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, table_bar);
}
