// Symmetric contraction of one degree l: sparse polynomials of degree at most
// 3, out[n, M, c] = Σ_t coefficient[z_n, t, c] x_i x_j x_k over the terms t of
// component M.
//
// x            f32 (n_atoms, d, channels)
// coefficients f32 (n_elements, n_terms, channels)
// terms        u32 (n_terms): component and three factors, a byte each, 255
//              for none; sorted by component
// atoms        u32 (n_atoms, 4): element at z
// out          f32 (n_atoms, d_out, channels), components l² … written
//
// One invocation per atom and channel. Relative error 2e-6.
// Dispatch: ceil(n_atoms · channels / 64), folded into x and y.
// Definition: src/model/product_basis.ts. Host: src/gpu/layer.ts.

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
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const NONE = 255u;

@compute @workgroup_size(64)
fn product_basis(@builtin(global_invocation_id) id: vec3u) {
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
    let j = (term >> 16u) & 255u;
    let k = term >> 24u;
    var value = coefficients[w] *
      x[source + ((term >> 8u) & 255u) * params.channels];
    if (j != NONE) {
      value *= x[source + j * params.channels];
    }
    if (k != NONE) {
      value *= x[source + k * params.channels];
    }
    sum += value;
    w += params.channels;
  }
  out[to + component * params.channels] = sum;
}
