// Second step of atomic_basis and its adjoint for the pairs of one block, both ways: on the receivers and, with
// (-1)^l2, on the senders. Shapes as in sum_pairs and pull_pairs.

import { pull_pairs } from "./pull_pairs";
import { sum_pairs } from "./sum_pairs";

/** U of one block. */
export function sum_block(
  l1: u32,
  l2: u32,
  block: usize,
  segments: usize,
  entries: usize,
  groups: u32,
  g: usize,
  senders: usize,
  sums: usize,
): void {
  const middle = load<u32>(block, 12);
  const last = load<u32>(block, 16);
  const there = f32x4.splat(1);
  const back = f32x4.splat(l2 % 2 == 0 ? 1 : -1);
  for (let s = load<u32>(block, 8); s < last; s++) {
    const sign = s < middle ? there : back;
    sum_pairs(l1, l2, segments + 16 * s, entries, groups, g, senders, sums, sign);
  }
}

/** Ḡ and, where g is not 0, h̄ of one block. */
export function pull_block(
  l1: u32,
  l2: u32,
  block: usize,
  segments: usize,
  entries: usize,
  groups: u32,
  g: usize,
  g_bar: usize,
  senders: usize,
  senders_bar: usize,
  sums_bar: usize,
): void {
  const middle = load<u32>(block, 12);
  const last = load<u32>(block, 16);
  const there = f32x4.splat(1);
  const back = f32x4.splat(l2 % 2 == 0 ? 1 : -1);
  for (let s = load<u32>(block, 8); s < last; s++) {
    const sign = s < middle ? there : back;
    const segment = segments + 16 * s;
    pull_pairs(l1, l2, segment, entries, groups, g, g_bar, senders, senders_bar, sums_bar, sign);
  }
}
