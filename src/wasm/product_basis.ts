// Symmetric contraction of one degree l: sparse polynomials of degree at most 3, four channels at a
// time, out[n, M, c] = Σ_t coefficient[z_n, t, c] x_i x_j x_k over the terms t of component M.
//
// x            f32 (n_atoms, d, channels)
// coefficients f32 (n_elements, n_terms, channels)
// terms        u8 (n_terms, 4): component, three factors, 255 for none; sorted by component
// elements     u8 (n_atoms)
// out          f32 (n_atoms, d_out, channels), components l² … written
//
// channels is a multiple of 4. Definition: src/model/product_basis.ts. Host: src/cpu/describe_frame.ts.

const NONE: u32 = 255;

export function product_basis(
  x: usize,
  coefficients: usize,
  terms: usize,
  elements: usize,
  out: usize,
  n_atoms: i32,
  d: i32,
  channels: i32,
  n_terms: i32,
  d_out: i32,
  l: i32,
): void {
  const stride = 4 * channels;
  for (let n = 0; n < n_atoms; n++) {
    const z = load<u8>(elements + n);
    for (let c = 0; c < stride; c += 16) {
      const from = x + n * d * stride + c;
      const to = out + (n * d_out + l * l) * stride + c;
      let w = coefficients + <usize> z * n_terms * stride + c;
      let component: u32 = 0;
      let sum = f32x4.splat(0);
      for (let t = 0; t < n_terms; t++) {
        const term = load<u32>(terms + 4 * t);
        const next = term & 255;
        if (next != component) {
          v128.store(to + component * stride, sum);
          sum = f32x4.splat(0);
          component = next;
        }
        const j = (term >> 16) & 255;
        const k = term >> 24;
        let value = f32x4.mul(v128.load(w), v128.load(from + ((term >> 8) & 255) * stride));
        if (j != NONE) value = f32x4.mul(value, v128.load(from + j * stride));
        if (k != NONE) value = f32x4.mul(value, v128.load(from + k * stride));
        sum = f32x4.add(sum, value);
        w += stride;
      }
      v128.store(to + component * stride, sum);
    }
  }
}
