// Doubles numbers: an adapter that cannot do this computes nothing.
//
// values f32 (n): multiplied by 2 in place
// Dispatch: ceil(n / 64). Host: src/gpu/self_test.ts.

struct Params {
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn self_test(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) {
    values[id.x] = 2.0 * values[id.x];
  }
}
