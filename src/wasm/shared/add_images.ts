// First step of atomic_basis: G_b = Σ_e R(r_e) Y_b(e) of pairs of atoms over the edges of all images,
// eight channels, written as (n_pairs, 2 l2 + 1, 4) for the first four and, `half` bytes behind, for the
// others. Pairs, rows, records and table as there; the second four channels of a table lie `next` bytes
// behind the first.

import { lane, madd } from "./madd";

/** G of pairs `first` to `last`. */
export function add_images(
  l2: u32,
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  if (l2 == 0) add_images_1(first, last, pairs, rows, records, table, next, to, half);
  else if (l2 == 1) add_images_3(first, last, pairs, rows, records, table, next, to, half);
  else if (l2 == 2) add_images_5(first, last, pairs, rows, records, table, next, to, half);
  else {
    add_images_7(first, last, pairs, rows, records, table, to);
    add_images_7(first, last, pairs, rows, records, table + next, to + half);
  }
}

/** Radial functions of four channels at place t of an interval. */
// @ts-ignore: decorator
@inline
function cubic(at: usize, t: v128): v128 {
  let r = madd(t, v128.load(at, 48), v128.load(at, 32));
  r = madd(t, r, v128.load(at, 16));
  return madd(t, r, v128.load(at));
}

/** G of 1 component, channels 0 … 3 in p and 4 … 7 in q. */
function add_images_1(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let p0 = f32x4.splat(0), q0 = p0;
    for (; e < end; e++) {
      const at = table + load<u32>(rows + 4 * e);
      const x = v128.load(records + 16 * e);
      const t = lane(x, 0);
      const r = cubic(at, t);
      const s = cubic(at + next, t);
      p0 = f32x4.add(p0, r);
      q0 = f32x4.add(q0, s);
    }
    v128.store(to, p0);
    v128.store(to + half, q0);
    to += 16;
  }
}

/** G of 3 components, channels 0 … 3 in p and 4 … 7 in q. */
function add_images_3(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let p0 = f32x4.splat(0), q0 = p0;
    let p1 = p0, q1 = p0;
    let p2 = p0, q2 = p0;
    for (; e < end; e++) {
      const at = table + load<u32>(rows + 4 * e);
      const x = v128.load(records + 16 * e);
      const t = lane(x, 0);
      const r = cubic(at, t);
      const s = cubic(at + next, t);
      const y0 = lane(x, 1);
      p0 = madd(r, y0, p0);
      q0 = madd(s, y0, q0);
      const y1 = lane(x, 2);
      p1 = madd(r, y1, p1);
      q1 = madd(s, y1, q1);
      const y2 = lane(x, 3);
      p2 = madd(r, y2, p2);
      q2 = madd(s, y2, q2);
    }
    v128.store(to, p0);
    v128.store(to + half, q0);
    v128.store(to, p1, 16);
    v128.store(to + half, q1, 16);
    v128.store(to, p2, 32);
    v128.store(to + half, q2, 32);
    to += 48;
  }
}

/** G of 5 components, channels 0 … 3 in p and 4 … 7 in q. */
function add_images_5(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  next: usize,
  to: usize,
  half: usize,
): void {
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let p0 = f32x4.splat(0), q0 = p0;
    let p1 = p0, q1 = p0;
    let p2 = p0, q2 = p0;
    let p3 = p0, q3 = p0;
    let p4 = p0, q4 = p0;
    for (; e < end; e++) {
      const at = table + load<u32>(rows + 4 * e);
      const x = v128.load(records + 32 * e);
      const y = v128.load(records + 32 * e, 16);
      const t = lane(x, 0);
      const r = cubic(at, t);
      const s = cubic(at + next, t);
      const y0 = lane(x, 1);
      p0 = madd(r, y0, p0);
      q0 = madd(s, y0, q0);
      const y1 = lane(x, 2);
      p1 = madd(r, y1, p1);
      q1 = madd(s, y1, q1);
      const y2 = lane(x, 3);
      p2 = madd(r, y2, p2);
      q2 = madd(s, y2, q2);
      const y3 = lane(y, 0);
      p3 = madd(r, y3, p3);
      q3 = madd(s, y3, q3);
      const y4 = lane(y, 1);
      p4 = madd(r, y4, p4);
      q4 = madd(s, y4, q4);
    }
    v128.store(to, p0);
    v128.store(to + half, q0);
    v128.store(to, p1, 16);
    v128.store(to + half, q1, 16);
    v128.store(to, p2, 32);
    v128.store(to + half, q2, 32);
    v128.store(to, p3, 48);
    v128.store(to + half, q3, 48);
    v128.store(to, p4, 64);
    v128.store(to + half, q4, 64);
    to += 80;
  }
}

/** G of 7 components, four channels: two times four would not fit the registers. */
function add_images_7(
  first: u32,
  last: u32,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  to: usize,
): void {
  let e = load<u32>(pairs + 4 * first);
  for (let pair = first; pair < last; pair++) {
    const end = load<u32>(pairs + 4 * pair, 4);
    let g0 = f32x4.splat(0), g1 = g0, g2 = g0, g3 = g0, g4 = g0, g5 = g0, g6 = g0;
    for (; e < end; e++) {
      const x = v128.load(records + 32 * e);
      const y = v128.load(records + 32 * e, 16);
      const r = cubic(table + load<u32>(rows + 4 * e), lane(x, 0));
      g0 = madd(r, lane(x, 1), g0);
      g1 = madd(r, lane(x, 2), g1);
      g2 = madd(r, lane(x, 3), g2);
      g3 = madd(r, lane(y, 0), g3);
      g4 = madd(r, lane(y, 1), g4);
      g5 = madd(r, lane(y, 2), g5);
      g6 = madd(r, lane(y, 3), g6);
    }
    v128.store(to, g0);
    v128.store(to, g1, 16);
    v128.store(to, g2, 32);
    v128.store(to, g3, 48);
    v128.store(to, g4, 64);
    v128.store(to, g5, 80);
    v128.store(to, g6, 96);
    to += 112;
  }
}
