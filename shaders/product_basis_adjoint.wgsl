// Adjoint of product_basis for one degree l: every term of component M adds
// coefficient · B̄[M] · (product of its other factors) to x̄ of each of its
// factors.
//
// x, coefficients, terms, atoms as in product_basis
// out_bar f32 (n_atoms, d_out, channels), components l² … read
// x_bar   f32 (n_atoms, d, channels), d at most 16; added to
//
// One invocation per atom and channel. Relative error 2e-6.
// Dispatch: ceil(n_atoms · channels / 64), folded into x and y.
// Definition: productBasisAdjoint in src/model/product_basis.ts.
// Host: src/gpu/layer_adjoint.ts.

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
@group(0) @binding(5) var<storage, read> out_bar: array<f32>;
@group(0) @binding(6) var<storage, read_write> x_bar: array<f32>;

const NONE = 255u;

@compute @workgroup_size(64)
fn product_basis_adjoint(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * params.row + id.x;
  let n = index / params.channels;
  let c = index % params.channels;
  if (n >= params.n_atoms) {
    return;
  }
  let source = n * params.d * params.channels + c;
  let origin = (n * params.d_out + params.first) * params.channels + c;
  var factors: array<f32, 16>;
  var bars: array<f32, 16>;
  for (var i = 0u; i < params.d; i++) {
    factors[i] = x[source + i * params.channels];
    bars[i] = x_bar[source + i * params.channels];
  }
  var w = atoms[n].z * params.n_terms * params.channels + c;
  for (var t = 0u; t < params.n_terms; t++) {
    let term = terms[t];
    let at = origin + (term & 255u) * params.channels;
    let p = coefficients[w] * out_bar[at];
    w += params.channels;
    let i = (term >> 8u) & 255u;
    let j = (term >> 16u) & 255u;
    let k = term >> 24u;
    if (j == NONE) {
      bars[i] += p;
      continue;
    }
    let x_i = p * factors[i];
    let x_j = p * factors[j];
    if (k == NONE) {
      bars[j] += x_i;
      bars[i] += x_j;
      continue;
    }
    bars[k] += x_i * factors[j];
    bars[j] += x_i * factors[k];
    bars[i] += x_j * factors[k];
  }
  for (var i = 0u; i < params.d; i++) {
    x_bar[source + i * params.channels] = bars[i];
  }
}
