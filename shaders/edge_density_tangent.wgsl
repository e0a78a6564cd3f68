// Relative tangent of the normaliser of every atom's message,
// ν = -norm Σ_e ρ' ṫ, and what it adds to that of the message.
//
// atoms       u32 (n_atoms, 4): first edge, last edge, element, bits of norm
// edges       u32 (n_edges, 4): table row at z
// geometry, dots f32 (n_edges, 36): number 32 is t and ṫ
// table       f32 (n_pairs, n_intervals, 4): cubics of the densities
// message     f32 (n_atoms, size)
// message_dot f32 (n_atoms, size), added to: ν message
// nu          f32 (n_atoms), written
//
// One workgroup per receiver. Relative error 1e-6.
// Dispatch: n_atoms, folded into x and y.
// Definition: edgeDensityTangent in src/model/edge_density.ts.
// Host: src/gpu/layer_tangent.ts.

struct Params {
  n_atoms: u32,
  size: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> geometry: array<vec4f>;
@group(0) @binding(4) var<storage, read> dots: array<vec4f>;
@group(0) @binding(5) var<storage, read> table: array<vec4f>;
@group(0) @binding(6) var<storage, read> message: array<f32>;
@group(0) @binding(7) var<storage, read_write> message_dot: array<f32>;
@group(0) @binding(8) var<storage, read_write> nu: array<f32>;

const WG_SIZE = 64u;
var<workgroup> parts: array<f32, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn edge_density_tangent(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  let atom = atoms[n];
  var sum = 0.0;
  for (var e = atom.x + lane; e < atom.y; e += WG_SIZE) {
    let t = geometry[9u * e + 8u].x;
    let c = table[edges[e].z];
    sum += (c.y + t * (2.0 * c.z + t * (3.0 * c.w))) * dots[9u * e + 8u].x;
  }
  parts[lane] = sum;
  workgroupBarrier();
  for (var apart = WG_SIZE / 2u; apart > 0u; apart /= 2u) {
    if (lane < apart) {
      parts[lane] += parts[lane + apart];
    }
    workgroupBarrier();
  }
  let change = -bitcast<f32>(atom.w) * parts[0];
  for (var i = lane; i < params.size; i += WG_SIZE) {
    message_dot[n * params.size + i] += change * message[n * params.size + i];
  }
  if (lane == 0u) {
    nu[n] = change;
  }
}
