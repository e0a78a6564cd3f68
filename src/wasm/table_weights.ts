// Adjoint of the cubic Hermite polynomials of radial_table: what a change of their coefficients means for the
// values v and slopes s at the knots between them, c = (v0, s0, 3 (v1 - v0) - 2 s0 - s1, 2 (v0 - v1) + s0 + s1).
//
// table_bar f32 like one slot of a table: (4, 4) per interval, the next four channels `stride` bytes on
// values_bar, slopes_bar  f32 (n + 1, width), written
//
// Definition: tabulateAdjoint in src/model/radial_table.ts. Host: src/cpu/table_weights.ts.

export function table_weights(
  table_bar: usize,
  values_bar: usize,
  slopes_bar: usize,
  n: u32,
  width: u32,
  stride: u32,
): void {
  for (let c: u32 = 0; c < width; c += 4) {
    let from = table_bar + (c >> 2) * stride;
    let v = values_bar + 4 * c;
    let s = slopes_bar + 4 * c;
    let value = f32x4.splat(0), slope = value;
    for (let i: u32 = 0; i < n; i++) {
      const c2 = v128.load(from, 32);
      const c3 = v128.load(from, 48);
      // rise = 3 c̄2 - 2 c̄3
      const rise = f32x4.sub(f32x4.mul(f32x4.splat(3), c2), f32x4.add(c3, c3));
      v128.store(v, f32x4.add(value, f32x4.sub(v128.load(from), rise)));
      const own = f32x4.add(f32x4.sub(v128.load(from, 16), f32x4.add(c2, c2)), c3);
      v128.store(s, f32x4.add(slope, own));
      value = rise;
      slope = f32x4.sub(c3, c2);
      from += 64;
      v += 4 * width;
      s += 4 * width;
    }
    v128.store(v, value);
    v128.store(s, slope);
  }
}
