import type { Matrix } from "../matrix.ts";

/** Neighbors of every point within every radius. */
export interface NeighborCounts {
  /** Other points within each radius, boundary included, shape (n, n_radii). */
  readonly counts: Uint32Array;
  /** Pairs that float32 could not place and float64 did. */
  readonly nDecided: number;
}

/** Counts the neighbors of all points, shape (n, K), within ascending radii: the integers of
 * `neighborCount`, whatever the precision of the backend. */
export type CountNeighbors = (points: Matrix, radii: Float64Array) => Promise<NeighborCounts>;

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

/** Turns a histogram over radii, shape (n, n_radii), into counts within them, in place. */
export function accumulate(histogram: Uint32Array, nRadii: number): Uint32Array {
  for (let i = 0; i < histogram.length; i++) {
    if (i % nRadii !== 0) histogram[i] += histogram[i - 1];
  }
  return histogram;
}
