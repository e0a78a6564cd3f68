// Tangent of atomic_basis at a fixed normaliser: how the sums change where the
// edges and the features of the senders do, every factor in turn,
// U̇[a, b] = Σ_e (R ḣ_a + R' ṫ h_a) Y_b + R h_a Ẏ_b.
//
// atoms, edges, geometry, table as in atomic_basis
// dots   f32 (n_edges, 36): tangents of what geometry holds
// h      f32, as in atomic_basis
// h_dot  f32, like h from h_dot_first on; not read where has_dot is 0
// out    f32 (n_atoms, d_out, groups, channels)
//
// The same sums lead the tangent of the sums' adjoint back to the senders, see
// atomic_basis (BACK). The lines between the marks are those of a path.
// Relative error about 1e-6 at 400 neighbors.
// Dispatch: n_atoms, folded into x and y; groups in z.
// Definition: maceLayerTangent in src/model/mace_layer_tangent.ts.
// Host: src/gpu/path_kernels.ts.

struct Params {
  n_atoms: u32,
  channels: u32,
  n_radials: u32,
  radial: u32,
  harmonics: u32,
  h_stride: u32,
  h_first: u32,
  d_out: u32,
  out_first: u32,
  groups: u32,
  h_dot_first: u32,
  has_dot: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> geometry: array<vec4f>;
@group(0) @binding(4) var<storage, read> dots: array<vec4f>;
@group(0) @binding(5) var<storage, read> table: array<vec4f>;
@group(0) @binding(6) var<storage, read> h: array<f32>;
@group(0) @binding(7) var<storage, read> h_dot: array<f32>;
@group(0) @binding(8) var<storage, read_write> out: array<f32>;

// begin path
const WG_SIZE = 64u;
const N_A = 1u;
const N_B = 1u;
const N_K = 1u;
const BACK = false;
fn couple(u: array<f32, N_A * N_B>) -> array<f32, N_K> {
  return array<f32, N_K>(
    1.0 * u[0]
  );
}
// end path

const STAGED = 32u;
var<workgroup> staged_edge: array<vec4u, STAGED>;
var<workgroup> staged_y: array<array<f32, 8>, STAGED>;
// Tangents of the harmonics, which are seven at most, and behind them ṫ.
var<workgroup> staged_dot: array<array<f32, 8>, STAGED>;

@compute @workgroup_size(WG_SIZE)
fn atomic_basis_tangent(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  let atom = atoms[n];
  for (var c0 = 0u; c0 < params.channels; c0 += WG_SIZE) {
    // Lanes beyond the last channel work on it too and write nothing.
    let c = min(c0 + lane, params.channels - 1u);
    // Assigned, because naga sets a declared variable to zero only once.
    var u: array<f32, N_A * N_B>;
    u = array<f32, N_A * N_B>();
    for (var first = atom.x; first < atom.y; first += STAGED) {
      let count = min(STAGED, atom.y - first);
      workgroupBarrier();
      for (var i = lane; i < count; i += WG_SIZE) {
        let at = 9u * (first + i);
        let edge = edges[first + i];
        let t = geometry[at + 8u].x;
        staged_edge[i] = vec4u(edge.x, bitcast<u32>(t), edge.z, edge.w);
        let low = geometry[at + params.harmonics];
        let high = geometry[at + params.harmonics + 1u];
        staged_y[i] = array<f32, 8>(low.x, low.y, low.z, low.w,
          high.x, high.y, high.z, high.w);
        let slow = dots[at + params.harmonics];
        let fast = dots[at + params.harmonics + 1u];
        staged_dot[i] = array<f32, 8>(slow.x, slow.y, slow.z, slow.w,
          fast.x, fast.y, fast.z, dots[at + 8u].x);
      }
      workgroupBarrier();
      for (var i = 0u; i < count; i++) {
        let edge = staged_edge[i];
        if (params.groups > 1u && edge.w != group.z) {
          continue;
        }
        let t = bitcast<f32>(edge.y);
        let cubic = table[(edge.z * params.n_radials + params.radial) *
          params.channels + c];
        let radial = cubic.x + t * (cubic.y + t * (cubic.z + t * cubic.w));
        let slope = cubic.y + t * (2.0 * cubic.z + t * (3.0 * cubic.w));
        let change = slope * staged_dot[i][7];
        let source = edge.x * params.h_stride + c;
        for (var a = 0u; a < N_A; a++) {
          let x = h[source + params.h_first + a * params.channels];
          var moving = change * x;
          if (params.has_dot != 0u) {
            moving += radial *
              h_dot[source + params.h_dot_first + a * params.channels];
          }
          let still = radial * x;
          for (var b = 0u; b < N_B; b++) {
            u[a * N_B + b] += moving * staged_y[i][b] +
              still * staged_dot[i][b];
          }
        }
      }
    }
    if (c0 + lane < params.channels) {
      let sums = couple(u);
      let norm = bitcast<f32>(atom.w);
      for (var k = 0u; k < N_K; k++) {
        let row = (n * params.d_out + params.out_first + k) * params.groups;
        let to = (row + group.z) * params.channels + c;
        out[to] = select(norm * sums[k], out[to] + sums[k], BACK);
      }
    }
  }
}
