// Place of every edge in the tables of radial functions: interval and place t
// within it, in x = n_intervals √(r / r_max), where
// f(r) = c0 + t (c1 + t (c2 + t c3)); and the normaliser of the receiver's
// message, norm = 1 / (1 + sum of densities).
//
// vectors  f32 (n_edges, 4): x, y, z, length, Å
// table    f32 (n_pairs, n_intervals, 4): cubics of the densities
// atoms    u32 (n_atoms, 4): first edge, last edge, element; bits of the f32
//          norm are written, 1 where has_density is 0
// edges    u32 (n_edges, 4): sender, pair of elements; the table row
//          pair · n_intervals + interval is written
// geometry f32 (n_edges, 36): number 32 is written, t
//
// One invocation per receiver. Relative error 1e-6.
// Dispatch: ceil(n_atoms / 64), folded into x and y.
// Definition: src/model/radial_basis.ts, tabulated by
// src/model/radial_table.ts. Host: src/gpu/layer.ts.

struct Params {
  n_atoms: u32,
  n_intervals: u32,
  r_max: f32,
  has_density: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> atoms: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> edges: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> geometry: array<vec4f>;

@compute @workgroup_size(64)
fn radial_basis(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y * params.row + id.x;
  if (n >= params.n_atoms) {
    return;
  }
  var sum = 0.0;
  for (var e = atoms[n].x; e < atoms[n].y; e++) {
    let x = sqrt(vectors[e].w / params.r_max) * f32(params.n_intervals);
    let i = min(u32(x), params.n_intervals - 1u);
    let t = x - f32(i);
    let at = edges[e].y * params.n_intervals + i;
    edges[e].z = at;
    geometry[9u * e + 8u].x = t;
    if (params.has_density != 0u) {
      let c = table[at];
      sum += c.x + t * (c.y + t * (c.z + t * c.w));
    }
  }
  atoms[n].w = bitcast<u32>(1.0 / (1.0 + sum));
}
