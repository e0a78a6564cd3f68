// Turns the numbers of edges of all rows into the first edges, and the end.
//
// listed u32 (n_rows + 1, …): numbers of edges, replaced
//
// One workgroup, lanes over runs of rows. Exact.
// Dispatch: 1. Host: src/gpu/graph.ts.

struct Params {
  n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> listed: array<u32>;

const WG_SIZE = 256u;
var<workgroup> sums: array<u32, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn row_offsets(@builtin(local_invocation_index) lane: u32) {
  let run = (params.n_rows + WG_SIZE - 1u) / WG_SIZE;
  let first = min(lane * run, params.n_rows);
  let last = min(first + run, params.n_rows);
  var sum = 0u;
  for (var i = first; i < last; i++) {
    sum += listed[i];
  }
  sums[lane] = sum;
  workgroupBarrier();
  var at = 0u;
  for (var i = 0u; i < lane; i++) {
    at += sums[i];
  }
  for (var i = first; i < last; i++) {
    let count = listed[i];
    listed[i] = at;
    at += count;
  }
  if (lane == WG_SIZE - 1u) {
    listed[params.n_rows] = at;
  }
}
