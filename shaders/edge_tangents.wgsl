// How harmonics and places in the radial tables change where the atoms move
// and the cell is strained: v̇ = v ε + m_receiver - m_sender of every edge,
// ṫ = dt/dr u · v̇ and Ẏ_b = ∂Y_b/∂u · u̇ of the polynomials Y_b(x, y, z), with
// u = v / r and u̇ = (v̇ - u (u · v̇)) / r.
//
// atoms   u32 (n_atoms, 4): first edge, last edge
// edges   u32 (n_edges, 4): sender
// vectors f32 (n_edges, 4): x, y, z, length, Å
// motion  f32 (n_atoms, 4): m, and the frame of the atom
// strains f32 (n_frames, 3, 4): columns of ε
// dots    f32 (n_edges, 36), written: tangents of what geometry holds
//
// One workgroup per receiver, lanes over its edges. Relative error 1e-6.
// Dispatch: n_atoms, folded into x and y.
// Definition: sphericalHarmonicsTangent in src/model/spherical_harmonics.ts,
// radialBasisTangent in src/model/radial_basis.ts.
// Host: src/gpu/train.ts.

struct Params {
  n_atoms: u32,
  l_max: u32,
  n_intervals: u32,
  r_max: f32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(4) var<storage, read> motion: array<vec4f>;
@group(0) @binding(5) var<storage, read> strains: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dots: array<vec4f>;

const WG_SIZE = 64u;
const S3 = 1.7320508075688772;
const S5 = 2.23606797749979;
const S15 = 3.872983346207417;
const K0 = 2.091650066335189;
const K1 = 10.246950765959598;
const K2 = 1.6201851746019651;
const K3 = 1.3228756555322954;
const K5 = 5.123475382979799;

@compute @workgroup_size(WG_SIZE)
fn edge_tangents(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  let own = motion[n];
  let frame = 3u * u32(own.w);
  for (var e = atoms[n].x + lane; e < atoms[n].y; e += WG_SIZE) {
    let v = vectors[e];
    let strained = vec3f(dot(v.xyz, strains[frame].xyz),
      dot(v.xyz, strains[frame + 1u].xyz), dot(v.xyz, strains[frame + 2u].xyz));
    let change = strained + own.xyz - motion[edges[e].x].xyz;
    let u = v.xyz / v.w;
    let along = dot(u, change);
    let d = (change - along * u) / v.w;
    let x = u.x;
    let y = u.y;
    let z = u.z;
    let at = 9u * e;
    dots[at] = vec4f();
    let rate = f32(params.n_intervals) / (2.0 * sqrt(v.w * params.r_max));
    dots[at + 8u] = vec4f(along * rate, 0.0, 0.0, 0.0);
    if (params.l_max >= 1u) {
      dots[at + 2u] = vec4f(S3 * d, 0.0);
    }
    if (params.l_max >= 2u) {
      dots[at + 4u] = vec4f(
        S15 * (d.x * z + x * d.z),
        S15 * (d.x * y + x * d.y),
        S5 * (2.0 * y * d.y - x * d.x - z * d.z),
        S15 * (d.y * z + y * d.z),
      );
      dots[at + 5u] = vec4f(S15 * (z * d.z - x * d.x), 0.0, 0.0, 0.0);
    }
    if (params.l_max >= 3u) {
      let xx = x * x;
      let yy = y * y;
      let zz = z * z;
      dots[at + 6u] = vec4f(
        K0 * (3.0 * (zz - xx) * d.x + 6.0 * x * z * d.z),
        K1 * (y * z * d.x + x * z * d.y + x * y * d.z),
        K2 * ((4.0 * yy - 3.0 * xx - zz) * d.x + 8.0 * x * y * d.y -
          2.0 * x * z * d.z),
        K3 * (3.0 * (2.0 * yy - xx - zz) * d.y - 6.0 * x * y * d.x -
          6.0 * y * z * d.z),
      );
      dots[at + 7u] = vec4f(
        K2 * ((4.0 * yy - xx - 3.0 * zz) * d.z + 8.0 * y * z * d.y -
          2.0 * x * z * d.x),
        K5 * ((zz - xx) * d.y + 2.0 * y * z * d.z - 2.0 * x * y * d.x),
        K0 * (3.0 * (zz - xx) * d.z - 6.0 * x * z * d.x),
        0.0,
      );
    }
  }
}
