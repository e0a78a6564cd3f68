import { type Matrix, squaredDistance } from "../matrix.ts";
import { uniformDraw } from "../select/uniform_draw.ts";

/** Equal intervals per component that feature coverage looks at. */
const BINS = 100;
/** Larger pools are thinned to this many frames where a measure needs all pairs. */
const MAX_PAIRED = 2048;
/** Information below which a frame is covered by the chosen ones (QUESTS). */
const COVERED = 1e-5;

/** How a chosen set stands to its pool; distances are in the space of the principal components. */
export interface Coverage {
  /** Largest distance from a frame of the pool to the nearest chosen one. */
  readonly coveringRadius: number;
  /** Mean and 95th percentile of these distances. */
  readonly meanDistance: number;
  readonly distance95: number;
  /** Occupied intervals, chosen / pool, mean over the components (DIRECT's feature coverage, 100 bins). */
  readonly featureCoverage: number;
  /** 2 E|X - Y| - E|X - X'| - E|Y - Y'|, X chosen, Y of the pool (Székely and Rizzo 2013). */
  readonly energyDistance: number;
  /** Of the chosen set, as QUESTS defines them with kernel width h (`kernelWidth`). */
  readonly entropy: number;
  readonly diversity: number;
  /** Share of the pool that adds less than 1e-5 nats to the chosen set (QUESTS). */
  readonly overlap: number;
}

/**
 * All measures of chosen sets of one pool.
 *
 * @param points principal components, shape (n, K)
 * @param width kernel width h of the QUESTS measures
 * @returns a function of the places of the chosen frames
 */
export function measureCoverage(
  points: Matrix,
  width: number,
): (chosen: readonly number[]) => Coverage {
  const pool = thinned(points.rows);
  const within = meanDistance(points, pool, pool);
  return (chosen) => {
    const { nearest, kernel } = reach(points, chosen, width);
    const sorted = nearest.sort();
    const crossing = meanDistance(points, chosen, pool);
    return {
      coveringRadius: sorted[sorted.length - 1],
      meanDistance: sorted.reduce((sum, d) => sum + d, 0) / sorted.length,
      distance95: sorted[Math.ceil(0.95 * sorted.length) - 1],
      featureCoverage: featureCoverage(points, chosen),
      energyDistance: 2 * crossing - meanDistance(points, chosen, chosen) - within,
      ...information(kernel, chosen),
    };
  };
}

/** Of every point: distance to the nearest chosen one, and Σ exp(-d²/2h²) over the chosen ones. */
function reach(points: Matrix, chosen: readonly number[], width: number) {
  const nearest = new Float64Array(points.rows);
  const kernel = new Float64Array(points.rows);
  for (let i = 0; i < points.rows; i++) {
    let least = Infinity;
    for (const s of chosen) {
      const d2 = squaredDistance(points, i, points, s);
      least = Math.min(least, d2);
      kernel[i] += Math.exp(-d2 / (2 * width * width));
    }
    nearest[i] = Math.sqrt(least);
  }
  return { nearest, kernel };
}

function featureCoverage(points: Matrix, chosen: readonly number[]): number {
  const { data, rows, cols } = points;
  let share = 0;
  for (let k = 0; k < cols; k++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < rows; i++) {
      low = Math.min(low, data[i * cols + k]);
      high = Math.max(high, data[i * cols + k]);
    }
    const bin = (i: number) =>
      Math.min(BINS - 1, Math.floor((data[i * cols + k] - low) / ((high - low) || 1) * BINS));
    const occupied = new Set(Array.from({ length: rows }, (_, i) => bin(i)));
    share += new Set(chosen.map(bin)).size / occupied.size;
  }
  return share / cols;
}

function meanDistance(points: Matrix, a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (const i of a) for (const j of b) sum += Math.sqrt(squaredDistance(points, i, points, j));
  return sum / (a.length * b.length);
}

/** Entropy, diversity and overlap (Schwalbe-Koda et al., QUESTS, 2024), here of frames. */
function information(kernel: Float64Array, chosen: readonly number[]) {
  const n = chosen.length;
  const p = chosen.map((s) => kernel[s]);
  return {
    entropy: -p.reduce((sum, value) => sum + Math.log(value / n), 0) / n,
    diversity: Math.log(p.reduce((sum, value) => sum + 1 / value, 0)),
    overlap: kernel.filter((value) => -Math.log(value) < COVERED).length / kernel.length,
  };
}

