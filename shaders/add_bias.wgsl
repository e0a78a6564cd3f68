// Adds a bias to every row, and takes the shifted softplus where asked:
// x = ln(1 + e^(x + b)) - ln 2.
//
// bias f32 (n)
// x    f32 (n_rows, n), read and written
//
// One invocation per four numbers. Relative error 1e-6 of the largest number.
// Dispatch: ceil(n_rows · n / 4 / 64), folded into x and y.
// Definition: src/model/schnet.ts. Host: src/gpu/describe_schnet.ts.

struct Params {
  n_rows: u32,
  n: u32,
  activate: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;

@compute @workgroup_size(64)
fn add_bias(@builtin(global_invocation_id) id: vec3u) {
  let blocks = params.n / 4u;
  let index = id.y * params.row + id.x;
  if (index >= params.n_rows * blocks) {
    return;
  }
  let sum = x[index] + bias[index % blocks];
  // ln(1 + e^s) = max(s, 0) + ln(1 + e^-|s|), which cannot overflow.
  let softplus = max(sum, vec4f()) + log(1.0 + exp(-abs(sum)));
  x[index] = select(sum, softplus - log(2.0), params.activate != 0u);
}
