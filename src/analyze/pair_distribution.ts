import type { Frame } from "../frame.ts";
import { type NeighborSink, visitPairs } from "../graph/neighbor_list.ts";

/**
 * Counts the ordered pairs i ≠ j of a frame, all images included, in bins of their distance: bin k holds
 * k · width ≤ r < (k + 1) · width.
 *
 * @param elements atomic numbers of the kinds
 * @param width of a bin, Å
 * @returns shape (n_kinds, n_kinds, n_bins): kind of the centre, kind of the other
 */
export function pairCounts(
  frame: Frame,
  elements: readonly number[],
  width: number,
  nBins: number,
): Float64Array {
  const counter = new PairCounter(frame.species, elements, width, nBins);
  visitPairs(frame, width * nBins, (i) => counter.around(i));
  return counter.counts;
}

/** Counts a pair from both of its ends. */
class PairCounter implements NeighborSink {
  readonly counts: Float64Array;
  readonly #kinds: Uint8Array;
  #kind = 0;

  constructor(
    species: Uint8Array,
    readonly elements: readonly number[],
    readonly width: number,
    readonly nBins: number,
  ) {
    this.#kinds = Uint8Array.from(species, (z) => elements.indexOf(z));
    this.counts = new Float64Array(elements.length ** 2 * nBins);
  }

  around(i: number): this {
    this.#kind = this.#kinds[i];
    return this;
  }

  add(j: number, dx: number, dy: number, dz: number): void {
    const bin = Math.floor(Math.sqrt(dx * dx + dy * dy + dz * dz) / this.width);
    if (bin >= this.nBins) return;
    const [own, other, n] = [this.#kind, this.#kinds[j], this.elements.length];
    this.counts[(own * n + other) * this.nBins + bin]++;
    this.counts[(other * n + own) * this.nBins + bin]++;
  }
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
