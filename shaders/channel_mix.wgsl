// Mixes channels, component by component:
// out[n, target + i, :] (+)= x[n, first + i, :] W[z_n], i = 0 … count - 1.
//
// x      f32 (n_atoms, d_in, n_in)
// weight f32 (…, n_in, n_out), row-major (in, out), normalisation
//        included; the matrix of element z starts at
//        weight_start + z · element_stride, in numbers
// atoms  u32 (n_atoms, 4): element at z
// out    f32 (n_atoms, d_out, n_out)
//
// One invocation per row and four channels. Relative error 1e-6.
// Dispatch: ceil(n_atoms · count · n_out / 4 / 64), folded into x and y.
// Definition: src/model/channel_mix.ts. Host: src/gpu/batch.ts.

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
  accumulate: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn channel_mix(@builtin(global_invocation_id) id: vec3u) {
  let in_blocks = params.n_in / 4u;
  let blocks = params.n_out / 4u;
  let index = id.y * params.row + id.x;
  let c = index % blocks;
  let i = (index / blocks) % params.count;
  let n = index / (blocks * params.count);
  if (n >= params.n_atoms) {
    return;
  }
  let source = (n * params.d_in + params.first + i) * in_blocks;
  let to = (n * params.d_out + params.target_first + i) * blocks + c;
  var w = (params.weight_start + atoms[n].z * params.element_stride) / 4u + c;
  var sum = vec4f();
  if (params.accumulate != 0u) {
    sum = out[to];
  }
  for (var u = 0u; u < in_blocks; u++) {
    let v = x[source + u];
    sum += v.x * weight[w] + v.y * weight[w + blocks] +
      v.z * weight[w + 2u * blocks] + v.w * weight[w + 3u * blocks];
    w += 4u * blocks;
  }
  out[to] = sum;
}
