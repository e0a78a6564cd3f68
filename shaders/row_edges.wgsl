// Edges by the rows of the radial tables that they read, each with its
// receiver, in the order of the edges.
//
// atoms  u32 (n_atoms, 4): first edge, last edge
// edges  u32 (n_edges, 4): table row at z
// listed u32: without `fill` the number of edges of each row is written to its
//        place; with it, the pairs of edge and receiver of each row, from
//        n_rows + 1 on
//
// One workgroup per row, lanes over runs of atoms. Exact.
// Dispatch: n_rows, folded into x and y. Host: src/gpu/graph.ts.

struct Params {
  n_atoms: u32,
  n_rows: u32,
  fill: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> listed: array<u32>;

const WG_SIZE = 64u;
var<workgroup> found: array<u32, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn row_edges(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let table_row = group.y * params.row + group.x;
  if (table_row >= params.n_rows) {
    return;
  }
  let run = (params.n_atoms + WG_SIZE - 1u) / WG_SIZE;
  let first = min(lane * run, params.n_atoms);
  let last = min(first + run, params.n_atoms);
  var count = 0u;
  for (var n = first; n < last; n++) {
    for (var e = atoms[n].x; e < atoms[n].y; e++) {
      count += select(0u, 1u, edges[e].z == table_row);
    }
  }
  found[lane] = count;
  workgroupBarrier();
  if (params.fill == 0u) {
    if (lane == 0u) {
      var sum = 0u;
      for (var i = 0u; i < WG_SIZE; i++) {
        sum += found[i];
      }
      listed[table_row] = sum;
    }
    return;
  }
  var at = listed[table_row];
  for (var i = 0u; i < lane; i++) {
    at += found[i];
  }
  for (var n = first; n < last; n++) {
    for (var e = atoms[n].x; e < atoms[n].y; e++) {
      if (edges[e].z == table_row) {
        listed[params.n_rows + 1u + 2u * at] = e;
        listed[params.n_rows + 2u + 2u * at] = n;
        at++;
      }
    }
  }
}
