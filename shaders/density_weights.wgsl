// What the adjoint of the densities and its tangent mean for their table: every
// edge has r̄ = ρ̄̇ and s̄ = ṫ ρ̄ of its receiver, and the coefficients of the
// cubic of its row get c̄_i += t^i r̄ + i t^(i-1) s̄.
//
// listed   u32: first edge of each row and the end, n_rows + 1; then pairs of
//          edge and receiver, by rows
// geometry, dots f32 (n_edges, 36): number 32 is t and ṫ
// rho      f32 (n_atoms, 2): ρ̄ and its tangent
// out      f32 (n_rows, 4), written
//
// One invocation per row. Relative error 1e-6.
// Dispatch: ceil(n_rows / 64), folded into x and y.
// Definition: edgeDensityWeightsTangent in src/model/edge_density.ts.
// Host: src/gpu/layer_weights.ts.

struct Params {
  n_rows: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> geometry: array<vec4f>;
@group(0) @binding(3) var<storage, read> dots: array<vec4f>;
@group(0) @binding(4) var<storage, read> rho: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn density_weights(@builtin(global_invocation_id) id: vec3u) {
  let table_row = id.y * params.row + id.x;
  if (table_row >= params.n_rows) {
    return;
  }
  var sum = vec4f();
  for (var i = listed[table_row]; i < listed[table_row + 1u]; i++) {
    let e = listed[params.n_rows + 1u + 2u * i];
    let bar = rho[listed[params.n_rows + 2u + 2u * i]];
    let t = geometry[9u * e + 8u].x;
    let s = dots[9u * e + 8u].x * bar.x;
    let q = t * bar.y;
    sum += vec4f(bar.y, q + s, t * (q + 2.0 * s), t * t * (q + 3.0 * s));
  }
  out[table_row] = sum;
}
