// Atomic basis: messages of all neighbors summed on the receiver and normalised,
// A_p[n, k, c] = norm_n Σ_e R_p(r_e)[c] √(2 l3 + 1) Σ_ab w[a, b, k] h[sender, a, c] Y_b(e).
//
// For every receiver, path and 8 channels the uncoupled sums U[a, b] = Σ_e R h_a Y_b are accumulated in
// registers, and the couplings w are applied once per receiver.
//
// first_edge u32 (n_atoms + 1)      sender    u32 (n_edges)
// rows       u32 (n_edges)          weights   f32 (n_edges, 4)       harmonics f32 (n_edges, d)
// table      f32 (n_rows, 2, n_paths, channels): value and slope of each radial function at a knot
// h          f32 (n_atoms, d_in, channels)                  norm      f32 (n_atoms)
// paths      u32 (n_paths, 5): l1, l2, first component of the output, first and last coupling
// couplings  (n, 3): u32 place 7 a + b, u32 k, f32 value
// out        f32 (n_atoms, d_out, channels), written
// scratch    32 bytes per edge of the receiver with most edges, and 1120 bytes
//
// channels is a multiple of 8. Relative error about 1e-6 at 400 neighbors.
// Definition: src/model/atomic_basis.ts. Host: src/cpu/describe_frame.ts.

export function atomic_basis(
  n_atoms: i32,
  first_edge: usize,
  sender: usize,
  rows: usize,
  weights: usize,
  harmonics: usize,
  d: i32,
  table: usize,
  h: usize,
  d_in: i32,
  norm: usize,
  channels: i32,
  paths: usize,
  n_paths: i32,
  couplings: usize,
  out: usize,
  d_out: i32,
  scratch: usize,
): void {
  const sums = scratch;
  const radial = scratch + 1120;
  const half_row = 4 * n_paths * channels;
  for (let n = 0; n < n_atoms; n++) {
    const e0 = load<u32>(first_edge + 4 * n);
    const e1 = load<u32>(first_edge + 4 * n, 4);
    for (let p = 0; p < n_paths; p++) {
      const path = paths + 20 * p;
      const l1 = load<u32>(path);
      const l2 = load<u32>(path, 4);
      for (let c = 0; c < channels; c += 8) {
        interpolate(e0, e1, rows, weights, table + 4 * (p * channels + c), half_row, radial);
        for (let a: u32 = 0; a < 2 * l1 + 1; a++) {
          const from = h + 4 * ((l1 * l1 + a) * channels + c);
          const y = harmonics + 4 * l2 * l2;
          const u = sums + 32 * 7 * a;
          const stride = 4 * d_in * channels;
          if (l2 == 0) add_1(e0, e1, sender, radial, from, stride, y, 4 * d, u);
          else if (l2 == 1) add_3(e0, e1, sender, radial, from, stride, y, 4 * d, u);
          else {
            add_4(e0, e1, sender, radial, from, stride, y, 4 * d, u);
            if (l2 == 2) add_1(e0, e1, sender, radial, from, stride, y + 16, 4 * d, u + 128);
            else add_3(e0, e1, sender, radial, from, stride, y + 16, 4 * d, u + 128);
          }
        }
        const target = out + 4 * ((n * d_out + load<u32>(path, 8)) * channels + c);
        const scale = v128.load_splat<f32>(norm + 4 * n);
        const last = load<u32>(path, 16);
        couple(sums, couplings, load<u32>(path, 12), last, scale, target, 4 * channels);
      }
    }
  }
}

/** Radial functions of 8 channels on every edge of the receiver. */
// @ts-ignore: decorator
@inline
function interpolate(
  e0: u32,
  e1: u32,
  rows: usize,
  weights: usize,
  table: usize,
  half_row: i32,
  radial: usize,
): void {
  let to = radial;
  for (let e = e0; e < e1; e++) {
    let at = table + 2 * half_row * load<u32>(rows + 4 * e);
    let w = v128.load_splat<f32>(weights + 16 * e);
    let a = f32x4.mul(w, v128.load(at));
    let b = f32x4.mul(w, v128.load(at, 16));
    for (let i = 4; i < 16; i += 4) {
      at += half_row;
      w = v128.load_splat<f32>(weights + 16 * e + i);
      a = f32x4.add(a, f32x4.mul(w, v128.load(at)));
      b = f32x4.add(b, f32x4.mul(w, v128.load(at, 16)));
    }
    v128.store(to, a);
    v128.store(to, b, 16);
    to += 32;
  }
}

/** U[b] = Σ_e R h Y_b for one component b, eight channels as two vectors p and q. */
function add_1(
  e0: u32,
  e1: u32,
  sender: usize,
  radial: usize,
  h: usize,
  stride: i32,
  y: usize,
  y_stride: i32,
  u: usize,
): void {
  let p0 = f32x4.splat(0);
  let q0 = p0;
  let r = radial;
  for (let e = e0; e < e1; e++) {
    const from = h + stride * load<u32>(sender + 4 * e);
    const p = f32x4.mul(v128.load(r), v128.load(from));
    const q = f32x4.mul(v128.load(r, 16), v128.load(from, 16));
    const at = y + y_stride * e;
    const y0 = v128.load_splat<f32>(at);
    p0 = f32x4.add(p0, f32x4.mul(p, y0));
    q0 = f32x4.add(q0, f32x4.mul(q, y0));
    r += 32;
  }
  v128.store(u, p0);
  v128.store(u, q0, 16);
}

