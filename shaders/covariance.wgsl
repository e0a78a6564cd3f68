// Covariance of centred rows, out[a, b] = Σ_i y[i, a] y[i, b] · scale.
//
// y   f32 (n_rows, n_cols)
// out f32 (n_cols, n_cols)
//
// One invocation per element; rows are summed in blocks of 64, so that the
// relative error grows with n_rows / 64 · 6e-8.
// Dispatch: ceil(n_cols / 8) by ceil(n_cols / 8).
// Definition: src/linalg/covariance.ts. Host: src/gpu/leading_subspace.ts.

struct Params {
  n_rows: u32,
  n_cols: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

const BLOCK = 64u;

@compute @workgroup_size(8, 8)
fn covariance(@builtin(global_invocation_id) id: vec3u) {
  let a = id.x;
  let b = id.y;
  if (a >= params.n_cols || b >= params.n_cols) {
    return;
  }
  var total = 0.0;
  for (var start = 0u; start < params.n_rows; start += BLOCK) {
    let end = min(start + BLOCK, params.n_rows);
    var sum = 0.0;
    for (var i = start; i < end; i++) {
      sum += y[i * params.n_cols + a] * y[i * params.n_cols + b];
    }
    total += sum;
  }
  out[a * params.n_cols + b] = total * params.scale;
}
