// dE/dv of edges from the adjoints of their harmonics Y(u) and of their places
// t in the radial tables, with u = v / r and
// t + i = n_intervals √(r / r_max):
// dE/dv = (g - u (u · g)) / r + u t̄ dt/dr, where g = Σ_b Ȳ_b ∂Y_b/∂u of the
// polynomials Y_b(x, y, z).
//
// vectors   f32 (n_edges, 4): x, y, z, length, Å
// bar       f32 (n_edges, 16): t̄, then Ȳ_lm at l² + m
// gradients f32 (n_edges, 4), written: x, y, z, 0
//
// One invocation per edge. Relative error 1e-6.
// Dispatch: ceil(n_edges / 64), folded into x and y.
// Definition: sphericalHarmonicsAdjoint in src/model/spherical_harmonics.ts,
// radialBasisAdjoint in src/model/radial_basis.ts. Host: src/gpu/predict.ts.

struct Params {
  n_edges: u32,
  l_max: u32,
  n_intervals: u32,
  r_max: f32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read> bar: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gradients: array<vec4f>;

const S3 = 1.7320508075688772;
const S5 = 2.23606797749979;
const S15 = 3.872983346207417;
const K0 = 2.091650066335189;
const K1 = 10.246950765959598;
const K2 = 1.6201851746019651;
const K3 = 1.3228756555322954;
const K5 = 5.123475382979799;

@compute @workgroup_size(64)
fn edge_gradients(@builtin(global_invocation_id) id: vec3u) {
  let e = id.y * params.row + id.x;
  if (e >= params.n_edges) {
    return;
  }
  let v = vectors[e];
  let u = v.xyz / v.w;
  let x = u.x;
  let y = u.y;
  let z = u.z;
  let xx = x * x;
  let yy = y * y;
  let zz = z * z;
  let p = bar[4u * e];
  var g = vec3f();
  if (params.l_max >= 1u) {
    g = S3 * p.yzw;
  }
  let q = bar[4u * e + 1u];
  let s = bar[4u * e + 2u];
  let d = bar[4u * e + 3u];
  if (params.l_max >= 2u) {
    g += vec3f(
      S15 * (q.x * z + q.y * y - s.x * x) - S5 * q.z * x,
      S15 * (q.y * x + q.w * z) + 2.0 * S5 * q.z * y,
      S15 * (q.x * x + q.w * y + s.x * z) - S5 * q.z * z,
    );
  }
  if (params.l_max >= 3u) {
    let b0 = K0 * s.y;
    let b1 = K1 * s.z;
    let b2 = K2 * s.w;
    let b3 = K3 * d.x;
    let b4 = K2 * d.y;
    let b5 = K5 * d.z;
    let b6 = K0 * d.w;
    g += vec3f(
      3.0 * b0 * (zz - xx) + b1 * y * z + b2 * (4.0 * yy - 3.0 * xx - zz) -
        6.0 * b3 * x * y - 2.0 * b4 * x * z - 2.0 * b5 * x * y -
        6.0 * b6 * x * z,
      b1 * x * z + 8.0 * b2 * x * y + 3.0 * b3 * (2.0 * yy - xx - zz) +
        8.0 * b4 * y * z + b5 * (zz - xx),
      6.0 * b0 * x * z + b1 * x * y - 2.0 * b2 * x * z - 6.0 * b3 * y * z +
        b4 * (4.0 * yy - xx - 3.0 * zz) + 2.0 * b5 * y * z +
        3.0 * b6 * (zz - xx),
    );
  }
  let rate = f32(params.n_intervals) / (2.0 * sqrt(v.w * params.r_max));
  let along = p.x * rate - dot(u, g) / v.w;
  gradients[e] = vec4f(g / v.w + along * u, 0.0);
}
