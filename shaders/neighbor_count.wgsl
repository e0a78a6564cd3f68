// Sorts all pairs of points into radii: for every row i the number of j ≠ i in
// each interval of squared distance. Pairs that float32 cannot decide are
// listed instead.
//
// points    f32 (n, n_vectors, 4), centred, padded with zeros
// windows   f32 (n_radii, 2): low and high of the d² around each r² that
//           float32 cannot decide
// start     u32 (16384): first radius whose window may hold a d² with these
//           upper 16 bits, a byte each
// histogram u32 (n_rows, n_radii), added to
// undecided u32 (1 + 2 capacity): number of pairs, then i, j of each
//
// One invocation per row, its histogram in workgroup memory; columns j come in
// tiles, one dispatch each, which keeps dispatches short and their loops below
// the 65535 iterations at which software drivers stop. The undecided list is
// appended in any order; only sums are made of it.
// Dispatch: ceil(n_rows / 32).
// Definition: src/select/neighbor_count.ts. Host: src/gpu/neighbor_count.ts.

struct Params {
  column0: u32,
  column1: u32,
  n_vectors: u32,
  row0: u32,
  n_rows: u32,
  n_radii: u32,
  capacity: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read> windows: array<vec2f>;
@group(0) @binding(3) var<storage, read> start: array<u32>;
@group(0) @binding(4) var<storage, read_write> histogram: array<u32>;
@group(0) @binding(5) var<storage, read_write> undecided: array<atomic<u32>>;

const WG_SIZE = 32u;
const MOST_RADII = 120u;
var<workgroup> sh_counts: array<u32, 3840>;

@compute @workgroup_size(WG_SIZE)
fn neighbor_count(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (id.x >= params.n_rows) {
    return;
  }
  let i = params.row0 + id.x;
  let own = lane * MOST_RADII;
  for (var b = 0u; b < params.n_radii; b++) {
    sh_counts[own + b] = 0u;
  }
  let largest = windows[params.n_radii - 1u].y;
  let k = params.n_vectors;
  for (var j = params.column0; j < params.column1; j++) {
    var d2 = 0.0;
    for (var x = 0u; x < k; x++) {
      let difference = points[j * k + x] - points[i * k + x];
      d2 += dot(difference, difference);
    }
    if (j == i || d2 > largest) {
      continue;
    }
    let upper = bitcast<u32>(d2) >> 16u;
    var b = (start[upper / 4u] >> (8u * (upper % 4u))) & 255u;
    while (d2 > windows[b].y) {
      b++;
    }
    if (d2 >= windows[b].x) {
      let listed = atomicAdd(&undecided[0], 1u);
      if (listed < params.capacity) {
        atomicStore(&undecided[1u + 2u * listed], i);
        atomicStore(&undecided[2u + 2u * listed], j);
      }
    } else {
      sh_counts[own + b]++;
    }
  }
  for (var b = 0u; b < params.n_radii; b++) {
    histogram[id.x * params.n_radii + b] += sh_counts[own + b];
  }
}
