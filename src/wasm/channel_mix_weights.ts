// Adjoint of channel_mix for its weights: W̄ += Σ x[row]ᵀ ō[row] over listed rows, four by eight entries at a time.
//
// x          f32, rows of n_in numbers at element offsets in_rows
// out_bar    f32, rows of n_out numbers at element offsets out_rows
// weight_bar f32 (n_in, n_out), added to
// in_rows, out_rows  u32 (n_rows)
//
// n_in is a multiple of 4, n_out of 8. Definition: channelMixWeights in src/model/channel_mix.ts.
// Host: src/cpu/frame_run.ts.

import { lane, madd } from "./shared/madd";

export function channel_mix_weights(
  x: usize,
  out_bar: usize,
  weight_bar: usize,
  in_rows: usize,
  out_rows: usize,
  n_rows: u32,
  n_in: u32,
  n_out: u32,
): void {
  const end = in_rows + 4 * n_rows;
  const turn = out_rows - in_rows;
  const stride = 4 * n_out;
  for (let w: u32 = 0; w < 4 * n_out; w += 32) {
    for (let u: u32 = 0; u < 4 * n_in; u += 16) {
      const to = weight_bar + u / 4 * stride + w;
      const to2 = to + 2 * stride;
      let a0 = v128.load(to), b0 = v128.load(to, 16);
      let a1 = v128.load(to + stride), b1 = v128.load(to + stride, 16);
      let a2 = v128.load(to2), b2 = v128.load(to2, 16);
      let a3 = v128.load(to2 + stride), b3 = v128.load(to2 + stride, 16);
      for (let row = in_rows; row < end; row += 4) {
        const s = v128.load(x + 4 * load<u32>(row) + u);
        const bar = out_bar + 4 * load<u32>(row + turn) + w;
        const p = v128.load(bar), q = v128.load(bar, 16);
        const s0 = lane(s, 0), s1 = lane(s, 1), s2 = lane(s, 2), s3 = lane(s, 3);
        a0 = madd(s0, p, a0);
        b0 = madd(s0, q, b0);
        a1 = madd(s1, p, a1);
        b1 = madd(s1, q, b1);
        a2 = madd(s2, p, a2);
        b2 = madd(s2, q, b2);
        a3 = madd(s3, p, a3);
        b3 = madd(s3, q, b3);
      }
      v128.store(to, a0);
      v128.store(to, b0, 16);
      v128.store(to + stride, a1);
      v128.store(to + stride, b1, 16);
      v128.store(to2, a2);
      v128.store(to2, b2, 16);
      v128.store(to2 + stride, a3);
      v128.store(to2 + stride, b3, 16);
    }
  }
}
