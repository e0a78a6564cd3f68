// Continuous-filter convolution over the edges of every receiver n:
// sums[n, c] = sum of x[sender_e, c] W_c(r_e),
// W_c = c0 + t (c1 + t (c2 + t c3)) in the interval of the edge.
//
// first_edge u32 (n_atoms + 1)
// edges u32 (n_edges, 4): sender, interval, bits of the f32 t, unused
// table f32 (n_intervals, n_filters / 4, 4, 4): cubics, the four
//       coefficients of four filters
// x     f32 (n_atoms, n_filters)
// sums  f32 (n_atoms, n_filters)
//
// One invocation per receiver and four filters, neighbors of which read
// neighboring numbers. Relative error 1e-6.
// Dispatch: ceil(n_atoms · n_filters / 4 / 64), folded into x and y.
// Definition: src/model/schnet.ts, tabulated by src/model/radial_table.ts.
// Host: src/gpu/describe_schnet.ts.

struct Params {
  n_atoms: u32,
  n_filters: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> first_edge: array<u32>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> table: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(64)
fn filter_convolution(@builtin(global_invocation_id) id: vec3u) {
  let blocks = params.n_filters / 4u;
  let index = id.y * params.row + id.x;
  let n = index / blocks;
  let c = index % blocks;
  if (n >= params.n_atoms) {
    return;
  }
  var sum = vec4f();
  let last = first_edge[n + 1u];
  for (var e = first_edge[n]; e < last; e++) {
    let edge = edges[e];
    let at = 4u * (edge.y * blocks + c);
    let t = bitcast<f32>(edge.z);
    let high = table[at + 2u] + t * table[at + 3u];
    let filters = table[at] + t * (table[at + 1u] + t * high);
    sum += x[edge.x * blocks + c] * filters;
  }
  sums[index] = sum;
}
