import { cellVolume, type Graph, receiverOf } from "../frame.ts";

/** Histogram of distances between atoms. */
export interface PairHistogram {
  /** Width of the bins, Å; bin k holds k · width ≤ r < (k + 1) · width. */
  readonly width: number;
  /** Ordered pairs of different atoms, all images, shape (n_bins). */
  readonly counts: Float64Array;
}

/**
 * Counts the ordered pairs i ≠ j of a frame in bins of their distance.
 *
 * @param graph all edges up to the last bin's end
 * @param kinds elements of receiver and sender that are counted; null for all
 */
export function pairHistogram(
  graph: Graph,
  width: number,
  nBins: number,
  kinds: readonly [number, number] | null = null,
): PairHistogram {
  const { vectors, sender, species, nEdges } = graph;
  const receiver = receiverOf(graph);
  const counts = new Float64Array(nBins);
  for (let e = 0; e < nEdges; e++) {
    const [n, j] = [receiver[e], sender[e]];
    if (n === j || (kinds && (species[n] !== kinds[0] || species[j] !== kinds[1]))) continue;
    const r = Math.sqrt(
      vectors[3 * e] ** 2 + vectors[3 * e + 1] ** 2 + vectors[3 * e + 2] ** 2,
    );
    const bin = Math.floor(r / width);
    if (bin < nBins) counts[bin]++;
  }
  return { width, counts };
}

/**
 * Pair distribution function g(r) of a histogram, with exact shells: g = n_b / (N_a ρ_b 4/3 π (r₊³ - r₋³)).
 *
 * @param nCentres atoms around which pairs were counted, N_a
 * @param density of the others, ρ_b, 1/Å³: (N - 1) / V of one kind, where an ideal gas has g = 1
 */
export function pairDistribution(
  { width, counts }: PairHistogram,
  nCentres: number,
  density: number,
): Float64Array {
  return counts.map((n, k) => {
    const shell = 4 / 3 * Math.PI * width ** 3 * ((k + 1) ** 3 - k ** 3);
    return n / (nCentres * density * shell);
  });
}

/** Atoms within the end of each bin, on average. */
export function runningCoordination({ counts }: PairHistogram, nCentres: number): Float64Array {
  let sum = 0;
  return counts.map((n) => (sum += n) / nCentres);
}

/** (N - 1) / V, 1/Å³: the density that every atom sees. */
export function seenDensity(nAtoms: number, cell: Float64Array): number {
  return (nAtoms - 1) / cellVolume(cell);
}
