// Tangent of product_basis_adjoint for one degree l: with m the product of a
// term's other factors, ṁ its tangent and b = coefficient · B̄[M], every factor
// gets x̄̇ += ḃ m + b ṁ.
//
// x, coefficients, terms, atoms as in product_basis
// x_dot         f32 (n_atoms, d, channels)
// out_bar, out_bar_dot f32 (n_atoms, d_out, channels), components l² … read
// x_bar_dot     f32 (n_atoms, d, channels), d at most 16; added to
//
// One invocation per atom and channel. Relative error 2e-6.
// Dispatch: ceil(n_atoms · channels / 64), folded into x and y.
// Definition: productBasisAdjointTangent in src/model/product_basis.ts.
// Host: src/gpu/layer_weights.ts.

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
@group(0) @binding(6) var<storage, read> out_bar: array<f32>;
@group(0) @binding(7) var<storage, read> out_bar_dot: array<f32>;
@group(0) @binding(8) var<storage, read_write> x_bar_dot: array<f32>;

const NONE = 255u;

@compute @workgroup_size(64)
fn product_basis_adjoint_tangent(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * params.row + id.x;
  let n = index / params.channels;
  let c = index % params.channels;
  if (n >= params.n_atoms) {
    return;
  }
  let source = n * params.d * params.channels + c;
  let origin = (n * params.d_out + params.first) * params.channels + c;
  var factors: array<vec2f, 16>;
  var bars: array<f32, 16>;
  for (var i = 0u; i < params.d; i++) {
    let at = source + i * params.channels;
    factors[i] = vec2f(x[at], x_dot[at]);
    bars[i] = x_bar_dot[at];
  }
  var w = atoms[n].z * params.n_terms * params.channels + c;
  for (var t = 0u; t < params.n_terms; t++) {
    let term = terms[t];
    let place = origin + (term & 255u) * params.channels;
    let b = coefficients[w] * out_bar[place];
    let b_dot = coefficients[w] * out_bar_dot[place];
    w += params.channels;
    let i = (term >> 8u) & 255u;
    let j = (term >> 16u) & 255u;
    let k = term >> 24u;
    if (j == NONE) {
      bars[i] += b_dot;
      continue;
    }
    let p = factors[i];
    let q = factors[j];
    // Value and tangent of the third factor, or of one.
    var third = vec2f(1.0, 0.0);
    if (k != NONE) {
      third = factors[k];
      bars[k] += b_dot * p.x * q.x + b * (p.y * q.x + p.x * q.y);
    }
    bars[i] += b_dot * q.x * third.x + b * (q.y * third.x + q.x * third.y);
    bars[j] += b_dot * p.x * third.x + b * (p.y * third.x + p.x * third.y);
  }
  for (var i = 0u; i < params.d; i++) {
    x_bar_dot[source + i * params.channels] = bars[i];
  }
}
