// Tangent of add_images: how G_b = Σ_e R(r_e) Y_b(e) of pairs of atoms changes where their edges do,
// Ġ_b = Σ_e R' ṫ Y_b + R Ẏ_b, eight channels. Shapes as there; records_dot like records: ṫ, then Ẏ_b.

import { madd, splat } from "./madd";

/** Ġ of pairs `first` to `last`. */
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
  to: usize,
  half: usize,
): void {
  if (l2 == 0) add_1(first, last, pairs, rows, records, dots, table, next, to, half);
  else if (l2 == 1) add_3(first, last, pairs, rows, records, dots, table, next, to, half);
  else if (l2 == 2) add_5(first, last, pairs, rows, records, dots, table, next, to, half);
  else add_7(first, last, pairs, rows, records, dots, table, next, to, half);
}

/** Ġ of n components, four channels; `n` is a constant of the caller. */
// @ts-ignore: decorator
@inline
function add(
  n: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  to: usize,
): void {
  const stride: u32 = n > 3 ? 32 : 16;
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let g0 = f32x4.splat(0);
    let g1 = g0, g2 = g0, g3 = g0, g4 = g0, g5 = g0, g6 = g0;
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
      if (n == 1) g0 = f32x4.add(g0, slope);
      if (n > 1) {
        r = madd(t, r, v128.load(from));
        g0 = madd(slope, splat(at, 1), madd(r, splat(dot, 1), g0));
        g1 = madd(slope, splat(at, 2), madd(r, splat(dot, 2), g1));
        g2 = madd(slope, splat(at, 3), madd(r, splat(dot, 3), g2));
      }
      if (n > 3) {
        g3 = madd(slope, splat(at, 4), madd(r, splat(dot, 4), g3));
        g4 = madd(slope, splat(at, 5), madd(r, splat(dot, 5), g4));
        if (n > 5) {
          g5 = madd(slope, splat(at, 6), madd(r, splat(dot, 6), g5));
          g6 = madd(slope, splat(at, 7), madd(r, splat(dot, 7), g6));
        }
      }
    }
    v128.store(to, g0);
    if (n > 1) {
      v128.store(to, g1, 16);
      v128.store(to, g2, 32);
    }
    if (n > 3) {
      v128.store(to, g3, 48);
      v128.store(to, g4, 64);
    }
    if (n > 5) {
      v128.store(to, g5, 80);
      v128.store(to, g6, 96);
    }
    to += 16 * n;
  }
}

function add_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  add(1, first, last, pairs, rows, records, dots, table, to);
  add(1, first, last, pairs, rows, records, dots, table + next, to + half);
}

function add_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  add(3, first, last, pairs, rows, records, dots, table, to);
  add(3, first, last, pairs, rows, records, dots, table + next, to + half);
}

function add_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  add(5, first, last, pairs, rows, records, dots, table, to);
  add(5, first, last, pairs, rows, records, dots, table + next, to + half);
}

function add_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  dots: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  add(7, first, last, pairs, rows, records, dots, table, to);
  add(7, first, last, pairs, rows, records, dots, table + next, to + half);
}
