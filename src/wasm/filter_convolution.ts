// Continuous-filter convolution: sums[n, c] = Σ_e x[sender_e, c] W_c(r_e) over the edges of receiver n,
// 32 filters at a time; W_c = c0 + t (c1 + t (c2 + t c3)) in the interval of the edge.
//
// first_edge u32 (n_atoms + 1)
// sender, interval u32 (n_edges); place t f32 (n_edges)
// table  f32 (n_intervals, n_filters / 4, 4, 4): cubics, the four coefficients of four filters
// x      f32 (n_atoms, n_filters)
// sums   f32 (n_atoms, n_filters), written
//
// n_filters is a multiple of 8. Relative error 1e-6.
// Definition: src/model/schnet.ts, tabulated by src/model/radial_table.ts.
// Host: src/cpu/describe_schnet.ts.

import { madd } from "./shared/madd";

// @ts-ignore: decorator
@inline
function filter(row: usize, t: v128): v128 {
  const high = madd(t, v128.load(row, 48), v128.load(row, 32));
  return madd(t, madd(t, high, v128.load(row, 16)), v128.load(row));
}

export function filter_convolution(
  n_atoms: u32,
  first_edge: usize,
  sender: usize,
  interval: usize,
  place: usize,
  table: usize,
  x: usize,
  sums: usize,
  n_filters: u32,
): void {
  const zero = f32x4.splat(0);
  const width: u32 = 4 * n_filters;
  for (let c: u32 = 0; c < width; c += 32) {
    for (let n: u32 = 0; n < n_atoms; n++) {
      let a = zero, b = zero;
      const last = load<u32>(first_edge + 4 * n, 4);
      for (let e = load<u32>(first_edge + 4 * n); e < last; e++) {
        const row = table + <usize> 4 * (load<u32>(interval + 4 * e) * width + c);
        const from = x + load<u32>(sender + 4 * e) * width + c;
        const t = v128.load32_splat(place + 4 * e);
        a = madd(v128.load(from), filter(row, t), a);
        b = madd(v128.load(from, 16), filter(row + 64, t), b);
      }
      const to = sums + n * width + c;
      v128.store(to, a);
      v128.store(to, b, 16);
    }
  }
}
