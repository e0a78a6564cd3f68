import { chemicalSymbol, type Frame } from "../frame.ts";
import { pairCounts, pairDistribution } from "./pair_distribution.ts";

/** Pairs of many frames of any densities and compositions. */
export interface PairTable {
  /** Middles of the bins, Å. */
  readonly r: Float64Array;
  /** Of all atoms. */
  readonly g: Float64Array;
  /** Other atoms within the end of each bin, on average. */
  readonly coordination: Float64Array;
  /** g of each pair of elements, by names such as `H-O`. */
  readonly pairs: ReadonlyMap<string, Float64Array>;
}

/** Adds up the pairs of frames: what is counted, over what an ideal gas in the same cells would have. */
export class PairSums {
  frames = 0;
  readonly #elements: readonly number[];
  readonly #width: number;
  readonly #nBins: number;
  readonly #counts: Float64Array;
  /** Σ N_a ρ_b, shape (n_kinds, n_kinds). */
  readonly #expected: Float64Array;
  #expectedOfAll = 0;
  #atoms = 0;

  /** @param width of a bin, Å */
  constructor(elements: readonly number[], width: number, nBins: number) {
    [this.#elements, this.#width, this.#nBins] = [elements, width, nBins];
    this.#counts = new Float64Array(elements.length ** 2 * nBins);
    this.#expected = new Float64Array(elements.length ** 2);
  }

  /** @param volume Å³ */
  add(frame: Frame, volume: number): void {
    const elements = this.#elements;
    const nAtoms = frame.species.length;
    const counts = pairCounts(frame, elements, this.#width, this.#nBins);
    for (let i = 0; i < counts.length; i++) this.#counts[i] += counts[i];
    const numbers = elements.map((z) => frame.species.reduce((n, own) => n + Number(own === z), 0));
    numbers.forEach((a, i) =>
      numbers.forEach((b, j) => {
        this.#expected[i * elements.length + j] += a * (i === j ? b - 1 : b) / volume;
      })
    );
    this.#expectedOfAll += nAtoms * (nAtoms - 1) / volume;
    this.#atoms += nAtoms;
    this.frames++;
  }

  table(): PairTable {
    const width = this.#width;
    const nKinds = this.#elements.length;
    const of = (pair: number) =>
      this.#counts.subarray(pair * this.#nBins, (pair + 1) * this.#nBins);
    const all = new Float64Array(this.#nBins);
    for (let pair = 0; pair < nKinds ** 2; pair++) of(pair).forEach((n, k) => all[k] += n);
    let within = 0;
    const pairs = new Map<string, Float64Array>();
    this.#elements.forEach((a, i) =>
      this.#elements.slice(i).forEach((b, j) => {
        const pair = i * nKinds + i + j;
        const name = `${chemicalSymbol(a)}-${chemicalSymbol(b)}`;
        pairs.set(name, pairDistribution(of(pair), width, this.#expected[pair]));
      })
    );
    return {
      r: Float64Array.from({ length: this.#nBins }, (_, k) => (k + 0.5) * width),
      g: pairDistribution(all, width, this.#expectedOfAll),
      coordination: all.map((n) => (within += n) / this.#atoms),
      pairs,
    };
  }
}
