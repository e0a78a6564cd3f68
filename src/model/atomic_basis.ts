import { messageCouplings } from "./couplings.ts";
import type { Path } from "./mace_model.ts";

/** First component of each message path in the concatenation over paths, and the total. */
export function pathOffsets(paths: readonly Path[]): { offsets: number[]; total: number } {
  const offsets: number[] = [];
  let total = 0;
  for (const [, , l3] of paths) {
    offsets.push(total);
    total += 2 * l3 + 1;
  }
  return { offsets, total };
}

/**
 * Atomic basis: the messages of all neighbors, summed on the receiver,
 * A_p[n, k, c] = Σ_e R[e, p, c] √(2 l3 + 1) Σ_ab w(l1, l2, l3)[a, b, k] h[l1][sender, a, c] Y_l2,b(e).
 *
 * @param sender sending atom of each edge, shape (n_edges)
 * @param receiver row of `out` that each edge is summed into, shape (n_edges)
 * @param radial radial weights R, shape (n_edges, n_paths, C)
 * @param harmonics shape (n_edges, d)
 * @param h node features after linear_up, shape (n_atoms, (lIn + 1)², C)
 * @param out sums, shape (n_rows, Σ_p (2 l3 + 1), C), added to
 */
export function atomicBasis(
  edges: { sender: Uint32Array; receiver: Uint32Array },
  radial: Float64Array,
  harmonics: Float64Array,
  h: Float64Array,
  out: Float64Array,
  shape: { paths: readonly Path[]; channels: number; lIn: number; d: number },
): void {
  const { paths, channels: C, d } = shape;
  const dIn = (shape.lIn + 1) ** 2;
  const { offsets, total } = pathOffsets(paths);
  const couplings = paths.map((path) => messageCouplings(...path));
  for (let e = 0; e < edges.sender.length; e++) {
    const from = edges.sender[e] * dIn * C;
    const to = edges.receiver[e] * total * C;
    for (let p = 0; p < paths.length; p++) {
      const [l1, l2] = paths[p];
      const r = (e * paths.length + p) * C;
      for (const [a, b, k, value] of couplings[p]) {
        const y = value * harmonics[e * d + l2 * l2 + b];
        const source = from + (l1 * l1 + a) * C;
        const target = to + (offsets[p] + k) * C;
        for (let c = 0; c < C; c++) out[target + c] += y * radial[r + c] * h[source + c];
      }
    }
  }
}

/**
 * Adjoint of `atomicBasis`, added to what is given.
 *
 * @param sumsBar adjoint of the sums, shape (n_rows, Σ_p (2 l3 + 1), C)
 * @param bar adjoints of radial weights, harmonics and features, in their shapes
 */
export function atomicBasisAdjoint(
  edges: { sender: Uint32Array; receiver: Uint32Array },
  radial: Float64Array,
  harmonics: Float64Array,
  h: Float64Array,
  sumsBar: Float64Array,
  shape: { paths: readonly Path[]; channels: number; lIn: number; d: number },
  bar: { radial: Float64Array; harmonics: Float64Array; h: Float64Array },
): void {
  const { paths, channels: C, d } = shape;
  const dIn = (shape.lIn + 1) ** 2;
  const { offsets, total } = pathOffsets(paths);
  const couplings = paths.map((path) => messageCouplings(...path));
  for (let e = 0; e < edges.sender.length; e++) {
    const from = edges.sender[e] * dIn * C;
    const to = edges.receiver[e] * total * C;
    for (let p = 0; p < paths.length; p++) {
      const [l1, l2] = paths[p];
      const r = (e * paths.length + p) * C;
      for (const [a, b, k, value] of couplings[p]) {
        const lm = e * d + l2 * l2 + b;
        const y = value * harmonics[lm];
        const source = from + (l1 * l1 + a) * C;
        const target = to + (offsets[p] + k) * C;
        let sum = 0;
        for (let c = 0; c < C; c++) {
          const out = sumsBar[target + c];
          bar.radial[r + c] += y * h[source + c] * out;
          bar.h[source + c] += y * radial[r + c] * out;
          sum += radial[r + c] * h[source + c] * out;
        }
        bar.harmonics[lm] += value * sum;
      }
    }
  }
}
