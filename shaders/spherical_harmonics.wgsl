// Real spherical harmonics of edge directions, 'component' normalisation,
// e3nn order.
//
// vectors   f32 (n_edges, 4): x, y, z, length, Å
// geometry  f32 (n_edges, 36): degree l of the harmonics at 8 l, padded with
//           zeros; the last four are written by radial_basis
//
// One invocation per edge. Relative error 5e-7.
// Dispatch: ceil(n_edges / 64), folded into x and y.
// Definition: src/model/spherical_harmonics.ts. Host: src/gpu/batch.ts.

struct Params {
  n_edges: u32,
  l_max: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> geometry: array<vec4f>;

const S3 = 1.7320508075688772;
const S5 = 2.23606797749979;
const S15 = 3.872983346207417;
const K0 = 2.091650066335189;
const K1 = 10.246950765959598;
const K2 = 1.6201851746019651;
const K3 = 1.3228756555322954;
const K5 = 5.123475382979799;

@compute @workgroup_size(64)
fn spherical_harmonics(@builtin(global_invocation_id) id: vec3u) {
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
  let at = 9u * e;
  geometry[at] = vec4f(1.0, 0.0, 0.0, 0.0);
  geometry[at + 1u] = vec4f();
  if (params.l_max >= 1u) {
    geometry[at + 2u] = vec4f(S3 * u, 0.0);
    geometry[at + 3u] = vec4f();
  }
  if (params.l_max >= 2u) {
    geometry[at + 4u] = vec4f(S15 * x * z, S15 * x * y,
      S5 * (yy - 0.5 * (xx + zz)), S15 * y * z);
    geometry[at + 5u] = vec4f(0.5 * S15 * (zz - xx), 0.0, 0.0, 0.0);
  }
  if (params.l_max >= 3u) {
    geometry[at + 6u] = vec4f(K0 * x * (3.0 * zz - xx), K1 * x * y * z,
      K2 * x * (4.0 * yy - xx - zz), K3 * y * (2.0 * yy - 3.0 * xx - 3.0 * zz));
    geometry[at + 7u] = vec4f(K2 * z * (4.0 * yy - xx - zz),
      K5 * y * (zz - xx), K0 * z * (zz - 3.0 * xx), 0.0);
  }
}
