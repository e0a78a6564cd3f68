// Adjoint of atomic_basis: what a change of A means for the features of the senders and for the edges.
//
// Eight channels at a time. For every atom Ū[a, b] = norm_n Σ_k w[a, b, k] Ā[n, k]; for every pair, from both
// its atoms, Ḡ_b += Σ_a h_a Ū[a, b] and h̄_a += Σ_b Ū[a, b] G_b; for every edge t̄ += Σ_c R' Σ_b Ḡ_b Y_b and
// Ȳ_b += Σ_c R Ḡ_b, where R and R' are value and slope of the same cubic.
//
// What atomic_basis knows is as there, and:
// a_bar       f32 (n_atoms, 2 l3 + 1, groups, width)
// h_bar       f32 like h, added to; 0 where h does not depend on the positions
// records_bar f32 like records, added to: t̄, Ȳ_b
// scratch     32 bytes · ((2 l2 + 1) pairs of the largest block · (1, with h_bar 2)
//             + (2 l1 + 1) n_atoms · (1, with h_bar 2) + (2 l1 + 1) (2 l2 + 1) n_atoms groups)
//
// Relative error about 1e-6. Definition: atomicBasisAdjoint in src/model/atomic_basis.ts.
// Host: src/cpu/layer_adjoint.ts.

import { add_images } from "./shared/add_images";
import { pull_block } from "./shared/blocks";
import { uncouple_atoms } from "./shared/couple_atoms";
import { pack, unpack } from "./shared/pack";
import { pull_images } from "./shared/pull_images";

export function atomic_basis_adjoint(
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
  a_bar: usize,
  h_bar: usize,
  records_bar: usize,
  scratch: usize,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const n_b: u32 = 2 * l2 + 1;
  const half_g = 16 * n_b * largest;
  const half_senders = 16 * n_a * n_atoms;
  const half_sums = 16 * n_a * n_b * n_atoms * groups;
  const g_bar = scratch;
  const sums_bar = g_bar + 2 * half_g;
  const senders = sums_bar + 2 * half_sums;
  const g = h_bar ? senders + 2 * half_senders : 0;
  const senders_bar = h_bar ? g + 2 * half_g : 0;
  const next = 64 * n_rows;
  for (let c: u32 = 0; c < width; c += 8) {
    if (h_bar) memory.fill(senders_bar, 0, 2 * half_senders);
    for (let i: u32 = 0; i < 2; i++) {
      const shift = 4 * (c + 4 * i);
      pack(n_atoms, h == 0 ? 0 : h + shift, h_stride, width, n_a, senders + i * half_senders);
      uncouple_atoms(n_atoms, sums_bar + i * half_sums, 16 * n_a * n_b, n_b, couplings,
        n_couplings, norm, groups, a_bar + shift, (2 * l3 + 1) * groups * width, groups * width);
    }
    const cubics = table + 16 * n_rows * c;
    for (let b: u32 = 0; b < n_blocks; b++) {
      const block = blocks + 20 * b;
      const first = load<u32>(block);
      const last = load<u32>(block, 4);
      memory.fill(g_bar, 0, 16 * n_b * (last - first));
      memory.fill(g_bar + half_g, 0, 16 * n_b * (last - first));
      if (h_bar) add_images(l2, first, last, pairs, rows, records, cubics, next, g, half_g);
      for (let i: u32 = 0; i < 2; i++) {
        pull_block(l1, l2, block, segments, entries, groups, h_bar ? g + i * half_g : 0,
          g_bar + i * half_g, senders + i * half_senders, senders_bar + i * half_senders,
          sums_bar + i * half_sums);
      }
      pull_images(l2, first, last, pairs, rows, records, cubics, next, g_bar, half_g, records_bar);
    }
    for (let i: u32 = 0; i < 2 && h_bar != 0; i++) {
      const shift = 4 * (c + 4 * i);
      unpack(n_atoms, senders_bar + i * half_senders, width, n_a, h_bar + shift, h_stride);
    }
  }
}
