// Neighbors of every atom within a cutoff, every periodic image included.
// Atoms are binned; each one meets those of the bins around it. Places are
// sums of two f32, whose differences are as good as those of f64 rounded once;
// an edge and its reverse are opposite to the last bit.
//
// sites   u32 (n_atoms, 3, 4): bits of the place, Å, and the element; bits of
//         what the rounding left, and the frame; bin along each axis
// frames  u32 (n_frames, 3, 4): bins along each axis, first bin; range of
//         bins to search, first image; largest translation along each axis,
//         axes that are periodic, a bit each
// images  f32 (…, 2, 4): translations of a frame, Å, and what rounding left
// bins    u32: class of each pair of elements, (n_elements, n_elements); first
//         atom of each bin and the end, in all frames; atoms by their bins
// atoms   u32 (n_atoms, 4): element written, and without `fill` the number of
//         neighbors at x; with it, x is the first edge
// edges   u32 (capacity, 4), filled: sender, class of the pair, 0, element of
//         the sender
// vectors f32 (capacity, 4), filled: receiver - sender, length, Å
// state   u32 (4): number 1 is set where two atoms are at the same place
//
// One workgroup per atom, lanes over bins. Rounded once.
// Dispatch: n_atoms, folded into x and y.
// Definition: src/graph/neighbor_list.ts. Host: src/gpu/graph.ts.

struct Params {
  n_atoms: u32,
  n_elements: u32,
  n_bins: u32,
  capacity: u32,
  cutoff: f32,
  coincident: f32,
  fill: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sites: array<vec4u>;
@group(0) @binding(2) var<storage, read> frames: array<vec4u>;
@group(0) @binding(3) var<storage, read> images: array<vec4f>;
@group(0) @binding(4) var<storage, read> bins: array<u32>;
@group(0) @binding(5) var<storage, read_write> atoms: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> edges: array<vec4u>;
@group(0) @binding(7) var<storage, read_write> vectors: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> state: array<u32>;

const WG_SIZE = 32u;
var<workgroup> found: array<u32, WG_SIZE>;

// Neighbors of atom n in the bins of a lane; written from edge `at` on where
// that is asked for.
fn visit(n: u32, lane: u32, write: bool, start: u32) -> u32 {
  let high = bitcast<vec4f>(sites[3u * n]).xyz;
  let low = bitcast<vec4f>(sites[3u * n + 1u]).xyz;
  let element = sites[3u * n].w;
  let frame = sites[3u * n + 1u].w;
  let bin = vec3i(sites[3u * n + 2u].xyz);
  let counts = vec3i(frames[3u * frame].xyz);
  let first_bin = params.n_elements * params.n_elements + frames[3u * frame].w;
  let members = params.n_elements * params.n_elements + params.n_bins + 1u;
  let reach = vec3i(frames[3u * frame + 1u].xyz);
  let most = vec3i(frames[3u * frame + 2u].xyz);
  let periodic = vec3u(1u, 2u, 4u) & vec3u(frames[3u * frame + 2u].w);
  let width = 2 * reach + 1;
  let n_places = u32(width.x * width.y * width.z);
  var count = 0u;
  for (var place = lane; place < n_places; place += WG_SIZE) {
    let p = i32(place);
    let offset = vec3i(p / (width.y * width.z), p / width.z % width.y,
      p % width.z) - reach;
    let raw = bin + offset;
    // Division rounds towards zero: the numerators are made positive.
    let shift = (raw + counts * (most + 1)) / counts - most - 1;
    if (any((shift != vec3i(0)) & (periodic == vec3u(0u)))) {
      continue;
    }
    let cell = raw - shift * counts;
    let spans = 2 * most + 1;
    let turn = shift + most;
    let image = frames[3u * frame + 1u].w +
      u32((turn.x * spans.y + turn.y) * spans.z + turn.z);
    let far = images[2u * image].xyz;
    let rest = images[2u * image + 1u].xyz;
    let b = first_bin + u32((cell.x * counts.y + cell.y) * counts.z + cell.z);
    let home = all(shift == vec3i(0));
    for (var k = bins[b]; k < bins[b + 1u]; k++) {
      let j = bins[members + k];
      if (home && j == n) {
        continue;
      }
      let other = bitcast<vec4f>(sites[3u * j]).xyz;
      let left = bitcast<vec4f>(sites[3u * j + 1u]).xyz;
      let v = ((high - other) - far) + ((low - left) - rest);
      let r2 = dot(v, v);
      if (r2 >= params.cutoff * params.cutoff) {
        continue;
      }
      if (r2 < params.coincident * params.coincident) {
        state[1] = 1u;
      }
      let e = start + count;
      count++;
      if (write && e < params.capacity) {
        let z = sites[3u * j].w;
        edges[e] = vec4u(j, bins[element * params.n_elements + z], 0u, z);
        vectors[e] = vec4f(v, sqrt(r2));
      }
    }
  }
  return count;
}

@compute @workgroup_size(WG_SIZE)
fn neighbor_list(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  found[lane] = visit(n, lane, false, 0u);
  workgroupBarrier();
  if (params.fill != 0u) {
    var start = atoms[n].x;
    for (var i = 0u; i < lane; i++) {
      start += found[i];
    }
    visit(n, lane, true, start);
  } else if (lane == 0u) {
    var sum = 0u;
    for (var i = 0u; i < WG_SIZE; i++) {
      sum += found[i];
    }
    atoms[n] = vec4u(sum, 0u, sites[3u * n].w, 0u);
  }
}
