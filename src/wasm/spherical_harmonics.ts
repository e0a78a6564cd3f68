// Real spherical harmonics of edge directions, 'component' normalisation, e3nn order.
//
// vectors   f64 (n_edges, 3), Å
// lengths   f64 (n_edges), Å, written
// harmonics f32, written: degree by degree, (n_edges, 4, 8, 8) for l = 1 … l_max; number 0 of each
//           record is left for the place in the radial tables, the 2 l + 1 components follow; that of
//           degree 0 is a constant
//
// Computed in float64 and rounded once: relative error 6e-8.
// Definition: src/model/spherical_harmonics.ts. Host: src/cpu/edges.ts.

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
  l_max: i32,
): void {
  const degree2 = harmonics + 16 * n_edges;
  const degree3 = harmonics + 48 * n_edges;
  for (let e = 0; e < n_edges; e++) {
    const v = vectors + 24 * e;
    let x = load<f64>(v);
    let y = load<f64>(v, 8);
    let z = load<f64>(v, 16);
    const r = Math.sqrt(x * x + y * y + z * z);
    store<f64>(lengths + 8 * e, r);
    if (l_max < 1) continue;
    x /= r;
    y /= r;
    z /= r;
    const p = harmonics + 16 * e;
    store<f32>(p, <f32> (S3 * x), 4);
    store<f32>(p, <f32> (S3 * y), 8);
    store<f32>(p, <f32> (S3 * z), 12);
    if (l_max < 2) continue;
    const xx = x * x;
    const yy = y * y;
    const zz = z * z;
    const d = degree2 + 32 * e;
    store<f32>(d, <f32> (S15 * x * z), 4);
    store<f32>(d, <f32> (S15 * x * y), 8);
    store<f32>(d, <f32> (S5 * (yy - 0.5 * (xx + zz))), 12);
    store<f32>(d, <f32> (S15 * y * z), 16);
    store<f32>(d, <f32> (0.5 * S15 * (zz - xx)), 20);
    if (l_max < 3) continue;
    const f = degree3 + 32 * e;
    store<f32>(f, <f32> (K0 * x * (3 * zz - xx)), 4);
    store<f32>(f, <f32> (K1 * x * y * z), 8);
    store<f32>(f, <f32> (K2 * x * (4 * yy - xx - zz)), 12);
    store<f32>(f, <f32> (K3 * y * (2 * yy - 3 * xx - 3 * zz)), 16);
    store<f32>(f, <f32> (K2 * z * (4 * yy - xx - zz)), 20);
    store<f32>(f, <f32> (K5 * y * (zz - xx)), 24);
    store<f32>(f, <f32> (K0 * z * (zz - 3 * xx)), 28);
  }
}
