// One step of block power iteration: V ← orthonormal columns of C V.
//
// c     f32 (d, d), symmetric
// v     f32 (m, d): the columns of V, one after the other; start and result
// image f32 (m, d): scratch
//
// One workgroup; lanes over the d components, columns orthonormalised by
// Gram-Schmidt, twice. The host finishes in float64, so the error here costs
// iterations, not accuracy.
// Dispatch: 1. Definition: src/linalg/subspace.ts.
// Host: src/gpu/leading_subspace.ts.

struct Params {
  d: u32,
  m: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> c: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> image: array<f32>;

const WG_SIZE = 64u;
var<workgroup> sh_sum: array<f32, WG_SIZE>;

// Sum of one number of every lane, the same for all lanes.
fn total(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  sh_sum[lane] = value;
  for (var width = WG_SIZE / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      sh_sum[lane] += sh_sum[lane + width];
    }
  }
  workgroupBarrier();
  return sh_sum[0];
}

// Scalar product of columns q and j of the image.
fn dot_columns(lane: u32, q: u32, j: u32) -> f32 {
  var sum = 0.0;
  for (var i = lane; i < params.d; i += WG_SIZE) {
    sum += image[q * params.d + i] * image[j * params.d + i];
  }
  return total(lane, sum);
}

@compute @workgroup_size(WG_SIZE)
fn power_iteration(@builtin(local_invocation_index) lane: u32) {
  for (var j = 0u; j < params.m; j++) {
    for (var i = lane; i < params.d; i += WG_SIZE) {
      var sum = 0.0;
      for (var k = 0u; k < params.d; k++) {
        sum += c[i * params.d + k] * v[j * params.d + k];
      }
      image[j * params.d + i] = sum;
    }
  }
  for (var j = 0u; j < params.m; j++) {
    for (var q = 0u; q < 2u * j; q++) {
      let column = q % j;
      let overlap = dot_columns(lane, column, j);
      for (var i = lane; i < params.d; i += WG_SIZE) {
        image[j * params.d + i] -= overlap * image[column * params.d + i];
      }
    }
    let norm = sqrt(dot_columns(lane, j, j));
    for (var i = lane; i < params.d; i += WG_SIZE) {
      image[j * params.d + i] /= max(norm, 1e-30);
    }
  }
  for (var j = 0u; j < params.m; j++) {
    for (var i = lane; i < params.d; i += WG_SIZE) {
      v[j * params.d + i] = image[j * params.d + i];
    }
  }
}
