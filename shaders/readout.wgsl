// Readout of one layer and head: e_n = Σ_c h_c w_c, or with a hidden layer
// e_n = Σ_w v_w silu(Σ_c h_c W[c, w]); and its adjoint for an adjoint g of
// every e_n, added to that of the features.
//
// h       f32 (n_atoms, stride): the first `channels` numbers are read
// weights f32: w (channels) where width is 0, else W (channels, width), v;
//         all normalisations included
// energy  f32 (n_atoms), written, eV before scaling
// h_bar   f32 (n_atoms, stride), the first `channels` numbers are added to
//
// One invocation per atom. Relative error 1e-6.
// Dispatch: ceil(n_atoms / 64), folded into x and y.
// Definition: src/model/readout.ts. Host: src/gpu/predict.ts.

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
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> energy: array<f32>;
@group(0) @binding(4) var<storage, read_write> h_bar: array<f32>;

@compute @workgroup_size(64)
fn readout(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y * params.row + id.x;
  if (n >= params.n_atoms) {
    return;
  }
  let at = n * params.stride;
  let columns = max(params.width, 1u);
  var sum = 0.0;
  for (var w = 0u; w < columns; w++) {
    var a = 0.0;
    for (var c = 0u; c < params.channels; c++) {
      a += h[at + c] * weights[c * columns + w];
    }
    var slope = params.g;
    if (params.width > 0u) {
      let v = weights[params.channels * columns + w];
      let s = 1.0 / (1.0 + exp(-a));
      slope *= v * s * (1.0 + a * (1.0 - s));
      a *= v * s;
    }
    sum += a;
    for (var c = 0u; c < params.channels; c++) {
      h_bar[at + c] += slope * weights[c * columns + w];
    }
  }
  energy[n] = sum;
}
