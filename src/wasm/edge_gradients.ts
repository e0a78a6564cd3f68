// dE/dv of edges from the adjoints of their harmonics Y(u) and of their places t in the radial tables, with
// u = v / r and t + i = n_intervals √(r / r_max): dE/dv = (g - u (u · g)) / r + u t̄ dt/dr, where
// g = Σ_b Ȳ_b ∂Y_b/∂u of the polynomials Y_b(x, y, z). In float64.
//
// vectors   f64 (n, 3), Å
// bar_1, bar_2, bar_3  f32 (n, 4), (n, 8), (n, 8): t̄, then Ȳ_b of degree 1, 2, 3; each added up over all
//           layers, t̄ to be added up over the degrees
// gradients f64 (n, 3), written, 1/Å times the unit of the adjoints
//
// Definition: sphericalHarmonicsAdjoint in src/model/spherical_harmonics.ts, radialBasisAdjoint in
// src/model/radial_basis.ts. Host: src/cpu/predict_frame.ts.

const S3: f64 = 1.7320508075688772;
const S5: f64 = 2.23606797749979;
const S15: f64 = 3.872983346207417;
const K0: f64 = 2.091650066335189; // √(35/8)
const K1: f64 = 10.246950765959598; // √105
const K2: f64 = 1.6201851746019651; // √(21/8)
const K3: f64 = 1.3228756555322954; // √7 / 2
const K5: f64 = 5.123475382979799; // √105 / 2

// @ts-ignore: decorator
@inline
function bar(at: usize, b: usize): f64 {
  return <f64> load<f32>(at + 4 * b);
}

export function edge_gradients(
  vectors: usize,
  bar_1: usize,
  bar_2: usize,
  bar_3: usize,
  gradients: usize,
  n_edges: u32,
  l_max: u32,
  n_intervals: u32,
  r_max: f64,
): void {
  for (let e: u32 = 0; e < n_edges; e++) {
    let x = load<f64>(vectors + 24 * e);
    let y = load<f64>(vectors + 24 * e, 8);
    let z = load<f64>(vectors + 24 * e, 16);
    const r = Math.sqrt(x * x + y * y + z * z);
    x /= r;
    y /= r;
    z /= r;
    const p = bar_1 + 16 * e;
    let t_bar = bar(p, 0);
    let gx: f64 = 0, gy: f64 = 0, gz: f64 = 0;
    if (l_max >= 1) {
      gx = S3 * bar(p, 1);
      gy = S3 * bar(p, 2);
      gz = S3 * bar(p, 3);
    }
    if (l_max >= 2) {
      const d = bar_2 + 32 * e;
      t_bar += bar(d, 0);
      const b0 = S15 * bar(d, 1);
      const b1 = S15 * bar(d, 2);
      const b2 = S5 * bar(d, 3);
      const b3 = S15 * bar(d, 4);
      const b4 = S15 * bar(d, 5);
      gx += b0 * z + b1 * y - b2 * x - b4 * x;
      gy += b1 * x + 2 * b2 * y + b3 * z;
      gz += b0 * x - b2 * z + b3 * y + b4 * z;
    }
    if (l_max >= 3) {
      const f = bar_3 + 32 * e;
      t_bar += bar(f, 0);
      const xx = x * x;
      const yy = y * y;
      const zz = z * z;
      const b0 = K0 * bar(f, 1);
      const b1 = K1 * bar(f, 2);
      const b2 = K2 * bar(f, 3);
      const b3 = K3 * bar(f, 4);
      const b4 = K2 * bar(f, 5);
      const b5 = K5 * bar(f, 6);
      const b6 = K0 * bar(f, 7);
      gx += 3 * b0 * (zz - xx) + b1 * y * z + b2 * (4 * yy - 3 * xx - zz) - 6 * b3 * x * y -
        2 * b4 * x * z - 2 * b5 * x * y - 6 * b6 * x * z;
      gy += b1 * x * z + 8 * b2 * x * y + 3 * b3 * (2 * yy - xx - zz) + 8 * b4 * y * z +
        b5 * (zz - xx);
      gz += 6 * b0 * x * z + b1 * x * y - 2 * b2 * x * z - 6 * b3 * y * z +
        b4 * (4 * yy - xx - 3 * zz) + 2 * b5 * y * z + 3 * b6 * (zz - xx);
    }
    const radial = x * gx + y * gy + z * gz;
    const along = t_bar * <f64> n_intervals / (2 * Math.sqrt(r * r_max)) - radial / r;
    const to = gradients + 24 * e;
    store<f64>(to, gx / r + x * along);
    store<f64>(to, gy / r + y * along, 8);
    store<f64>(to, gz / r + z * along, 16);
  }
}
