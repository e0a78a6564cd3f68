// What changes of one path's atomic basis and of its tangent mean for the
// radial tables. Of every edge, with Ū and its tangent as in
// atomic_basis_adjoint and V_b = Σ_a h_a Ū[a, b]:
// r̄ = Σ_b Y_b V̇_b + Ẏ_b V_b, s̄ = ṫ Σ_b Y_b V_b, and the coefficients of the
// cubic of its row get c̄_i += t^i r̄ + i t^(i-1) s̄.
//
// listed   u32: first edge of each row and the end, n_rows + 1; then pairs of
//          edge and receiver, by rows
// edges    u32 (n_edges, 4): sender, pair, table row, element of the sender
// geometry, dots f32 (n_edges, 36), as in atomic_basis_tangent
// h, h_dot f32, as in atomic_basis_tangent
// bars     f32 (n_atoms, 2 d_out, groups, channels), normalised: Ā of all
//          components, then its tangent
// out      f32 (n_rows, n_radials, channels, 4), added to
//
// One workgroup per row, lanes over channels, so that every sum is owned by
// one lane. The lines between the marks are those of a path.
// Relative error about 1e-6. Dispatch: n_rows, folded into x and y.
// Definition: addRadialTangent in src/model/gradient_tangents.ts.
// Host: src/gpu/path_kernels.ts.

struct Params {
  n_rows: u32,
  channels: u32,
  n_radials: u32,
  radial: u32,
  harmonics: u32,
  h_stride: u32,
  h_first: u32,
  d_out: u32,
  out_first: u32,
  groups: u32,
  has_dot: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> edges: array<vec4u>;
@group(0) @binding(3) var<storage, read> geometry: array<vec4f>;
@group(0) @binding(4) var<storage, read> dots: array<vec4f>;
@group(0) @binding(5) var<storage, read> h: array<f32>;
@group(0) @binding(6) var<storage, read> h_dot: array<f32>;
@group(0) @binding(7) var<storage, read> bars: array<f32>;
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;

// begin path
const WG_SIZE = 64u;
const N_A = 1u;
const N_B = 1u;
const N_K = 1u;
fn uncouple(x: array<f32, N_K>) -> array<f32, N_A * N_B> {
  return array<f32, N_A * N_B>(
    1.0 * x[0]
  );
}
// end path

@compute @workgroup_size(WG_SIZE)
fn atomic_basis_weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let table_row = group.y * params.row + group.x;
  if (table_row >= params.n_rows) {
    return;
  }
  let first = listed[table_row];
  let last = listed[table_row + 1u];
  for (var c = lane; c < params.channels; c += WG_SIZE) {
    var sum = vec4f();
    for (var i = first; i < last; i++) {
      let e = listed[params.n_rows + 1u + 2u * i];
      let n = listed[params.n_rows + 2u + 2u * i];
      let edge = edges[e];
      let z = select(0u, edge.w, params.groups > 1u);
      var x: array<f32, N_K>;
      var x_dot: array<f32, N_K>;
      for (var k = 0u; k < N_K; k++) {
        let entry = 2u * n * params.d_out + params.out_first + k;
        let at = (entry * params.groups + z) * params.channels + c;
        x[k] = bars[at];
        x_dot[k] = bars[at + params.d_out * params.groups * params.channels];
      }
      let u = uncouple(x);
      let u_dot = uncouple(x_dot);
      let source = edge.x * params.h_stride + params.h_first + c;
      let at = 9u * e;
      let low = geometry[at + params.harmonics];
      let high = geometry[at + params.harmonics + 1u];
      let slow = dots[at + params.harmonics];
      let fast = dots[at + params.harmonics + 1u];
      let y = array<f32, 8>(low.x, low.y, low.z, low.w,
        high.x, high.y, high.z, high.w);
      let y_dot = array<f32, 8>(slow.x, slow.y, slow.z, slow.w,
        fast.x, fast.y, fast.z, fast.w);
      var r = 0.0;
      var s = 0.0;
      for (var b = 0u; b < N_B; b++) {
        var v = 0.0;
        var v_dot = 0.0;
        for (var a = 0u; a < N_A; a++) {
          let value = h[source + a * params.channels];
          v += value * u[a * N_B + b];
          v_dot += value * u_dot[a * N_B + b];
          if (params.has_dot != 0u) {
            v_dot += h_dot[source + a * params.channels] * u[a * N_B + b];
          }
        }
        r += y[b] * v_dot + y_dot[b] * v;
        s += y[b] * v;
      }
      s *= dots[at + 8u].x;
      let t = geometry[at + 8u].x;
      let q = t * r;
      sum += vec4f(r, q + s, t * (q + 2.0 * s), t * t * (q + 3.0 * s));
    }
    let to = (table_row * params.n_radials + params.radial) * params.channels;
    out[to + c] += sum;
  }
}
