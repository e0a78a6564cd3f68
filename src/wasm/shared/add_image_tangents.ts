// add_images and its tangent at once, eight channels: G_b = Σ_e R(r_e) Y_b(e) of pairs of atoms over their edges, and
// how it changes where the edges do, Ġ_b = Σ_e R' ṫ Y_b + R Ẏ_b. Shapes as in add_images; dots like records: ṫ,
// then Ẏ_b.

import { madd, splat } from "./madd";

/** G, where `g` is not 0, and Ġ of pairs `first` to `last`. */
export function add_image_tangents(
  l2: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  next: usize,
  g: usize,
  g_dot: usize,
  half: usize,
): void {
  for (let i = 0; i < 2; i++) {
    if (l2 == 0) {
      if (g) both_1(first, last, pairs, rows, records, dots, table, g, g_dot);
      else dot_1(first, last, pairs, rows, records, dots, table, g_dot);
    } else if (l2 == 1) {
      if (g) both_3(first, last, pairs, rows, records, dots, table, g, g_dot);
      else dot_3(first, last, pairs, rows, records, dots, table, g_dot);
    } else if (l2 == 2) {
      if (g) both_5(first, last, pairs, rows, records, dots, table, g, g_dot);
      else dot_5(first, last, pairs, rows, records, dots, table, g_dot);
    } else {
      if (g) both_7(first, last, pairs, rows, records, dots, table, g, g_dot);
      else dot_7(first, last, pairs, rows, records, dots, table, g_dot);
    }
    if (g) g += half;
    g_dot += half;
    table += next;
  }
}

/** n components, four channels; `n` and `both` are constants of the caller. */
// @ts-ignore: decorator
@inline
function add(
  n: u32,
  both: bool,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g: usize,
  g_dot: usize,
): void {
  const stride: u32 = n > 3 ? 32 : 16;
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let d0 = f32x4.splat(0);
    let d1 = d0, d2 = d0, d3 = d0, d4 = d0, d5 = d0, d6 = d0;
    let g0 = d0, g1 = d0, g2 = d0, g3 = d0, g4 = d0, g5 = d0, g6 = d0;
    for (; e < end; e++) {
      const at = records + stride * e;
      const dot = dots + stride * e;
      const t = splat(at, 0);
      const from = table + load<u32>(rows + 4 * e);
      // Value and slope of the cubics of four channels.
      const c3 = v128.load(from, 48);
      let r = madd(t, c3, v128.load(from, 32));
      let slope = madd(t, c3, r);
      r = madd(t, r, v128.load(from, 16));
      slope = f32x4.mul(splat(dot, 0), madd(t, slope, r));
      if (n > 1 || both) r = madd(t, r, v128.load(from));
      if (n == 1) {
        d0 = f32x4.add(d0, slope);
        if (both) g0 = f32x4.add(g0, r);
      }
      if (n > 1) {
        const y0 = splat(at, 1);
        d0 = madd(slope, y0, madd(r, splat(dot, 1), d0));
        if (both) g0 = madd(r, y0, g0);
        const y1 = splat(at, 2);
        d1 = madd(slope, y1, madd(r, splat(dot, 2), d1));
        if (both) g1 = madd(r, y1, g1);
        const y2 = splat(at, 3);
        d2 = madd(slope, y2, madd(r, splat(dot, 3), d2));
        if (both) g2 = madd(r, y2, g2);
      }
      if (n > 3) {
        const y3 = splat(at, 4);
        d3 = madd(slope, y3, madd(r, splat(dot, 4), d3));
        if (both) g3 = madd(r, y3, g3);
        const y4 = splat(at, 5);
        d4 = madd(slope, y4, madd(r, splat(dot, 5), d4));
        if (both) g4 = madd(r, y4, g4);
      }
      if (n > 5) {
        const y5 = splat(at, 6);
        d5 = madd(slope, y5, madd(r, splat(dot, 6), d5));
        if (both) g5 = madd(r, y5, g5);
        const y6 = splat(at, 7);
        d6 = madd(slope, y6, madd(r, splat(dot, 7), d6));
        if (both) g6 = madd(r, y6, g6);
      }
    }
    v128.store(g_dot, d0);
    if (both) v128.store(g, g0);
    if (n > 1) {
      v128.store(g_dot, d1, 16);
      if (both) v128.store(g, g1, 16);
      v128.store(g_dot, d2, 32);
      if (both) v128.store(g, g2, 32);
    }
    if (n > 3) {
      v128.store(g_dot, d3, 48);
      if (both) v128.store(g, g3, 48);
      v128.store(g_dot, d4, 64);
      if (both) v128.store(g, g4, 64);
    }
    if (n > 5) {
      v128.store(g_dot, d5, 80);
      if (both) v128.store(g, g5, 80);
      v128.store(g_dot, d6, 96);
      if (both) v128.store(g, g6, 96);
    }
    g += 16 * n;
    g_dot += 16 * n;
  }
}

function both_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g: usize,
  g_dot: usize,
): void {
  add(1, true, first, last, pairs, rows, records, dots, table, g, g_dot);
}

function dot_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g_dot: usize,
): void {
  add(1, false, first, last, pairs, rows, records, dots, table, 0, g_dot);
}

function both_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g: usize,
  g_dot: usize,
): void {
  add(3, true, first, last, pairs, rows, records, dots, table, g, g_dot);
}

function dot_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g_dot: usize,
): void {
  add(3, false, first, last, pairs, rows, records, dots, table, 0, g_dot);
}

function both_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g: usize,
  g_dot: usize,
): void {
  add(5, true, first, last, pairs, rows, records, dots, table, g, g_dot);
}

function dot_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g_dot: usize,
): void {
  add(5, false, first, last, pairs, rows, records, dots, table, 0, g_dot);
}

function both_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g: usize,
  g_dot: usize,
): void {
  add(7, true, first, last, pairs, rows, records, dots, table, g, g_dot);
}

function dot_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  g_dot: usize,
): void {
  add(7, false, first, last, pairs, rows, records, dots, table, 0, g_dot);
}
