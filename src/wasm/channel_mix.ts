// Mixes channels of listed rows: out[row] (+)= x[row] W, four rows and eight channels at a time.
//
// x        f32, rows of n_in numbers at element offsets in_rows
// weight   f32 (n_out / 8, n_in, 8), normalisation included
// out      f32, rows of n_out numbers at element offsets out_rows, written or, where accumulate is not
//          0, added to
// in_rows, out_rows  u32 (n_rows); padded by the host to a multiple of 4 by repeating the last row
//
// n_in is a multiple of 4, n_out of 8. Definition: src/model/channel_mix.ts. Host: src/cpu/frame_run.ts.

import { lane, madd } from "./shared/madd";

export function channel_mix(
  x: usize,
  weight: usize,
  out: usize,
  in_rows: usize,
  out_rows: usize,
  n_rows: u32,
  n_in: u32,
  n_out: u32,
  accumulate: u32,
): void {
  for (let c: u32 = 0; c < 4 * n_out; c += 32) {
    for (let i: u32 = 0; i < n_rows; i += 4) {
      let x0 = x + 4 * load<u32>(in_rows + 4 * i);
      let x1 = x + 4 * load<u32>(in_rows + 4 * i, 4);
      let x2 = x + 4 * load<u32>(in_rows + 4 * i, 8);
      let x3 = x + 4 * load<u32>(in_rows + 4 * i, 12);
      const o0 = out + 4 * load<u32>(out_rows + 4 * i) + c;
      const o1 = out + 4 * load<u32>(out_rows + 4 * i, 4) + c;
      const o2 = out + 4 * load<u32>(out_rows + 4 * i, 8) + c;
      const o3 = out + 4 * load<u32>(out_rows + 4 * i, 12) + c;
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      if (accumulate) {
        a0 = v128.load(o0);
        b0 = v128.load(o0, 16);
        a1 = v128.load(o1);
        b1 = v128.load(o1, 16);
        a2 = v128.load(o2);
        b2 = v128.load(o2, 16);
        a3 = v128.load(o3);
        b3 = v128.load(o3, 16);
      }
      let w = weight + c * n_in;
      const end = w + 32 * n_in;
      for (; w < end; w += 128) {
        const s0 = v128.load(x0);
        const s1 = v128.load(x1);
        const s2 = v128.load(x2);
        const s3 = v128.load(x3);
        const v0 = v128.load(w);
        const w0 = v128.load(w, 16);
        a0 = madd(lane(s0, 0), v0, a0);
        b0 = madd(lane(s0, 0), w0, b0);
        a1 = madd(lane(s1, 0), v0, a1);
        b1 = madd(lane(s1, 0), w0, b1);
        a2 = madd(lane(s2, 0), v0, a2);
        b2 = madd(lane(s2, 0), w0, b2);
        a3 = madd(lane(s3, 0), v0, a3);
        b3 = madd(lane(s3, 0), w0, b3);
        const v1 = v128.load(w, 32);
        const w1 = v128.load(w, 48);
        a0 = madd(lane(s0, 1), v1, a0);
        b0 = madd(lane(s0, 1), w1, b0);
        a1 = madd(lane(s1, 1), v1, a1);
        b1 = madd(lane(s1, 1), w1, b1);
        a2 = madd(lane(s2, 1), v1, a2);
        b2 = madd(lane(s2, 1), w1, b2);
        a3 = madd(lane(s3, 1), v1, a3);
        b3 = madd(lane(s3, 1), w1, b3);
        const v2 = v128.load(w, 64);
        const w2 = v128.load(w, 80);
        a0 = madd(lane(s0, 2), v2, a0);
        b0 = madd(lane(s0, 2), w2, b0);
        a1 = madd(lane(s1, 2), v2, a1);
        b1 = madd(lane(s1, 2), w2, b1);
        a2 = madd(lane(s2, 2), v2, a2);
        b2 = madd(lane(s2, 2), w2, b2);
        a3 = madd(lane(s3, 2), v2, a3);
        b3 = madd(lane(s3, 2), w2, b3);
        const v3 = v128.load(w, 96);
        const w3 = v128.load(w, 112);
        a0 = madd(lane(s0, 3), v3, a0);
        b0 = madd(lane(s0, 3), w3, b0);
        a1 = madd(lane(s1, 3), v3, a1);
        b1 = madd(lane(s1, 3), w3, b1);
        a2 = madd(lane(s2, 3), v3, a2);
        b2 = madd(lane(s2, 3), w3, b2);
        a3 = madd(lane(s3, 3), v3, a3);
        b3 = madd(lane(s3, 3), w3, b3);
        x0 += 16;
        x1 += 16;
        x2 += 16;
        x3 += 16;
      }
      v128.store(o0, a0);
      v128.store(o0, b0, 16);
      v128.store(o1, a1);
      v128.store(o1, b1, 16);
      v128.store(o2, a2);
      v128.store(o2, b2, 16);
      v128.store(o3, a3);
      v128.store(o3, b3, 16);
    }
  }
}