/** The same for three components. */
function add_3(
  e0: u32,
  e1: u32,
  sender: usize,
  radial: usize,
  h: usize,
  stride: i32,
  y: usize,
  y_stride: i32,
  u: usize,
): void {
  let p0 = f32x4.splat(0);
  let q0 = p0;
  let p1 = f32x4.splat(0);
  let q1 = p1;
  let p2 = f32x4.splat(0);
  let q2 = p2;
  let r = radial;
  for (let e = e0; e < e1; e++) {
    const from = h + stride * load<u32>(sender + 4 * e);
    const p = f32x4.mul(v128.load(r), v128.load(from));
    const q = f32x4.mul(v128.load(r, 16), v128.load(from, 16));
    const at = y + y_stride * e;
    const y0 = v128.load_splat<f32>(at);
    p0 = f32x4.add(p0, f32x4.mul(p, y0));
    q0 = f32x4.add(q0, f32x4.mul(q, y0));
    const y1 = v128.load_splat<f32>(at, 4);
    p1 = f32x4.add(p1, f32x4.mul(p, y1));
    q1 = f32x4.add(q1, f32x4.mul(q, y1));
    const y2 = v128.load_splat<f32>(at, 8);
    p2 = f32x4.add(p2, f32x4.mul(p, y2));
    q2 = f32x4.add(q2, f32x4.mul(q, y2));
    r += 32;
  }
  v128.store(u, p0);
  v128.store(u, q0, 16);
  v128.store(u, p1, 32);
  v128.store(u, q1, 48);
  v128.store(u, p2, 64);
  v128.store(u, q2, 80);
}

/** The same for four components. */
function add_4(
  e0: u32,
  e1: u32,
  sender: usize,
  radial: usize,
  h: usize,
  stride: i32,
  y: usize,
  y_stride: i32,
  u: usize,
): void {
  let p0 = f32x4.splat(0);
  let q0 = p0;
  let p1 = f32x4.splat(0);
  let q1 = p1;
  let p2 = f32x4.splat(0);
  let q2 = p2;
  let p3 = f32x4.splat(0);
  let q3 = p3;
  let r = radial;
  for (let e = e0; e < e1; e++) {
    const from = h + stride * load<u32>(sender + 4 * e);
    const p = f32x4.mul(v128.load(r), v128.load(from));
    const q = f32x4.mul(v128.load(r, 16), v128.load(from, 16));
    const at = y + y_stride * e;
    const y0 = v128.load_splat<f32>(at);
    p0 = f32x4.add(p0, f32x4.mul(p, y0));
    q0 = f32x4.add(q0, f32x4.mul(q, y0));
    const y1 = v128.load_splat<f32>(at, 4);
    p1 = f32x4.add(p1, f32x4.mul(p, y1));
    q1 = f32x4.add(q1, f32x4.mul(q, y1));
    const y2 = v128.load_splat<f32>(at, 8);
    p2 = f32x4.add(p2, f32x4.mul(p, y2));
    q2 = f32x4.add(q2, f32x4.mul(q, y2));
    const y3 = v128.load_splat<f32>(at, 12);
    p3 = f32x4.add(p3, f32x4.mul(p, y3));
    q3 = f32x4.add(q3, f32x4.mul(q, y3));
    r += 32;
  }
  v128.store(u, p0);
  v128.store(u, q0, 16);
  v128.store(u, p1, 32);
  v128.store(u, q1, 48);
  v128.store(u, p2, 64);
  v128.store(u, q2, 80);
  v128.store(u, p3, 96);
  v128.store(u, q3, 112);
}

/** A[k] = scale Σ w[a, b, k] U[a, b]; every k has at least one coupling, couplings are sorted by k. */
function couple(
  sums: usize,
  couplings: usize,
  first: u32,
  last: u32,
  scale: v128,
  target: usize,
  stride: i32,
): void {
  let k: u32 = 0;
  let p = f32x4.splat(0);
  let q = p;
  for (let i = first; i < last; i++) {
    const at = couplings + 12 * i;
    const next = load<u32>(at, 4);
    if (next != k) {
      v128.store(target + stride * k, f32x4.mul(scale, p));
      v128.store(target + stride * k, f32x4.mul(scale, q), 16);
      p = f32x4.splat(0);
      q = p;
      k = next;
    }
    const u = sums + 32 * load<u32>(at);
    const w = v128.load_splat<f32>(at, 8);
    p = f32x4.add(p, f32x4.mul(w, v128.load(u)));
    q = f32x4.add(q, f32x4.mul(w, v128.load(u, 16)));
  }
  v128.store(target + stride * k, f32x4.mul(scale, p));
  v128.store(target + stride * k, f32x4.mul(scale, q), 16);
}
