// Force and virial of every atom from the gradients g = dE/dv of its edges,
// F_n = Σ_{sender n} g - Σ_{receiver n} g, W_n = -Σ_{receiver n} v ⊗ g.
//
// atoms      u32 (n_atoms, 4): first edge, last edge
// reversed   u32 (n_edges): the reverse of every edge, which leaves where it
//            reaches
// vectors    f32 (n_edges, 4): x, y, z, length, Å
// gradients  f32 (n_edges, 4)
// out        f32 (n_atoms, 12), written: force, W_xx, W_yy, W_zz, and of the
//            symmetrised W its yz, xz, xy
//
// One invocation per atom. Relative error 1e-6.
// Dispatch: ceil(n_atoms / 64), folded into x and y.
// Definition: predict in src/model/potential.ts. Host: src/gpu/predict.ts.

struct Params {
  n_atoms: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> reversed: array<u32>;
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(4) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn edge_forces(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y * params.row + id.x;
  if (n >= params.n_atoms) {
    return;
  }
  var force = vec3f();
  var diagonal = vec3f();
  var rest = vec3f();
  for (var e = atoms[n].x; e < atoms[n].y; e++) {
    let v = vectors[e].xyz;
    let g = gradients[e].xyz;
    force += gradients[reversed[e]].xyz - g;
    diagonal -= v * g;
    rest -= 0.5 * (v.yxx * g.zzy + v.zzy * g.yxx);
  }
  out[3u * n] = vec4f(force, diagonal.x);
  out[3u * n + 1u] = vec4f(diagonal.yz, rest.xy);
  out[3u * n + 2u] = vec4f(rest.z, 0.0, 0.0, 0.0);
}
