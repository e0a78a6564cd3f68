// Real spherical harmonics of edge directions, 'component' normalisation, e3nn order.
//
// vectors   f64 (n_edges, 3), Å
// lengths   f64 (n_edges), Å, written
// harmonics f32 (n_edges, d), written, d = (l_max + 1)²
//
// Computed in float64 and rounded once: relative error 6e-8.
// Definition: src/model/spherical_harmonics.ts. Host: src/cpu/describe_frame.ts.

const S3: f64 = 1.7320508075688772;
const S5: f64 = 2.23606797749979;
const S15: f64 = 3.872983346207417;
const K0: f64 = 2.091650066335189; // √(35/8)
const K1: f64 = 10.246950765959598; // √105
const K2: f64 = 1.6201851746019651; // √(21/8)
const K3: f64 = 1.3228756555322954; // √7 / 2
const K5: f64 = 5.123475382979799; // √105 / 2

export function spherical_harmonics(
  vectors: usize,
  lengths: usize,
  harmonics: usize,
  n_edges: i32,
  d: i32,
): void {
  for (let e = 0; e < n_edges; e++) {
    const v = vectors + 24 * e;
    let x = load<f64>(v);
    let y = load<f64>(v, 8);
    let z = load<f64>(v, 16);
    const r = Math.sqrt(x * x + y * y + z * z);
    store<f64>(lengths + 8 * e, r);
    x /= r;
    y /= r;
    z /= r;
    const out = harmonics + 4 * d * e;
    store<f32>(out, 1);
    if (d < 4) continue;
    store<f32>(out, <f32> (S3 * x), 4);
    store<f32>(out, <f32> (S3 * y), 8);
    store<f32>(out, <f32> (S3 * z), 12);
    if (d < 9) continue;
    const xx = x * x;
    const yy = y * y;
    const zz = z * z;
    store<f32>(out, <f32> (S15 * x * z), 16);
    store<f32>(out, <f32> (S15 * x * y), 20);
    store<f32>(out, <f32> (S5 * (yy - 0.5 * (xx + zz))), 24);
    store<f32>(out, <f32> (S15 * y * z), 28);
    store<f32>(out, <f32> (0.5 * S15 * (zz - xx)), 32);
    if (d < 16) continue;
    store<f32>(out, <f32> (K0 * x * (3 * zz - xx)), 36);
    store<f32>(out, <f32> (K1 * x * y * z), 40);
    store<f32>(out, <f32> (K2 * x * (4 * yy - xx - zz)), 44);
    store<f32>(out, <f32> (K3 * y * (2 * yy - 3 * xx - 3 * zz)), 48);
    store<f32>(out, <f32> (K2 * z * (4 * yy - xx - zz)), 52);
    store<f32>(out, <f32> (K5 * y * (zz - xx)), 56);
    store<f32>(out, <f32> (K0 * z * (zz - 3 * xx)), 60);
  }
}
