import { type Graph, receiverOf } from "../frame.ts";

/**
 * Counts the ordered pairs i ≠ j of a frame, all images included, in bins of their distance: bin k holds
 * k · width ≤ r < (k + 1) · width.
 *
 * @param graph all edges up to the last bin's end
 * @param elements atomic numbers of the kinds
 * @param width of a bin, Å
 * @returns shape (n_kinds, n_kinds, n_bins): kind of the centre, kind of the other
 */
export function pairCounts(
  graph: Graph,
  elements: readonly number[],
  width: number,
  nBins: number,
): Float64Array {
  const { vectors, sender, species, nEdges } = graph;
  const receiver = receiverOf(graph);
  const kinds = Uint8Array.from(species, (z) => elements.indexOf(z));
  const counts = new Float64Array(elements.length ** 2 * nBins);
  for (let e = 0; e < nEdges; e++) {
    const [n, j] = [receiver[e], sender[e]];
    if (n === j) continue;
    const r = Math.sqrt(
      vectors[3 * e] ** 2 + vectors[3 * e + 1] ** 2 + vectors[3 * e + 2] ** 2,
    );
    const bin = Math.floor(r / width);
    if (bin < nBins) counts[(kinds[n] * elements.length + kinds[j]) * nBins + bin]++;
  }
  return counts;
}

/**
 * Pair distribution function of counts, with exact shells: g = n / (Σ N_a ρ_b · 4/3 π (r₊³ - r₋³)).
 *
 * @param expected Σ N_a ρ_b over the frames that were counted, 1/Å³; ρ_b is (N - 1) / V of one kind, where an ideal
 * gas has g = 1
 */
export function pairDistribution(
  counts: Float64Array,
  width: number,
  expected: number,
): Float64Array {
  return counts.map((n, k) => {
    const shell = 4 / 3 * Math.PI * width ** 3 * ((k + 1) ** 3 - k ** 3);
    return n / (expected * shell);
  });
}
