// Tangent of atomic_basis at a fixed normaliser: how the sums change where the edges and the features of the
// senders do. Ġ = Σ R' ṫ Y + R Ẏ of every pair of atoms, U̇[a, b] = Σ h_a Ġ_b + ḣ_a G_b of every atom.
//
// What atomic_basis knows is as there, and:
// dots    f32 like records: ṫ, Ẏ_b
// h_dot   f32 like h; 0 where h does not change
// out     f32 like that of atomic_basis, written
// scratch 32 bytes · ((2 l2 + 1) pairs of the largest block · 2 + (2 l1 + 1) n_atoms · (1, with h_dot 2)
//         + (2 l1 + 1) (2 l2 + 1) n_atoms groups)
//
// Definition: maceLayerTangent in src/model/mace_layer_tangent.ts. Host: src/cpu/layer_tangent.ts.

import { add_image_tangents } from "./shared/add_image_tangents";
import { sum_block } from "./shared/blocks";
import { couple_atoms } from "./shared/couple_atoms";
import { pack } from "./shared/pack";

export function atomic_basis_tangent(
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
  out: usize,
  scratch: usize,
): void {
  const n_a: u32 = 2 * l1 + 1;
  const n_b: u32 = 2 * l2 + 1;
  const half_g = 16 * n_b * largest;
  const half_senders = 16 * n_a * n_atoms;
  const half_sums = 16 * n_a * n_b * n_atoms * groups;
  const g_dot = scratch;
  const g = h_dot ? g_dot + 2 * half_g : 0;
  const sums = g_dot + 4 * half_g;
  const senders = sums + 2 * half_sums;
  const senders_dot = senders + 2 * half_senders;
  const next = 64 * n_rows;
  for (let c: u32 = 0; c < width; c += 8) {
    memory.fill(sums, 0, 2 * half_sums);
    for (let i: u32 = 0; i < 2; i++) {
      const shift = 4 * (c + 4 * i);
      pack(n_atoms, h == 0 ? 0 : h + shift, h_stride, width, n_a, senders + i * half_senders);
      if (h_dot == 0) continue;
      pack(n_atoms, h_dot + shift, h_stride, width, n_a, senders_dot + i * half_senders);
    }
    const cubics = table + 16 * n_rows * c;
    for (let b: u32 = 0; b < n_blocks; b++) {
      const block = blocks + 20 * b;
      const first = load<u32>(block);
      const last = load<u32>(block, 4);
      add_image_tangents(l2, first, last, pairs, rows, records, dots, cubics, next, g, g_dot, half_g);
      for (let i: u32 = 0; i < 2; i++) {
        sum_block(l1, l2, block, segments, entries, groups, g_dot + i * half_g,
          senders + i * half_senders, sums + i * half_sums);
        if (h_dot == 0) continue;
        sum_block(l1, l2, block, segments, entries, groups, g + i * half_g,
          senders_dot + i * half_senders, sums + i * half_sums);
      }
    }
    for (let i: u32 = 0; i < 2; i++) {
      couple_atoms(n_atoms, sums + i * half_sums, 16 * n_a * n_b, n_b, couplings, n_couplings, norm,
        groups, out + 4 * (c + 4 * i), 4 * (2 * l3 + 1) * groups * width, 4 * groups * width);
    }
  }
}
