// Third step of atomic_basis and the first of its adjoint, four channels: the couplings w lead from the sums
// U[a, b] of every atom to A[k], and from Ā[k] to Ū[a, b]. Shapes as in atomic_basis.

import { madd } from "./madd";

/** Four channels of A from the sums of all atoms. */
export function couple_atoms(
  n_atoms: u32,
  u: usize,
  u_stride: u32,
  n_b: u32,
  couplings: usize,
  n_couplings: u32,
  norm: usize,
  groups: u32,
  out: usize,
  out_stride: u32,
  component_stride: u32,
): void {
  for (let n: u32 = 0; n < n_atoms; n++) {
    const scale = v128.load_splat<f32>(norm + 4 * n);
    for (let z: u32 = 0; z < groups; z++) {
      const to = out + n * out_stride + z * (component_stride / groups);
      couple(u, n_b, couplings, n_couplings, scale, to, component_stride);
      u += u_stride;
    }
  }
}

/** A[k] = scale Σ w[a, b, k] U[a, b]. */
function couple(
  u: usize,
  n_b: u32,
  couplings: usize,
  n: u32,
  scale: v128,
  target: usize,
  stride: u32,
): void {
  let k: u32 = 0;
  let sum = f32x4.splat(0);
  for (let i: u32 = 0; i < n; i++) {
    const at = couplings + 12 * i;
    const place = load<u32>(at);
    const next = load<u32>(at, 4);
    if (next != k) {
      v128.store(target + stride * k, f32x4.mul(scale, sum));
      sum = f32x4.splat(0);
      k = next;
    }
    const x = v128.load(u + 16 * (place / 7 * n_b + place % 7));
    sum = madd(v128.load_splat<f32>(at, 8), x, sum);
  }
  v128.store(target + stride * k, f32x4.mul(scale, sum));
}

/** Four channels of Ū of all atoms. */
export function uncouple_atoms(
  n_atoms: u32,
  u: usize,
  u_stride: u32,
  n_b: u32,
  couplings: usize,
  n_couplings: u32,
  norm: usize,
  groups: u32,
  a_bar: usize,
  atom_stride: u32,
  component_stride: u32,
): void {
  const end = couplings + 12 * n_couplings;
  memory.fill(u, 0, n_atoms * groups * u_stride);
  for (let n: u32 = 0; n < n_atoms; n++) {
    const scale = v128.load_splat<f32>(norm + 4 * n);
    for (let z: u32 = 0; z < groups; z++) {
      const from = a_bar + 4 * (n * atom_stride + z * (component_stride / groups));
      for (let at = couplings; at < end; at += 12) {
        const place = load<u32>(at);
        const to = u + 16 * (place / 7 * n_b + place % 7);
        const x = f32x4.mul(scale, v128.load(from + 4 * load<u32>(at, 4) * component_stride));
        v128.store(to, madd(v128.load_splat<f32>(at, 8), x, v128.load(to)));
      }
      u += u_stride;
    }
  }
}
