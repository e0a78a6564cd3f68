import type { Matrix } from "../matrix.ts";

/** What the search for r_c maximises: V(r) / max V - λ · isolated fraction. */
export type RadiusObjective = "log-variance" | "variance" | "fano";

/** Ratings that differ by less are equal, and the smaller radius is taken. */
const ROUNDING = 1e-12;

/** Squared distances of all pairs, ascending, with their points. */
interface SortedPairs {
  readonly squared: Float64Array;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/**
 * The radius that maximises V(r) / max V - λ · isolated(r) over every radius there is: between two
 * neighboring pair distances nothing changes, so all pairs are sorted and every distance updates two
 * densities and the running sums. O(n² log n) time, O(n²) memory.
 *
 * @param points shape (n, K), not all at the same place
 * @param isolationWeight λ
 * @returns the middle between the best distance and the next, so that no rounding can touch the counts
 */
export function sweepRadius(
  points: Matrix,
  objective: RadiusObjective,
  isolationWeight: number,
): number {
  const { squared, first, second } = sortedPairs(points);
  const n = points.rows;
  // A density ρ enters the sums as f(ρ): itself, or its logarithm.
  const f = Float64Array.from(
    { length: n },
    (_, rho) => objective === "log-variance" ? Math.log1p(rho) : rho,
  );
  const density = new Uint32Array(n);
  const value = new Float64Array(squared.length).fill(-Infinity);
  const isolatedAt = new Uint32Array(squared.length);
  let [sum, sumOfSquares, isolated, largest] = [0, 0, n, 1e-300];
  const raise = (i: number) => {
    const rho = density[i]++;
    if (rho === 0) isolated--;
    sum += f[rho + 1] - f[rho];
    sumOfSquares += f[rho + 1] * f[rho + 1] - f[rho] * f[rho];
  };
  for (let p = 0; p < squared.length; p++) {
    raise(first[p]);
    raise(second[p]);
    // The pairs of one distance come in together.
    if (squared[p] === squared[p + 1] || squared[p] === 0) continue;
    const variance = sumOfSquares / n - (sum / n) ** 2;
    value[p] = objective === "fano" ? variance / Math.max(sum / n, 1e-12) : variance;
    isolatedAt[p] = isolated;
    largest = Math.max(largest, value[p]);
  }
  let best = -1;
  let bestRating = -Infinity;
  for (let p = 0; p < value.length; p++) {
    const rating = value[p] / largest - isolationWeight * isolatedAt[p] / n;
    if (rating <= bestRating + ROUNDING) continue;
    best = p;
    bestRating = rating;
  }
  const next = squared[best + 1] ?? 1.0001 * squared[best];
  return 0.5 * (Math.sqrt(squared[best]) + Math.sqrt(next));
}

function sortedPairs({ data, rows: n, cols }: Matrix): SortedPairs {
  const nPairs = n * (n - 1) / 2;
  const squared = new Float64Array(nPairs);
  const first = new Uint32Array(nPairs);
  const second = new Uint32Array(nPairs);
  let p = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++, p++) {
      let d2 = 0;
      for (let k = 0; k < cols; k++) {
        const difference = data[i * cols + k] - data[j * cols + k];
        d2 += difference * difference;
      }
      squared[p] = d2;
      first[p] = i;
      second[p] = j;
    }
  }
  const order = radixOrder(squared);
  const out = {
    squared: new Float64Array(nPairs),
    first: new Uint32Array(nPairs),
    second: new Uint32Array(nPairs),
  };
  for (let q = 0; q < nPairs; q++) {
    out.squared[q] = squared[order[q]];
    out.first[q] = first[order[q]];
    out.second[q] = second[order[q]];
  }
  return out;
}

/** Places of non-negative numbers in ascending order, equal ones as they came. */
function radixOrder(keys: Float64Array): Uint32Array {
  // Non-negative floats are ordered as their bits, sorted here by 16 of them at a time.
  const digits = new Uint16Array(keys.buffer, keys.byteOffset, 4 * keys.length);
  let order = new Uint32Array(keys.length);
  let sorted = new Uint32Array(keys.length);
  for (let p = 0; p < keys.length; p++) order[p] = p;
  for (let digit = 0; digit < 4; digit++) {
    const next = new Uint32Array(65537);
    for (let p = digit; p < digits.length; p += 4) next[digits[p] + 1]++;
    for (let d = 1; d < 65536; d++) next[d] += next[d - 1];
    for (let q = 0; q < order.length; q++) sorted[next[digits[4 * order[q] + digit]]++] = order[q];
    [order, sorted] = [sorted, order];
  }
  return order;
}
