// Atomic basis of one path: messages of all neighbors, summed on the receiver and normalised,
// A[n, k, z, c] = norm_n Σ_e R(r_e)[c] √(2 l3 + 1) Σ_ab w[a, b, k] h[sender, a, c] Y_b(e).
//
// Eight channels at a time, in three steps. For every pair of atoms G_b = Σ_e R Y_b over its edges, once
// for both directions, for the edge back has (-1)^l2 Y. For every atom U[a, b] = Σ h_a G_b over its
// pairs. The couplings w turn U into A.
//
// blocks, segments, entries, pairs as written by pair_list; rows as by radial_basis
// records   f32 (n_edges, 4 or, for l2 ≥ 2, 8): place in the radial table, Y_b
// table     f32 (width / 4, n_rows, 4, 4): per interval c0 … c3, four channels each
// h         f32 (n_atoms, h_stride), or 0 for ones; component a at h + 4 a channels
// groups    sums kept apart per element of the sender, or 1
// norm      f32 (n_atoms)
// couplings (n_couplings, 3): u32 place 7 a + b, u32 k, f32 value; sorted by k, every k present
// out       f32 (n_atoms, 2 l3 + 1, groups, width), written
// scratch   32 bytes · ((2 l2 + 1) pairs of the largest block + (2 l1 + 1) n_atoms
//           + (2 l1 + 1) (2 l2 + 1) n_atoms groups)
//
// width is a multiple of 8. Relative error about 1e-6 at 400 neighbors.
// Definition: src/model/atomic_basis.ts. Host: src/cpu/layer.ts.

import { add_images } from "./shared/add_images";
import { sum_block } from "./shared/blocks";
import { couple_atoms } from "./shared/couple_atoms";
import { pack } from "./shared/pack";

export function atomic_basis(
  n_atoms: u32,
  blocks: usize,
  n_blocks: u32,
  largest: u32,
  segments: usize,
  entries: usize,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  n_rows: u32,
  h: usize,
  h_stride: u32,
  groups: u32,
  norm: usize,
  width: u32,
  l1: u32,
  l2: u32,
  l3: u32,
  couplings: usize,
  n_couplings: u32,
  out: usize,
  scratch: usize,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const n_b: u32 = 2 * l2 + 1;
  const half_g = 16 * n_b * largest;
  const half_senders = 16 * n_a * n_atoms;
  const half_sums = 16 * n_a * n_b * n_atoms * groups;
  const g = scratch;
  const senders = g + 2 * half_g;
  const sums = senders + 2 * half_senders;
  for (let c: u32 = 0; c < width; c += 8) {
    memory.fill(sums, 0, 2 * half_sums);
    for (let i: u32 = 0; i < 2; i++) {
      const from = h == 0 ? 0 : h + 4 * (c + 4 * i);
      pack(n_atoms, from, h_stride, width, n_a, senders + i * half_senders);
    }
    const cubics = table + 16 * n_rows * c;
    const next = 64 * n_rows;
    for (let b: u32 = 0; b < n_blocks; b++) {
      const block = blocks + 20 * b;
      const first = load<u32>(block);
      const last = load<u32>(block, 4);
      add_images(l2, first, last, pairs, rows, records, cubics, next, g, half_g);
      for (let i: u32 = 0; i < 2; i++) {
        sum_block(l1, l2, block, segments, entries, groups, g + i * half_g,
          senders + i * half_senders, sums + i * half_sums);
      }
    }
    for (let i: u32 = 0; i < 2; i++) {
      couple_atoms(
        n_atoms,
        sums + i * half_sums,
        16 * n_a * n_b,
        n_b,
        couplings,
        n_couplings,
        norm,
        groups,
        out + 4 * (c + 4 * i),
        4 * (2 * l3 + 1) * groups * width,
        4 * groups * width,
      );
    }
  }
}
