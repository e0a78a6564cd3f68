// Symmetric contraction of one degree l: sparse polynomials of degree at most 3, eight channels at a
// time, out[n, M, c] = Σ_t coefficient[z_n, t, c] x_i x_j x_k over the terms t of component M.
//
// x            f32 (n_atoms, d, channels)
// coefficients f32 (n_elements, n_terms, channels)
// terms        u8 (n_terms, 4): component, three factors, 255 for none; sorted by component
// elements     u8 (n_atoms)
// out          f32 (n_atoms, d_out, channels), components l² … written
//
// channels is a multiple of 8. Definition: src/model/product_basis.ts. Host: src/cpu/layer.ts.

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
    for (let c = 0; c < stride; c += 32) {
      const from = x + n * d * stride + c;
      const to = out + (n * d_out + l * l) * stride + c;
      let w = coefficients + <usize> z * n_terms * stride + c;
      let component: u32 = 0;
      let p = f32x4.splat(0);
      let q = p;
      for (let t = 0; t < n_terms; t++) {
        const term = load<u32>(terms + 4 * t);
        const next = term & 255;
        if (next != component) {
          v128.store(to + component * stride, p);
          v128.store(to + component * stride, q, 16);
          p = q = f32x4.splat(0);
          component = next;
        }
        const j = (term >> 16) & 255;
        const k = term >> 24;
        const i = from + ((term >> 8) & 255) * stride;
        let a = f32x4.mul(v128.load(w), v128.load(i));
        let b = f32x4.mul(v128.load(w, 16), v128.load(i, 16));
        if (j != NONE) {
          a = f32x4.mul(a, v128.load(from + j * stride));
          b = f32x4.mul(b, v128.load(from + j * stride, 16));
        }
        if (k != NONE) {
          a = f32x4.mul(a, v128.load(from + k * stride));
          b = f32x4.mul(b, v128.load(from + k * stride, 16));
        }
        p = f32x4.add(p, a);
        q = f32x4.add(q, b);
        w += stride;
      }
      v128.store(to + component * stride, p);
      v128.store(to + component * stride, q, 16);
    }
  }
}
