// The reverse of every edge: among the edges that reach its sender the one
// from its receiver with the opposite vector.
//
// atoms    u32 (n_atoms, 4): first edge, last edge
// edges    u32 (n_edges, 4): sender
// vectors  f32 (n_edges, 4): receiver - sender, Å
// reversed u32 (n_edges), written
//
// One workgroup per receiver, lanes over its edges. Exact.
// Dispatch: n_atoms, folded into x and y.
// Definition: src/graph/neighbor_list.ts. Host: src/gpu/graph.ts.

struct Params {
  n_atoms: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> reversed: array<u32>;

const WG_SIZE = 64u;

@compute @workgroup_size(WG_SIZE)
fn reverse_edges(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  for (var e = atoms[n].x + lane; e < atoms[n].y; e += WG_SIZE) {
    let sender = edges[e].x;
    let v = -vectors[e].xyz;
    for (var k = atoms[sender].x; k < atoms[sender].y; k++) {
      if (edges[k].x == n && all(vectors[k].xyz == v)) {
        reversed[e] = k;
        break;
      }
    }
  }
}
