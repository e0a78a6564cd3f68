// Tangent of atomic_basis_adjoint, and what it means for the radial tables. With Ū and Ū̇ of every atom from Ā and
// its tangent: Ḡ_b += Σ_a h_a Ū[a, b] and Ġ̄_b += Σ_a ḣ_a Ū[a, b] + h_a Ū̇[a, b] of every pair of atoms,
// h̄̇_a += Σ_b Ū̇[a, b] G_b + Ū[a, b] Ġ_b of every sender; for the tables see shared/pull_tables.ts.
//
// What atomic_basis_tangent knows is as there, and:
// a_bar, a_bar_dot  f32 (n_atoms, 2 l3 + 1, groups, width)
// h_bar_dot         f32 like h, added to; 0 where it is not wanted
// table_bar         f32 like table, added to
// scratch           32 bytes · ((2 l2 + 1) pairs of the largest block · (2, with h_bar_dot 4)
//                   + (2 l1 + 1) n_atoms · 3 + (2 l1 + 1) (2 l2 + 1) n_atoms groups · 2)
//
// Definition: maceLayerAdjointTangent in src/model/mace_layer_tangent.ts, addRadialTangent in
// src/model/gradient_tangents.ts. Host: src/cpu/layer_weights.ts.

import { add_image_tangents } from "./shared/add_image_tangents";
import { pull_block } from "./shared/blocks";
import { uncouple_atoms } from "./shared/couple_atoms";
import { pack, unpack } from "./shared/pack";
import { pull_tables } from "./shared/pull_tables";

export function atomic_basis_weights(
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
  dots: usize,
  h_dot: usize,
  a_bar: usize,
  a_bar_dot: usize,
  h_bar_dot: usize,
  table_bar: usize,
  scratch: usize,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const n_b: u32 = 2 * l2 + 1;
  const half_g = 16 * n_b * largest;
  const half_senders = 16 * n_a * n_atoms;
  const half_sums = 16 * n_a * n_b * n_atoms * groups;
  const atom_stride = (2 * l3 + 1) * groups * width;
  const g_bar = scratch;
  const g_bar_dot = g_bar + 2 * half_g;
  const sums_bar = g_bar_dot + 2 * half_g;
  const sums_bar_dot = sums_bar + 2 * half_sums;
  const senders = sums_bar_dot + 2 * half_sums;
  const senders_dot = senders + 2 * half_senders;
  const senders_bar_dot = senders_dot + 2 * half_senders;
  const g = h_bar_dot ? senders_bar_dot + 2 * half_senders : 0;
  const g_dot = g ? g + 2 * half_g : 0;
  const next = 64 * n_rows;
  for (let c: u32 = 0; c < width; c += 8) {
    if (h_bar_dot) memory.fill(senders_bar_dot, 0, 2 * half_senders);
    for (let i: u32 = 0; i < 2; i++) {
      const shift = 4 * (c + 4 * i);
      pack(n_atoms, h == 0 ? 0 : h + shift, h_stride, width, n_a, senders + i * half_senders);
      if (h_dot) pack(n_atoms, h_dot + shift, h_stride, width, n_a, senders_dot + i * half_senders);
      uncouple_atoms(n_atoms, sums_bar + i * half_sums, 16 * n_a * n_b, n_b, couplings,
        n_couplings, norm, groups, a_bar + shift, atom_stride, groups * width);
      uncouple_atoms(n_atoms, sums_bar_dot + i * half_sums, 16 * n_a * n_b, n_b, couplings,
        n_couplings, norm, groups, a_bar_dot + shift, atom_stride, groups * width);
    }
    const cubics = table + 16 * n_rows * c;
    for (let b: u32 = 0; b < n_blocks; b++) {
      const block = blocks + 20 * b;
      const first = load<u32>(block);
      const last = load<u32>(block, 4);
      const bytes = 16 * n_b * (last - first);
      memory.fill(g_bar, 0, bytes);
      memory.fill(g_bar + half_g, 0, bytes);
      memory.fill(g_bar_dot, 0, bytes);
      memory.fill(g_bar_dot + half_g, 0, bytes);
      if (g) {
        add_image_tangents(l2, first, last, pairs, rows, records, dots, cubics, next, g, g_dot, half_g);
      }
      for (let i: u32 = 0; i < 2; i++) {
        const shift = i * half_g;
        pull_block(l1, l2, block, segments, entries, groups, g_dot ? g_dot + shift : 0, g_bar + shift,
          senders + i * half_senders, senders_bar_dot + i * half_senders, sums_bar + i * half_sums);
        pull_block(l1, l2, block, segments, entries, groups, g ? g + shift : 0, g_bar_dot + shift,
          senders + i * half_senders, senders_bar_dot + i * half_senders,
          sums_bar_dot + i * half_sums);
        if (h_dot == 0) continue;
        pull_block(l1, l2, block, segments, entries, groups, 0, g_bar_dot + shift,
          senders_dot + i * half_senders, 0, sums_bar + i * half_sums);
      }
      pull_tables(l2, first, last, pairs, rows, records, dots, g_bar, g_bar_dot, half_g,
        table_bar + 16 * n_rows * c, next);
    }
    for (let i: u32 = 0; i < 2 && h_bar_dot != 0; i++) {
      const shift = 4 * (c + 4 * i);
      unpack(n_atoms, senders_bar_dot + i * half_senders, width, n_a, h_bar_dot + shift, h_stride);
    }
  }
}
