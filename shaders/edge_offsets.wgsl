// Turns the numbers of edges of all atoms into their first and last edges.
//
// atoms  u32 (n_atoms, 4): number of edges at x; first and last edge written
//        to x and y
// state  u32 (4): number 0 is written, edges in all
//
// One workgroup, lanes over runs of atoms.
// Dispatch: 1. Definition: src/graph/neighbor_list.ts. Host: src/gpu/graph.ts.

struct Params {
  n_atoms: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;

const WG_SIZE = 256u;
var<workgroup> sums: array<u32, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn edge_offsets(@builtin(local_invocation_index) lane: u32) {
  let run = (params.n_atoms + WG_SIZE - 1u) / WG_SIZE;
  let first = min(lane * run, params.n_atoms);
  let last = min(first + run, params.n_atoms);
  var sum = 0u;
  for (var n = first; n < last; n++) {
    sum += atoms[n].x;
  }
  sums[lane] = sum;
  workgroupBarrier();
  var at = 0u;
  for (var i = 0u; i < lane; i++) {
    at += sums[i];
  }
  for (var n = first; n < last; n++) {
    let count = atoms[n].x;
    atoms[n].x = at;
    at += count;
    atoms[n].y = at;
  }
  if (lane == WG_SIZE - 1u) {
    state[0] = at;
  }
}
