// Place of every edge in the tables of radial functions, the cubic Hermite
// weights there, f = w0 v_i + w1 s_i + w2 v_(i+1) + w3 s_(i+1), and the
// normaliser of the receiver's message, norm = 1 / (1 + sum of densities).
//
// vectors  f32 (n_edges, 4): x, y, z, length, Å
// table    f32 (n_pairs, n_knots, 2): density values and slopes
// atoms    u32 (n_atoms, 4): first edge, last edge, element; bits of the f32
//          norm are written, 1 where has_density is 0
// edges    u32 (n_edges, 4): sender, pair of elements; the table row
//          pair · n_knots + i is written
// geometry f32 (n_edges, 36): the last four are written, w0 … w3
//
// One invocation per receiver. Relative error 1e-6.
// Dispatch: ceil(n_atoms / 64), folded into x and y.
// Definition: src/model/radial_basis.ts, tabulated by
// src/model/radial_table.ts. Host: src/gpu/describe.ts.

struct Params {
  n_atoms: u32,
  n_knots: u32,
  scale: f32,
  has_density: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read> table: array<vec2f>;
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
    let s = vectors[e].w * params.scale;
    let i = min(u32(s), params.n_knots - 2u);
    let t = s - f32(i);
    let h01 = t * t * (3.0 - 2.0 * t);
    let w = vec4f(1.0 - h01, t * (1.0 - t) * (1.0 - t), h01,
      t * t * (t - 1.0));
    let at = edges[e].y * params.n_knots + i;
    edges[e].z = at;
    geometry[9u * e + 8u] = w;
    if (params.has_density != 0u) {
      sum += dot(w, vec4f(table[at], table[at + 1u]));
    }
  }
  atoms[n].w = bitcast<u32>(1.0 / (1.0 + sum));
}
