// Tangent of the readout's adjoint for one layer and head, and that adjoint
// times the atom's share s of the loss: with e = Σ v silu(a), a = h W, every
// feature gets g Σ_w v_w (silu'' ȧ + s silu') W[c, w]; g s w[c] without a
// hidden layer.
//
// h, h_dot  f32 (n_atoms, stride): the first `channels` numbers are read
// weights   f32, as in readout
// shares    f32 (n_atoms)
// h_bar_dot f32 (n_atoms, stride), the first `channels` numbers are added to
//
// One invocation per atom. Relative error 1e-6.
// Dispatch: ceil(n_atoms / 64), folded into x and y.
// Definition: addReadoutTangents in src/model/readout.ts.
// Host: src/gpu/train.ts.

struct Params {
  n_atoms: u32,
  channels: u32,
  stride: u32,
  width: u32,
  g: f32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> h: array<f32>;
@group(0) @binding(2) var<storage, read> h_dot: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> shares: array<f32>;
@group(0) @binding(5) var<storage, read_write> h_bar_dot: array<f32>;

@compute @workgroup_size(64)
fn readout_tangent(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y * params.row + id.x;
  if (n >= params.n_atoms) {
    return;
  }
  let at = n * params.stride;
  let columns = max(params.width, 1u);
  for (var w = 0u; w < columns; w++) {
    var factor = params.g * shares[n];
    if (params.width > 0u) {
      var a = 0.0;
      var a_dot = 0.0;
      for (var c = 0u; c < params.channels; c++) {
        a += h[at + c] * weights[c * columns + w];
        a_dot += h_dot[at + c] * weights[c * columns + w];
      }
      let v = weights[params.channels * columns + w];
      let s = 1.0 / (1.0 + exp(-a));
      let slope = s * (1.0 + a * (1.0 - s));
      let curvature = s * (1.0 - s) * (2.0 + a * (1.0 - 2.0 * s));
      factor = params.g * v * (curvature * a_dot + shares[n] * slope);
    }
    for (var c = 0u; c < params.channels; c++) {
      h_bar_dot[at + c] += factor * weights[c * columns + w];
    }
  }
}
