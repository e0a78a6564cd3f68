// Sorts pairs of points into radii: every pair i < j is looked at once and counted on both, by intervals
// of squared distance, in tiles of four i and four j. Pairs that float32 cannot decide are listed
// instead.
//
// points    f32 (n_components, n_padded), centred; padding is far away from everything
// n_padded  a multiple of 4
// first, last  rows i, multiples of 4; a call should take no more than a tenth of a second, since
//           engines only replace their first, slow translation of a kernel between calls
// low, high f32 (n_radii): window of d² around each r² that float32 cannot decide
// start     u8 (65536): first radius whose window may hold a d² with these upper 16 bits
// histogram u32 (n_padded, n_radii), added to
// undecided u32 (capacity, 2): pairs i < j
// listed    u32, number of undecided pairs, added to; beyond the capacity they are not stored
// tile      64 bytes of scratch
//
// Definition: src/select/neighbor_count.ts. Host: src/cpu/neighbor_count.ts.

import { lane, madd } from "./shared/madd";

export function neighbor_count(
  points: usize,
  n_components: u32,
  n_padded: u32,
  first: u32,
  last: u32,
  low: usize,
  high: usize,
  n_radii: u32,
  start: usize,
  histogram: usize,
  undecided: usize,
  capacity: u32,
  listed: usize,
  tile: usize,
): void {
  const largest = f32x4.splat(load<f32>(high + 4 * (n_radii - 1)));
  const stride = 4 * n_padded;
  const end = points + n_components * stride;
  for (let i = first; i < last; i += 4) {
    for (let j: u32 = i; j < n_padded; j += 4) {
      let a = f32x4.splat(0), b = a, c = a, d = a;
      let mine = points + 4 * i;
      let its = points + 4 * j;
      for (; its < end; its += stride) {
        const x = v128.load(mine);
        const y = v128.load(its);
        const da = f32x4.sub(lane(x, 0), y);
        a = madd(da, da, a);
        const db = f32x4.sub(lane(x, 1), y);
        b = madd(db, db, b);
        const dc = f32x4.sub(lane(x, 2), y);
        c = madd(dc, dc, c);
        const dd = f32x4.sub(lane(x, 3), y);
        d = madd(dd, dd, d);
        mine += stride;
      }
      let within: u32 = i32x4.bitmask(f32x4.le(a, largest)) |
        (i32x4.bitmask(f32x4.le(b, largest)) << 4) | (i32x4.bitmask(f32x4.le(c, largest)) << 8) |
        (i32x4.bitmask(f32x4.le(d, largest)) << 12);
      // Of a tile on the diagonal only what lies above it.
      if (i == j) within &= 0x08CE;
      if (within == 0) continue;
      v128.store(tile, a);
      v128.store(tile, b, 16);
      v128.store(tile, c, 32);
      v128.store(tile, d, 48);
      do {
        const place = ctz(within);
        within &= within - 1;
        const d2 = load<f32>(tile + 4 * place);
        sort_pair(
          d2,
          i + (place >> 2),
          j + (place & 3),
          low,
          high,
          n_radii,
          start,
          histogram,
          undecided,
          capacity,
          listed,
        );
      } while (within != 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function sort_pair(
  d2: f32,
  i: u32,
  j: u32,
  low: usize,
  high: usize,
  n_radii: u32,
  start: usize,
  histogram: usize,
  undecided: usize,
  capacity: u32,
  listed: usize,
): void {
  let b: u32 = load<u8>(start + (reinterpret<u32>(d2) >> 16));
  while (d2 > load<f32>(high + 4 * b)) b++;
  if (d2 >= load<f32>(low + 4 * b)) {
    const n = load<u32>(listed);
    if (n < capacity) {
      store<u32>(undecided + 8 * n, i);
      store<u32>(undecided + 8 * n, j, 4);
    }
    store<u32>(listed, n + 1);
    return;
  }
  const its = histogram + 4 * (j * n_radii + b);
  const mine = histogram + 4 * (i * n_radii + b);
  store<u32>(mine, load<u32>(mine) + 1);
  store<u32>(its, load<u32>(its) + 1);
}
