// Descriptors of the atoms of every frame pooled to one row per frame and
// block: the mean over the block's atoms, and after the means, where asked
// for, the standard deviations.
//
// descriptors f32 (n_atoms, columns)
// atoms       u32 (n_atoms, 4): element at z
// frames      u32 (n_frames, 2): first atom and the one past the last
// out         f32 (n_frames, n_blocks, columns), or with deviations
//             (n_frames, 2, columns)
//
// A block is one element, or all atoms where n_blocks = 1; a block without
// atoms is zero. Sums are of differences to the block's first atom and go in
// runs of 64, so that float32 keeps them to 1e-7 of the largest descriptor.
// Dispatch: one workgroup per frame, folded into x and y, and block, z.
// Definition: src/model/pooling.ts. Host: src/gpu/stage.ts.

struct Params {
  n_frames: u32,
  columns: u32,
  n_blocks: u32,
  deviations: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> descriptors: array<f32>;
@group(0) @binding(2) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(3) var<storage, read> frames: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const WG_SIZE = 64u;
const RUN = 64u;

fn belongs(n: u32, block: u32) -> bool {
  return params.n_blocks == 1u || atoms[n].z == block;
}

// Mean of (x - origin)^power over the block's atoms.
fn moment(
  frame: vec2u,
  block: u32,
  column: u32,
  origin: f32,
  power: u32,
) -> f32 {
  var sum = 0.0;
  var count = 0.0;
  for (var first = frame.x; first < frame.y; first += RUN) {
    var part = 0.0;
    for (var n = first; n < min(first + RUN, frame.y); n++) {
      if (!belongs(n, block)) {
        continue;
      }
      let x = descriptors[n * params.columns + column] - origin;
      part += select(x, x * x, power == 2u);
      count += 1.0;
    }
    sum += part;
  }
  return sum / max(count, 1.0);
}

@compute @workgroup_size(64)
fn pool_atoms(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let f = group.y * params.row + group.x;
  if (f >= params.n_frames) {
    return;
  }
  let frame = frames[f];
  let block = group.z;
  var member = frame.x;
  while (member < frame.y && !belongs(member, block)) {
    member++;
  }
  let rows = max(params.n_blocks, 1u + params.deviations);
  for (var c = lane; c < params.columns; c += WG_SIZE) {
    let to = (f * rows + block) * params.columns + c;
    if (member == frame.y) {
      out[to] = 0.0;
      continue;
    }
    let origin = descriptors[member * params.columns + c];
    let mean = origin + moment(frame, block, c, origin, 1u);
    out[to] = mean;
    if (params.deviations == 1u) {
      out[to + params.columns] = sqrt(moment(frame, block, c, mean, 2u));
    }
  }
}
