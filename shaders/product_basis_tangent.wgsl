// Tangent of product_basis for one degree l: every term's factors change in
// turn, out[n, M, c] = Σ_t coefficient[z_n, t, c] d(x_i x_j x_k).
//
// x, coefficients, terms, atoms as in product_basis
// x_dot f32 (n_atoms, d, channels)
// out   f32 (n_atoms, d_out, channels), components l² … written
//
// One invocation per atom and channel. Relative error 2e-6.
// Dispatch: ceil(n_atoms · channels / 64), folded into x and y.
// Definition: productBasisTangent in src/model/product_basis.ts.
// Host: src/gpu/layer_tangent.ts.

struct Params {
  n_atoms: u32,
  channels: u32,
  d: u32,
  d_out: u32,
  first: u32,
  n_terms: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> coefficients: array<f32>;
@group(0) @binding(3) var<storage, read> terms: array<u32>;
@group(0) @binding(4) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(5) var<storage, read> x_dot: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

const NONE = 255u;

@compute @workgroup_size(64)
fn product_basis_tangent(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * params.row + id.x;
  let n = index / params.channels;
  let c = index % params.channels;
  if (n >= params.n_atoms) {
    return;
  }
  let source = n * params.d * params.channels + c;
  let to = (n * params.d_out + params.first) * params.channels + c;
  var w = atoms[n].z * params.n_terms * params.channels + c;
  var component = 0u;
  var sum = 0.0;
  for (var t = 0u; t < params.n_terms; t++) {
    let term = terms[t];
    let next = term & 255u;
    if (next != component) {
      out[to + component * params.channels] = sum;
      sum = 0.0;
      component = next;
    }
    let i = source + ((term >> 8u) & 255u) * params.channels;
    var value = x[i];
    var slope = x_dot[i];
    if (((term >> 16u) & 255u) != NONE) {
      let j = source + ((term >> 16u) & 255u) * params.channels;
      slope = slope * x[j] + value * x_dot[j];
      value *= x[j];
    }
    if ((term >> 24u) != NONE) {
      let k = source + (term >> 24u) * params.channels;
      slope = slope * x[k] + value * x_dot[k];
    }
    sum += coefficients[w] * slope;
    w += params.channels;
  }
  out[to + component * params.channels] = sum;
}
