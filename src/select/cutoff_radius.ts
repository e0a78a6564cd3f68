import { RequestError } from "../errors.ts";
import { type Matrix, squaredDistance } from "../matrix.ts";
import { uniformStream } from "../rng.ts";
import type { CountNeighbors } from "./neighbor_count.ts";
import { type RadiusObjective, sweepRadius } from "./radius_sweep.ts";

/** How r_c is found. */
export interface RadiusOptions {
  /** `null` searches for r_c. */
  readonly radius: number | null;
  /** What the search maximises. */
  readonly objective: RadiusObjective;
  /** λ, the weight of the isolated fraction. */
  readonly isolationWeight: number;
  /** Seed of the sampled pairs. */
  readonly seed: bigint;
}

/** The radii that were tried, ascending, and what they gave. */
export interface RadiusSearch {
  /** Radii, ascending, shape (n_radii). */
  readonly radii: Float64Array;
  /** Variance of the counts, shape (n_radii). */
  readonly variance: Float64Array;
  /** Share of points without neighbors, shape (n_radii). */
  readonly isolatedFraction: Float64Array;
  /** Objective, shape (n_radii). */
  readonly objective: Float64Array;
  /** Place of r_c among the radii. */
  readonly chosen: number;
  /** Neighbors within each radius, shape (n, n_radii). */
  readonly counts: Uint32Array;
  /** Pairs that float32 left undecided and float64 decided. */
  readonly nDecided: number;
}

/** Up to this many points every radius is rated. */
const SWEPT_POINTS = 1024;
const GRID = 64;
const REFINED = 33;
const SAMPLED_PAIRS = 2 ** 18;
const STREAM_FIRST = 101n;
const STREAM_SECOND = 102n;

/**
 * Finds the density radius r_c (selection rule of CPD §II, every ambiguity as in DESIGN.md). Few points
 * are swept over all radii; with many, counts are taken at quantiles of the pair distances and once
 * more on 33 radii around the best.
 *
 * @param points principal components, shape (n, K)
 * @param countNeighbors a backend's counting
 */
export async function searchRadius(
  points: Matrix,
  options: RadiusOptions,
  countNeighbors: CountNeighbors,
): Promise<RadiusSearch> {
  const grid = radiusGrid(points, options.seed);
  if (options.radius !== null) {
    const radii = uniqueSorted([...grid, options.radius]);
    const search = await evaluate(points, radii, options, countNeighbors);
    return { ...search, chosen: radii.indexOf(options.radius) };
  }
  if (points.rows <= SWEPT_POINTS) {
    const best = sweepRadius(points, options.objective, options.isolationWeight);
    const radii = uniqueSorted([...grid, best]);
    const search = await evaluate(points, radii, options, countNeighbors);
    return { ...search, chosen: radii.indexOf(best) };
  }
  const coarse = await evaluate(points, grid, options, countNeighbors);
  const low = grid[Math.max(coarse.chosen - 1, 0)];
  const high = grid[Math.min(coarse.chosen + 1, grid.length - 1)];
  const radii = uniqueSorted([...linspace(low, high, REFINED), ...grid]);
  return evaluate(points, radii, options, countNeighbors);
}

async function evaluate(
  points: Matrix,
  radii: Float64Array,
  options: RadiusOptions,
  countNeighbors: CountNeighbors,
): Promise<RadiusSearch> {
  const { counts, nDecided } = await countNeighbors(points, radii);
  const rated = rateRadii(counts, points.rows, radii.length, options);
  return { radii, counts, nDecided, ...rated };
}

/** What every objective says of the radii that were tried. */
export function everyObjective(
  { counts, radii }: RadiusSearch,
  isolationWeight: number,
): Record<RadiusObjective, Float64Array> {
  const rated = (objective: RadiusObjective) =>
    rateRadii(counts, counts.length / radii.length, radii.length, { objective, isolationWeight })
      .objective;
  return {
    "log-variance": rated("log-variance"),
    "variance": rated("variance"),
    "fano": rated("fano"),
  };
}

/** Objective of every radius from its counts; the first largest is chosen. */
function rateRadii(
  counts: Uint32Array,
  n: number,
  nRadii: number,
  { objective: kind, isolationWeight }: Pick<RadiusOptions, "objective" | "isolationWeight">,
) {
  const variance = new Float64Array(nRadii);
  const isolatedFraction = new Float64Array(nRadii);
  const rated = new Float64Array(nRadii);
  for (let b = 0; b < nRadii; b++) {
    const density = Float64Array.from({ length: n }, (_, i) => counts[i * nRadii + b]);
    isolatedFraction[b] = density.filter((rho) => rho === 0).length / n;
    variance[b] = populationVariance(density);
    rated[b] = kind === "log-variance"
      ? populationVariance(density.map(Math.log1p))
      : kind === "fano"
      ? variance[b] / Math.max(mean(density), 1e-12)
      : variance[b];
  }
  const largest = Math.max(...rated, 1e-300);
  const objective = rated.map((v, b) => v / largest - isolationWeight * isolatedFraction[b]);
  let chosen = 0;
  objective.forEach((value, b) => {
    if (value > objective[chosen]) chosen = b;
  });
  return { variance, isolatedFraction, objective, chosen };
}

/**
 * Candidate radii: 32 quantiles of the pair distances spaced geometrically up to the median and 32
 * evenly above it. All pairs where there are few, 2^18 seeded pairs otherwise.
 */
function radiusGrid(points: Matrix, seed: bigint): Float64Array {
  const n = points.rows;
  const distances = pairDistances(points, seed).filter((d) => d > 0).sort();
  if (distances.length === 0) {
    throw new RequestError("Cannot find r_c: all frames have the same descriptor");
  }
  const lowest = Math.max(1 / distances.length, 0.5 / n ** 1.5);
  const half = GRID / 2;
  const step = Math.log10(0.5 / lowest) / half;
  const levels = [
    ...Array.from({ length: half }, (_, i) => lowest * 10 ** (i * step)),
    ...linspace(0.5, 0.999, half),
  ];
  return uniqueSorted(levels.map((q) => quantile(distances, q)));
}

function pairDistances(points: Matrix, seed: bigint): Float64Array {
  const n = points.rows;
  const nPairs = n * (n - 1) / 2;
  if (nPairs <= SAMPLED_PAIRS) {
    const out = new Float64Array(nPairs);
    let p = 0;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) out[p++] = distance(points, i, j);
    }
    return out;
  }
  const first = uniformStream(seed, STREAM_FIRST);
  const second = uniformStream(seed, STREAM_SECOND);
  return Float64Array.from({ length: SAMPLED_PAIRS }, (_, t) => {
    const i = Math.floor(first(BigInt(t)) * n);
    const j = Math.floor(second(BigInt(t)) * (n - 1));
    return distance(points, i, j >= i ? j + 1 : j);
  });
}

function distance(points: Matrix, i: number, j: number): number {
  return Math.sqrt(squaredDistance(points, i, points, j));
}

/** Quantile of sorted numbers by linear interpolation (type 7, numpy's default). */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const t = position - low;
  const [a, b] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

function linspace(from: number, to: number, n: number): number[] {
  const step = (to - from) / (n - 1);
  return Array.from({ length: n }, (_, i) => (i === n - 1 ? to : from + i * step));
}

function uniqueSorted(values: number[]): Float64Array {
  return Float64Array.from(new Set(values)).sort();
}

function mean(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value, 0) / x.length;
}

function populationVariance(x: Float64Array): number {
  const center = mean(x);
  return x.reduce((sum, value) => sum + (value - center) ** 2, 0) / x.length;
}
