// Adjoint of channel_mix for its weights:
// W̄[z, u, :] += Σ x[n, first + i, u] ō[n, target + i, :] over the components i
// of the atoms n of element z, or of all atoms where they share their weights.
//
// x       f32 (n_atoms, d_in, n_in)
// out_bar f32 (n_atoms, d_out, n_out)
// atoms   u32 (n_atoms, 4): element at z, bits of norm at w
// weight_bar f32 (…, n_in, n_out), added to; the matrix of element z starts at
//         weight_start + z · element_stride, in numbers
//
// Where unnormalised is not 0 every x is divided by its atom's normaliser.
// One invocation per matrix, row and four columns. Relative error 1e-6.
// Dispatch: ceil(n_matrices · n_in · n_out / 4 / 64), folded into x and y.
// Definition: channelMixWeights in src/model/channel_mix.ts.
// Host: src/gpu/batch.ts.

struct Params {
  n_atoms: u32,
  n_in: u32,
  n_out: u32,
  d_in: u32,
  first: u32,
  d_out: u32,
  target_first: u32,
  count: u32,
  weight_start: u32,
  element_stride: u32,
  n_matrices: u32,
  unnormalised: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> out_bar: array<vec4f>;
@group(0) @binding(3) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> weight_bar: array<vec4f>;

@compute @workgroup_size(64)
fn channel_mix_weights(@builtin(global_invocation_id) id: vec3u) {
  let blocks = params.n_out / 4u;
  let index = id.y * params.row + id.x;
  let c = index % blocks;
  let u = index / blocks % params.n_in;
  let z = index / (blocks * params.n_in);
  if (z >= params.n_matrices) {
    return;
  }
  var sum = vec4f();
  for (var n = 0u; n < params.n_atoms; n++) {
    let atom = atoms[n];
    if (params.n_matrices > 1u && atom.z != z) {
      continue;
    }
    var own = vec4f();
    for (var i = 0u; i < params.count; i++) {
      let source = (n * params.d_in + params.first + i) * params.n_in + u;
      let bar = (n * params.d_out + params.target_first + i) * blocks + c;
      own += x[source] * out_bar[bar];
    }
    if (params.unnormalised != 0u) {
      own /= bitcast<f32>(atom.w);
    }
    sum += own;
  }
  let start = (params.weight_start + z * params.element_stride) / 4u;
  weight_bar[start + u * blocks + c] += sum;
}
