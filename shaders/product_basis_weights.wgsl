// What changes of product_basis and of its tangent mean for the coefficients
// of one degree l:
// c̄[z, t, c] = Σ B̄̇[M] x_i x_j x_k + B̄[M] d(x_i x_j x_k) over the atoms of
// element z.
//
// x, terms, atoms as in product_basis
// x_dot f32 (n_atoms, d, channels)
// out_bar, out_bar_dot f32 (n_atoms, d_out, channels), components l² … read
// out   f32 (n_elements, n_terms, channels), written
//
// One invocation per element, term and channel. Relative error 2e-6.
// Dispatch: ceil(n_elements · n_terms · channels / 64), folded into x and y.
// Definition: productBasisWeightsTangent in src/model/product_basis.ts.
// Host: src/gpu/layer_weights.ts.

struct Params {
  n_atoms: u32,
  channels: u32,
  d: u32,
  d_out: u32,
  first: u32,
  n_terms: u32,
  n_elements: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x_dot: array<f32>;
@group(0) @binding(3) var<storage, read> terms: array<u32>;
@group(0) @binding(4) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(5) var<storage, read> out_bar: array<f32>;
@group(0) @binding(6) var<storage, read> out_bar_dot: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;

const NONE = 255u;

@compute @workgroup_size(64)
fn product_basis_weights(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * params.row + id.x;
  let c = index % params.channels;
  let t = index / params.channels % params.n_terms;
  let z = index / (params.channels * params.n_terms);
  if (z >= params.n_elements) {
    return;
  }
  let term = terms[t];
  let i = ((term >> 8u) & 255u) * params.channels + c;
  let j = (term >> 16u) & 255u;
  let k = term >> 24u;
  var sum = 0.0;
  for (var n = 0u; n < params.n_atoms; n++) {
    if (atoms[n].z != z) {
      continue;
    }
    let source = n * params.d * params.channels;
    var value = x[source + i];
    var slope = x_dot[source + i];
    if (j != NONE) {
      let at = source + j * params.channels + c;
      slope = slope * x[at] + value * x_dot[at];
      value *= x[at];
    }
    if (k != NONE) {
      let at = source + k * params.channels + c;
      slope = slope * x[at] + value * x_dot[at];
      value *= x[at];
    }
    let origin = (n * params.d_out + params.first + (term & 255u)) *
      params.channels + c;
    sum += out_bar_dot[origin] * value + out_bar[origin] * slope;
  }
  out[index] = sum;
}
