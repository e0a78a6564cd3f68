import type { Matrix } from "../matrix.ts";

/**
 * Pairs sorted into radii, without those that rounding leaves undecided.
 * `histogram[i · n_radii + b]` counts the j ≠ i whose distance lies in (r_b-1, r_b]; each directed pair
 * (i, j) of `undecided` is left out of it.
 */
export interface PairHistogram {
  /** Shape (n, n_radii). */
  readonly histogram: Uint32Array;
  /** Pairs i, j, i, j, … */
  readonly undecided: Uint32Array;
  /** Rows with more undecided pairs than could be listed; nothing about them is to be trusted. */
  readonly overflowed: readonly number[];
}

/** Sorts all pairs of points, shape (n, K), into ascending radii. */
export type CountPairs = (points: Matrix, radii: Float64Array) => Promise<PairHistogram>;

/** First radius of the pair, or `radii.length` beyond the largest: |z_i - z_j|² ≤ r_b² in float64. */
export function firstRadius(points: Matrix, i: number, j: number, radii: Float64Array): number {
  const { data, cols } = points;
  let d2 = 0;
  for (let k = 0; k < cols; k++) {
    const difference = data[i * cols + k] - data[j * cols + k];
    d2 += difference * difference;
  }
  let [low, high] = [0, radii.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (d2 <= radii[middle] * radii[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Number of other points within each radius, boundary included (CPD density, §II):
 * counts[i, b] = #{ j ≠ i : |z_i - z_j|² ≤ r_b² }, by a loop over all pairs in float64.
 *
 * @param points shape (n, K)
 * @param radii ascending, shape (n_radii)
 * @returns shape (n, n_radii)
 */
export function neighborCount(points: Matrix, radii: Float64Array): Uint32Array {
  const n = points.rows;
  const nRadii = radii.length;
  const counts = new Uint32Array(n * nRadii);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const b = firstRadius(points, i, j, radii);
      if (b === nRadii) continue;
      counts[i * nRadii + b]++;
      counts[j * nRadii + b]++;
    }
  }
  return accumulate(counts, nRadii);
}

/** Counts from a backend's pair histogram; what its rounding left undecided is decided in float64. */
export async function exactNeighborCounts(
  points: Matrix,
  radii: Float64Array,
  countPairs: CountPairs,
): Promise<{ counts: Uint32Array; nUndecided: number }> {
  const { histogram, undecided, overflowed } = await countPairs(points, radii);
  const lost = new Set(overflowed);
  for (let p = 0; p < undecided.length; p += 2) {
    if (lost.has(undecided[p])) continue;
    const b = firstRadius(points, undecided[p], undecided[p + 1], radii);
    if (b < radii.length) histogram[undecided[p] * radii.length + b]++;
  }
  for (const i of lost) {
    histogram.fill(0, i * radii.length, (i + 1) * radii.length);
    for (let j = 0; j < points.rows; j++) {
      const b = j === i ? radii.length : firstRadius(points, i, j, radii);
      if (b < radii.length) histogram[i * radii.length + b]++;
    }
  }
  const nUndecided = undecided.length / 2 + lost.size * (points.rows - 1);
  return { counts: accumulate(histogram, radii.length), nUndecided };
}

function accumulate(counts: Uint32Array, nRadii: number): Uint32Array {
  for (let i = 0; i < counts.length; i++) {
    if (i % nRadii !== 0) counts[i] += counts[i - 1];
  }
  return counts;
}
