// What a change of one path's atomic basis means for its edges:
// Ū[a, b, c] = Σ_k w[a, b, k] Ā[n, k, z, c] and V_b = Σ_a h[sender, a, c] Ū
// give t̄ += Σ_c R' Σ_b Y_b V_b and Ȳ_b += Σ_c R V_b, where R and R' are value
// and slope of the same cubic.
//
// atoms    u32 (n_atoms, 4): first edge, last edge
// edges    u32 (n_edges, 4): sender, pair, table row, element of the sender
// geometry, table, h as in atomic_basis
// a_bar    f32 (n_atoms, d_out, groups, channels), normalised
// bar      f32 (n_edges, 16): number 0, t̄, and numbers l2² …, Ȳ_b, are added
//          to; the only harmonic of degree 0 is a constant
//
// One workgroup per receiver and group, lanes over channels. Of some edges at
// a time every lane writes its part of these sums to workgroup memory, where
// they are added up. The lines between the marks are those of a path: the host
// writes them for each.
// Relative error about 1e-6 at 400 neighbors.
// Dispatch: n_atoms, folded into x and y; groups in z.
// Definition: atomicBasisAdjoint in src/model/atomic_basis.ts.
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
  first: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> atoms: array<vec4u>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> geometry: array<vec4f>;
@group(0) @binding(4) var<storage, read> table: array<vec4f>;
@group(0) @binding(5) var<storage, read> h: array<f32>;
@group(0) @binding(6) var<storage, read> a_bar: array<f32>;
@group(0) @binding(7) var<storage, read_write> bar: array<f32>;

// begin path
const WG_SIZE = 64u;
const N_A = 1u;
const N_B = 1u;
const N_K = 1u;
const N_SUMS = 1u;
const STAGED = 32u;
fn uncouple(x: array<f32, N_K>) -> array<f32, N_A * N_B> {
  return array<f32, N_A * N_B>(
    1.0 * x[0]
  );
}
// end path

// A sum's parts stand apart by an odd number, for the sake of the banks.
const APART = WG_SIZE + 1u;
var<workgroup> staged_edge: array<vec4u, STAGED>;
var<workgroup> staged_y: array<array<f32, 8>, STAGED>;
var<workgroup> parts: array<f32, APART * STAGED * N_SUMS>;

@compute @workgroup_size(WG_SIZE)
fn atomic_basis_adjoint(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * params.row + group.x;
  if (n >= params.n_atoms) {
    return;
  }
  let atom = atoms[n];
  for (var c0 = 0u; c0 < params.channels; c0 += WG_SIZE) {
    // Lanes beyond the last channel have no part.
    let c = min(c0 + lane, params.channels - 1u);
    let owner = select(0.0, 1.0, c0 + lane < params.channels);
    var x: array<f32, N_K>;
    for (var k = 0u; k < N_K; k++) {
      let entry = (n * params.d_out + params.out_first + k) * params.groups;
      x[k] = owner * a_bar[(entry + group.z) * params.channels + c];
    }
    let u = uncouple(x);
    for (var first = atom.x; first < atom.y; first += STAGED) {
      let count = min(STAGED, atom.y - first);
      workgroupBarrier();
      for (var i = lane; i < count; i += WG_SIZE) {
        let y = 9u * (first + i) + params.harmonics;
        let edge = edges[first + i];
        let t = geometry[9u * (first + i) + 8u].x;
        staged_edge[i] = vec4u(edge.x, bitcast<u32>(t), edge.z, edge.w);
        let low = geometry[y];
        let high = geometry[y + 1u];
        staged_y[i] = array<f32, 8>(low.x, low.y, low.z, low.w,
          high.x, high.y, high.z, high.w);
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
        let source = edge.x * params.h_stride + params.h_first + c;
        var v: array<f32, N_B>;
        v = array<f32, N_B>();
        for (var a = 0u; a < N_A; a++) {
          let x = h[source + a * params.channels];
          for (var b = 0u; b < N_B; b++) {
            v[b] += x * u[a * N_B + b];
          }
        }
        var sum = 0.0;
        let to = i * N_SUMS * APART + lane;
        for (var b = 0u; b < N_B; b++) {
          sum += staged_y[i][b] * v[b];
          if (N_SUMS > 1u) {
            parts[to + (b + 1u) * APART] = radial * v[b];
          }
        }
        parts[to] = slope * sum;
      }
      workgroupBarrier();
      for (var s = lane; s < count * N_SUMS; s += WG_SIZE) {
        let i = s / N_SUMS;
        if (params.groups > 1u && staged_edge[i].w != group.z) {
          continue;
        }
        var sum = 0.0;
        for (var p = 0u; p < WG_SIZE; p++) {
          sum += parts[s * APART + p];
        }
        let b = s % N_SUMS;
        let to = select(params.first + b - 1u, 0u, b == 0u);
        bar[16u * (first + i) + to] += sum;
      }
    }
  }
}
