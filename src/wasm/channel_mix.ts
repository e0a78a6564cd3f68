// Mixes channels of listed rows: out[row] (+)= x[row] W, four rows and eight channels at a time.
//
// x        f32, rows of `channels` numbers at element offsets in_rows
// weight   f32 (channels, channels), row-major (in, out), normalisation included
// out      f32, rows at element offsets out_rows, written or (accumulate != 0) added to
// in_rows, out_rows  u32 (n_rows); padded by the host to a multiple of 4 by repeating the last row
//
// channels is a multiple of 8. Definition: src/model/channel_mix.ts. Host: src/cpu/describe_frame.ts.

export function channel_mix(
  x: usize,
  weight: usize,
  out: usize,
  in_rows: usize,
  out_rows: usize,
  n_rows: i32,
  channels: i32,
  accumulate: i32,
): void {
  const w_stride = 4 * channels;
  for (let i = 0; i < n_rows; i += 4) {
    const x0 = x + 4 * load<u32>(in_rows + 4 * i);
    const x1 = x + 4 * load<u32>(in_rows + 4 * i, 4);
    const x2 = x + 4 * load<u32>(in_rows + 4 * i, 8);
    const x3 = x + 4 * load<u32>(in_rows + 4 * i, 12);
    const o0 = out + 4 * load<u32>(out_rows + 4 * i);
    const o1 = out + 4 * load<u32>(out_rows + 4 * i, 4);
    const o2 = out + 4 * load<u32>(out_rows + 4 * i, 8);
    const o3 = out + 4 * load<u32>(out_rows + 4 * i, 12);
    for (let c = 0; c < 4 * channels; c += 32) {
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      if (accumulate) {
        a0 = v128.load(o0 + c);
        b0 = v128.load(o0 + c, 16);
        a1 = v128.load(o1 + c);
        b1 = v128.load(o1 + c, 16);
        a2 = v128.load(o2 + c);
        b2 = v128.load(o2 + c, 16);
        a3 = v128.load(o3 + c);
        b3 = v128.load(o3 + c, 16);
      }
      let w = weight + c;
      for (let u = 0; u < 4 * channels; u += 4) {
        const wa = v128.load(w);
        const wb = v128.load(w, 16);
        const s0 = v128.load_splat<f32>(x0 + u);
        a0 = f32x4.add(a0, f32x4.mul(s0, wa));
        b0 = f32x4.add(b0, f32x4.mul(s0, wb));
        const s1 = v128.load_splat<f32>(x1 + u);
        a1 = f32x4.add(a1, f32x4.mul(s1, wa));
        b1 = f32x4.add(b1, f32x4.mul(s1, wb));
        const s2 = v128.load_splat<f32>(x2 + u);
        a2 = f32x4.add(a2, f32x4.mul(s2, wa));
        b2 = f32x4.add(b2, f32x4.mul(s2, wb));
        const s3 = v128.load_splat<f32>(x3 + u);
        a3 = f32x4.add(a3, f32x4.mul(s3, wa));
        b3 = f32x4.add(b3, f32x4.mul(s3, wb));
        w += w_stride;
      }
      v128.store(o0 + c, a0);
      v128.store(o0 + c, b0, 16);
      v128.store(o1 + c, a1);
      v128.store(o1 + c, b1, 16);
      v128.store(o2 + c, a2);
      v128.store(o2 + c, b2, 16);
      v128.store(o3 + c, a3);
      v128.store(o3 + c, b3, 16);
    }
  }
}