/** Kernel width of the QUESTS measures: the median distance of a frame to its nearest neighbor, > 0. */
export function kernelWidth(points: Matrix): number {
  const sample = thinned(points.rows);
  const gaps = Float64Array.from(sample, (i) => {
    let least = Infinity;
    for (let j = 0; j < points.rows; j++) {
      const d2 = squaredDistance(points, i, points, j);
      if (d2 > 0) least = Math.min(least, d2);
    }
    return Math.sqrt(least);
  }).filter(Number.isFinite).sort();
  return gaps.length > 0 ? gaps[gaps.length >> 1] : 1;
}

/** Every place, or 2,048 of them drawn with a fixed seed. */
function thinned(n: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (n <= MAX_PAIRED) return all;
  return uniformDraw(BigUint64Array.from(all, BigInt), all, MAX_PAIRED, 0n);
}

/** Frames and chosen frames of one stratum. */
export interface Occupancy {
  readonly stratum: string;
  readonly nFrames: number;
  readonly nChosen: number;
}

/** Occupancy of every stratum, by name. */
export function occupancy(strata: readonly string[], chosen: readonly number[]): Occupancy[] {
  const taken = new Map<string, number>();
  for (const i of chosen) taken.set(strata[i], (taken.get(strata[i]) ?? 0) + 1);
  const sizes = new Map<string, number>();
  for (const stratum of strata) sizes.set(stratum, (sizes.get(stratum) ?? 0) + 1);
  const names = [...sizes.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return names.map((stratum) => ({
    stratum,
    nFrames: sizes.get(stratum)!,
    nChosen: taken.get(stratum) ?? 0,
  }));
}

/** Smallest, median and largest distance of the chosen frames to the nearest reference frame. */
export interface Leakage {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** How near the chosen frames come to a reference or test set, shape (m, K), m > 0. */
export function leakage(points: Matrix, chosen: readonly number[], reference: Matrix): Leakage {
  const gaps = Float64Array.from(chosen, (i) => {
    let least = Infinity;
    for (let r = 0; r < reference.rows; r++) {
      least = Math.min(least, squaredDistance(points, i, reference, r));
    }
    return Math.sqrt(least);
  }).sort();
  return { least: gaps[0], median: gaps[gaps.length >> 1], most: gaps[gaps.length - 1] };
}

/** Distances from (at most 2,048) frames to the nearest chosen one, ascending. */
export function gapsToChosen(points: Matrix, chosen: readonly number[]): Float64Array {
  return Float64Array.from(thinned(points.rows), (i) => {
    let least = Infinity;
    for (const s of chosen) least = Math.min(least, squaredDistance(points, i, points, s));
    return Math.sqrt(least);
  }).sort();
}

/** The same for random choices of `n` frames, all draws together. */
export function gapsToRandom(points: Matrix, n: number): Float64Array {
  const all = Array.from({ length: points.rows }, (_, i) => i);
  const ids = BigUint64Array.from(all, BigInt);
  const draws = [0n, 1n, 2n, 3n, 4n].map((seed) =>
    gapsToChosen(points, uniformDraw(ids, all, n, seed))
  );
  return Float64Array.from(draws.flatMap((gaps) => [...gaps])).sort();
}

const RANDOM_DRAWS = 20;
/** Pairs of frames that the draws may look at altogether, unless fewer than three would be left. */
const RANDOM_PAIRS = 4e7;

/** The measures of a chosen set beside their mean over random sets of the same size. */
export function compareWithRandom(points: Matrix, chosen: readonly number[]) {
  const width = kernelWidth(points);
  const measure = measureCoverage(points, width);
  const all = Array.from({ length: points.rows }, (_, i) => i);
  const ids = BigUint64Array.from(all, BigInt);
  const affordable = Math.floor(RANDOM_PAIRS / (points.rows * chosen.length));
  const nDraws = Math.min(RANDOM_DRAWS, Math.max(3, affordable));
  const random = Array.from(
    { length: nDraws },
    (_, seed) => measure(uniformDraw(ids, all, chosen.length, BigInt(seed))),
  );
  const names = Object.keys(random[0]) as (keyof Coverage)[];
  const mean = names.map((name) => [
    name,
    random.reduce((sum, set) => sum + set[name], 0) / nDraws,
  ]);
  return {
    kernelWidth: width,
    chosen: measure(chosen),
    random: Object.fromEntries(mean) as Coverage,
    nDraws,
  };
}
