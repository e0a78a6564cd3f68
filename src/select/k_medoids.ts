import { RequestError } from "../errors.ts";
import { type Matrix, matrix, squaredDistance } from "../matrix.ts";
import { uniformStream } from "../rng.ts";

const STREAM = 202n;
const MAX_ITERATIONS = 300;

/**
 * The member nearest to the centre of each of `budget` clusters of k-means: Lloyd's iterations from
 * k-means++ (Arthur and Vassilvitskii 2007) until no point changes its cluster, at most 300. A cluster
 * that runs empty takes the point farthest from its centre.
 *
 * @param points shape (n, d)
 * @param members points that may be chosen, at least `budget` different ones
 * @returns one point per cluster, largest cluster first
 * @throws {RequestError} where points coincide so that a cluster stays empty
 */
export function kMedoids(
  points: Matrix,
  members: readonly number[],
  budget: number,
  seed: bigint,
): number[] {
  const centres = plusPlus(points, members, budget, seed);
  const cluster = new Int32Array(members.length).fill(-1);
  const distance = new Float64Array(members.length);
  for (let round = 0; round < MAX_ITERATIONS; round++) {
    const moved = assign(points, members, centres, cluster, distance);
    if (!moved) break;
    average(points, members, centres, cluster, distance);
  }
  assign(points, members, centres, cluster, distance);
  const size = new Uint32Array(budget);
  const nearest = new Int32Array(budget).fill(-1);
  cluster.forEach((c, p) => {
    size[c]++;
    if (nearest[c] < 0 || isNearer(distance[p], distance[nearest[c]])) nearest[c] = p;
  });
  const order = [...size.keys()].filter((c) => nearest[c] >= 0)
    .sort((a, b) => size[b] - size[a] || nearest[a] - nearest[b]);
  if (order.length < budget) {
    throw new RequestError(
      `Cannot choose ${budget} frames by kmedoids: only ${order.length} clusters hold frames; lower -n`,
    );
  }
  return order.map((c) => members[nearest[c]]);
}

/** Distances that differ by less are equal: the two points of a cluster of two are equally near to their
 * mean, and rounding must not decide between them. */
const ROUNDING = 1e-9;

/** Whether one squared distance is smaller than another beyond rounding. */
export function isNearer(a: number, b: number): boolean {
  return a < b * (1 - ROUNDING);
}

/** Centres drawn one after the other with probability ∝ squared distance to those drawn before. */
function plusPlus(
  points: Matrix,
  members: readonly number[],
  budget: number,
  seed: bigint,
): Matrix {
  const uniform = uniformStream(seed, STREAM);
  const centres = matrix(budget, points.cols);
  const gap = new Float64Array(members.length).fill(Infinity);
  let pick = Math.min(members.length - 1, Math.floor(uniform(0n) * members.length));
  for (let c = 0; c < budget; c++) {
    const row = members[pick] * points.cols;
    centres.data.set(points.data.subarray(row, row + points.cols), c * points.cols);
    let total = 0;
    members.forEach((i, p) => {
      gap[p] = Math.min(gap[p], squaredDistance(points, i, centres, c));
      total += gap[p];
    });
    let left = uniform(BigInt(c + 1)) * total;
    pick = gap.findIndex((g) => g > 0 && (left -= g) <= 0);
    if (pick < 0) pick = gap.findLastIndex((g) => g > 0);
  }
  return centres;
}

/** Sends every point to its nearest centre; tells whether one moved. */
function assign(
  points: Matrix,
  members: readonly number[],
  centres: Matrix,
  cluster: Int32Array,
  distance: Float64Array,
): boolean {
  let moved = false;
  members.forEach((i, p) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < centres.rows; c++) {
      const d2 = squaredDistance(points, i, centres, c);
      if (d2 < least) [best, least] = [c, d2];
    }
    moved ||= cluster[p] !== best;
    cluster[p] = best;
    distance[p] = least;
  });
  return moved;
}

/** Moves every centre to the mean of its points. */
function average(
  points: Matrix,
  members: readonly number[],
  centres: Matrix,
  cluster: Int32Array,
  distance: Float64Array,
): void {
  const size = new Uint32Array(centres.rows);
  cluster.forEach((c) => size[c]++);
  for (let c = 0; c < centres.rows; c++) {
    if (size[c] > 0) continue;
    const far = distance.reduce((best, d, p) => (d > distance[best] ? p : best), 0);
    size[cluster[far]]--;
    size[c] = 1;
    cluster[far] = c;
    distance[far] = 0;
  }
  centres.data.fill(0);
  const { cols } = points;
  members.forEach((i, p) => {
    const c = cluster[p];
    for (let k = 0; k < cols; k++) {
      centres.data[c * cols + k] += points.data[i * cols + k] / size[c];
    }
  });
}
