// Tangent of edge_density_adjoint. With the density's adjoint
// ρ̄_n = -Σ x̄ x of a normalised x̄, its tangent is
// ρ̄̇_n = ν_n ρ̄_n - norm_n Σ x̄̇ x - Σ x̄ ẋ; x̄̇ becomes that of a fixed
// normaliser, norm x̄̇ + ν x̄.
//
// atoms           u32 (n_atoms, 4): bits of norm at w
// message, message_dot f32 (n_atoms, size)
// message_bar     f32 (n_atoms, size), normalised
// message_bar_dot f32 (n_atoms, size), read and written
// nu              f32 (n_atoms)
// rho             f32 (n_atoms, 2), written: ρ̄ and its tangent
//
// One workgroup per atom. Relative error 1e-6.
// Dispatch: n_atoms, folded into x and y.
// Definition: maceLayerAdjointTangent in src/model/mace_layer_tangent.ts.
// Host: src/gpu/layer_weights.ts.

struct Params {
  n_atoms: u32,
  size: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> message: array<f32>;
@group(0) @binding(3) var<storage, read> message_dot: array<f32>;
@group(0) @binding(4) var<storage, read> message_bar: array<f32>;
@group(0) @binding(5) var<storage, read_write> message_bar_dot: array<f32>;
@group(0) @binding(6) var<storage, read> nu: array<f32>;
@group(0) @binding(7) var<storage, read_write> rho: array<vec2f>;

const WG_SIZE = 64u;
var<workgroup> parts: array<vec2f, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn edge_density_weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  let norm = bitcast<f32>(atoms[n].w);
  let change = nu[n];
  var sum = vec2f();
  for (var i = lane; i < params.size; i += WG_SIZE) {
    let at = n * params.size + i;
    let bar = message_bar[at];
    let bar_dot = norm * message_bar_dot[at];
    sum += vec2f(bar * message[at],
      bar_dot * message[at] + bar * message_dot[at]);
    message_bar_dot[at] = bar_dot + change * bar;
  }
  parts[lane] = sum;
  workgroupBarrier();
  for (var apart = WG_SIZE / 2u; apart > 0u; apart /= 2u) {
    if (lane < apart) {
      parts[lane] += parts[lane + apart];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let bar = -parts[0].x;
    rho[n] = vec2f(bar, change * bar - parts[0].y);
  }
}
