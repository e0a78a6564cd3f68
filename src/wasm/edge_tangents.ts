// How the records of edges change with their vectors: tangents of the places t in the radial tables,
// t + i = n_intervals √(r / r_max), and of the harmonics, Ẏ_b = ∂Y_b/∂u · u̇ of the polynomials Y_b(x, y, z), with
// u = v / r and u̇ = (v̇ - u (u · v̇)) / r. In float64.
//
// vectors, dots f64 (n, 3), Å: the vectors and their tangents
// out_1, out_2, out_3  f32 (n, 4), (n, 8), (n, 8), written: ṫ, then Ẏ_b of degree 1, 2, 3
//
// Definition: sphericalHarmonicsTangent in src/model/spherical_harmonics.ts, radialBasisTangent in
// src/model/radial_basis.ts. Host: src/cpu/edge_tangents.ts.

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
function put(at: usize, b: usize, value: f64): void {
  store<f32>(at + 4 * b, <f32> value);
}

export function edge_tangents(
  vectors: usize,
  dots: usize,
  out_1: usize,
  out_2: usize,
  out_3: usize,
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
    const vx = load<f64>(dots + 24 * e);
    const vy = load<f64>(dots + 24 * e, 8);
    const vz = load<f64>(dots + 24 * e, 16);
    const along = x * vx + y * vy + z * vz;
    const t = along * <f64> n_intervals / (2 * Math.sqrt(r * r_max));
    const dx = (vx - x * along) / r;
    const dy = (vy - y * along) / r;
    const dz = (vz - z * along) / r;
    const p = out_1 + 16 * e;
    put(p, 0, t);
    if (l_max < 1) continue;
    put(p, 1, S3 * dx);
    put(p, 2, S3 * dy);
    put(p, 3, S3 * dz);
    if (l_max < 2) continue;
    const d = out_2 + 32 * e;
    put(d, 0, t);
    put(d, 1, S15 * (dx * z + x * dz));
    put(d, 2, S15 * (dx * y + x * dy));
    put(d, 3, S5 * (2 * y * dy - x * dx - z * dz));
    put(d, 4, S15 * (dy * z + y * dz));
    put(d, 5, S15 * (z * dz - x * dx));
    if (l_max < 3) continue;
    const f = out_3 + 32 * e;
    const xx = x * x;
    const yy = y * y;
    const zz = z * z;
    put(f, 0, t);
    put(f, 1, K0 * (3 * (zz - xx) * dx + 6 * x * z * dz));
    put(f, 2, K1 * (y * z * dx + x * z * dy + x * y * dz));
    put(f, 3, K2 * ((4 * yy - 3 * xx - zz) * dx + 8 * x * y * dy - 2 * x * z * dz));
    put(f, 4, K3 * (3 * (2 * yy - xx - zz) * dy - 6 * x * y * dx - 6 * y * z * dz));
    put(f, 5, K2 * ((4 * yy - xx - 3 * zz) * dz + 8 * y * z * dy - 2 * x * z * dx));
    put(f, 6, K5 * ((zz - xx) * dy + 2 * y * z * dz - 2 * x * y * dx));
    put(f, 7, K0 * (3 * (zz - xx) * dz - 6 * x * z * dx));
  }
}
