// Sorts pairs of points into radii: every pair i < j is looked at once and counted on both, by intervals
// of squared distance, in tiles of four i and four j. Pairs that float32 cannot decide are decided in
// float64, with the operations of the definition in their order.
//
// points    f32 (n_components, n_padded), centred; padding is far away from everything
// exact     f64 (n, n_components), as they are
// n_padded  a multiple of 4
// first, last  rows i, multiples of 4; a call should take no more than a tenth of a second, since
//           engines only replace their first, slow translation of a kernel between calls
// radii     f64 (n_radii)
// low, high f32 (n_radii): window of d² around each r² that float32 cannot decide
// start     u8 (65536): first radius whose window may hold a d² with these upper 16 bits
// histogram u32 (n_padded, n_radii), added to
// decided   u32, number of pairs decided in float64, added to
// tile      64 bytes of scratch
//
// Definition: src/select/neighbor_count.ts. Host: src/cpu/neighbor_count.ts.

import { lane, madd } from "./shared/madd";

export function neighbor_count(
  points: usize,
  exact: usize,
  n_components: u32,
  n_padded: u32,
  first: u32,
  last: u32,
  radii: usize,
  low: usize,
  high: usize,
  n_radii: u32,
  start: usize,
  histogram: usize,
  decided: usize,
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
        const p = i + (place >> 2);
        const q = j + (place & 3);
        let b: u32 = load<u8>(start + (reinterpret<u32>(d2) >> 16));
        while (d2 > load<f32>(high + 4 * b)) b++;
        if (d2 >= load<f32>(low + 4 * b)) {
          store<u32>(decided, load<u32>(decided) + 1);
          b = first_radius(exact, n_components, p, q, radii, n_radii, b);
          if (b == n_radii) continue;
        }
        count(histogram + 4 * (p * n_radii + b));
        count(histogram + 4 * (q * n_radii + b));
      } while (within != 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function count(place: usize): void {
  store<u32>(place, load<u32>(place) + 1);
}

/** First radius from `b` on that holds the pair, in float64; n_radii if none does. */
function first_radius(
  exact: usize,
  n_components: u32,
  i: u32,
  j: u32,
  radii: usize,
  n_radii: u32,
  b: u32,
): u32 {
  const mine = exact + 8 * i * n_components;
  const its = exact + 8 * j * n_components;
  let d2: f64 = 0;
  for (let k: u32 = 0; k < n_components; k++) {
    const difference = load<f64>(mine + 8 * k) - load<f64>(its + 8 * k);
    d2 += difference * difference;
  }
  for (; b < n_radii; b++) {
    const r = load<f64>(radii + 8 * b);
    if (d2 <= r * r) break;
  }
  return b;
}
