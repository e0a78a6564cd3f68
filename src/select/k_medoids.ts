import { RequestError } from "../errors.ts";
import { type Matrix, matrix, squaredDistance } from "../matrix.ts";
import { uniformRounds } from "../rng.ts";
import { type CloseCalls, NO_CLOSE_CALLS } from "./close_calls.ts";

const STREAM = 202n;
const MAX_ITERATIONS = 300;

/**
 * The member nearest to the centre of each of `budget` clusters of k-means: Lloyd's iterations from
 * k-means++ (Arthur and Vassilvitskii 2007) until no point changes its cluster, at most 300. A cluster
 * that runs empty takes the point farthest from its centre.
 *
 * @param points shape (n, d)
 * @param ids stable ids of the points, which seed the draws
 * @param members points that may be chosen, at least `budget` different ones
 * @param calls told of decisions that were close
 * @returns one point per cluster, largest cluster first
 * @throws {RequestError} where points coincide so that a cluster stays empty
 */
export function kMedoids(
  points: Matrix,
  ids: BigUint64Array,
  members: readonly number[],
  budget: number,
  seed: bigint,
  calls: CloseCalls = NO_CLOSE_CALLS,
): number[] {
  const centres = plusPlus(points, ids, members, budget, seed, calls);
  const state: Assignment = {
    cluster: new Int32Array(members.length).fill(-1),
    distance: new Float64Array(members.length),
    others: new Float64Array(members.length),
  };
  for (let round = 0; round < MAX_ITERATIONS; round++) {
    const moved = assign(points, members, centres, state, calls);
    if (!moved) break;
    average(points, members, centres, state);
  }
  assign(points, members, centres, state, calls);
  const { cluster, distance } = state;
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

/**
 * Centres drawn one after the other with probability ∝ w, the squared distance to those drawn before:
 * the largest w / E, E exponential and a function of seed, id and round alone. The draw along a running
 * sum of all w, the usual one, would hang on the last bits of every distance.
 */
function plusPlus(
  points: Matrix,
  ids: BigUint64Array,
  members: readonly number[],
  budget: number,
  seed: bigint,
  calls: CloseCalls,
): Matrix {
  const uniform = uniformRounds(seed, STREAM, members.map((i) => ids[i]));
  const centres = matrix(budget, points.cols);
  const gap = new Float64Array(members.length).fill(1);
  for (let c = 0; c < budget; c++) {
    let [pick, best, second] = [0, -1, -1];
    for (let p = 0; p < members.length; p++) {
      const key = gap[p] / -Math.log(uniform(p, c));
      if (isNearer(best, key)) [pick, best, second] = [p, key, best];
      else if (key > second) second = key;
    }
    calls.note("centre", members[pick], 1 - second / best);
    const row = members[pick] * points.cols;
    centres.data.set(points.data.subarray(row, row + points.cols), c * points.cols);
    members.forEach((i, p) => {
      const d2 = squaredDistance(points, i, centres, c);
      gap[p] = c === 0 ? d2 : Math.min(gap[p], d2);
    });
  }
  return centres;
}

/** Where every point belongs. */
interface Assignment {
  /** Centre of each point, -1 before the first. */
  readonly cluster: Int32Array;
  /** Squared distance to it. */
  readonly distance: Float64Array;
  /** Every other centre is at least this far. */
  readonly others: Float64Array;
}

/**
 * Sends every point to its nearest centre; tells whether one moved. Points whose centre is nearer than
 * any other can be are not compared with them (bounds of Hamerly 2010): the answer is the same.
 */
function assign(
  points: Matrix,
  members: readonly number[],
  centres: Matrix,
  { cluster, distance, others }: Assignment,
  calls: CloseCalls,
): boolean {
  const apart = gapsBetween(centres);
  let moved = false;
  members.forEach((i, p) => {
    const own = cluster[p];
    if (own >= 0) {
      distance[p] = squaredDistance(points, i, centres, own);
      const bound = Math.max(others[p], apart[own] / 2);
      if (Math.sqrt(distance[p]) * (1 + ROUNDING) < bound) return;
    }
    let best = 0;
    let least = Infinity;
    let second = Infinity;
    for (let c = 0; c < centres.rows; c++) {
      const d2 = squaredDistance(points, i, centres, c);
      if (d2 < least) {
        second = least;
        least = d2;
        best = c;
      } else if (d2 < second) second = d2;
    }
    // Of centres at the same distance the one that it has is kept.
    if (own >= 0 && best !== own && !isNearer(least, distance[p])) {
      [best, least] = [own, distance[p]];
    }
    calls.note("cluster", i, 1 - least / second);
    moved ||= own !== best;
    cluster[p] = best;
    distance[p] = least;
    others[p] = Math.sqrt(second);
  });
  return moved;
}

/** Distance of every centre to the nearest other one. */
function gapsBetween(centres: Matrix): Float64Array {
  const gaps = new Float64Array(centres.rows).fill(Infinity);
  for (let a = 0; a < centres.rows; a++) {
    for (let b = 0; b < a; b++) {
      const gap = Math.sqrt(squaredDistance(centres, a, centres, b));
      gaps[a] = Math.min(gaps[a], gap);
      gaps[b] = Math.min(gaps[b], gap);
    }
  }
  return gaps;
}

/** Moves every centre to the mean of its points. */
function average(
  points: Matrix,
  members: readonly number[],
  centres: Matrix,
  { cluster, distance, others }: Assignment,
): void {
  const size = new Uint32Array(centres.rows);
  cluster.forEach((c) => size[c]++);
  for (let c = 0; c < centres.rows; c++) {
    if (size[c] > 0) continue;
    // A cluster of one point keeps it.
    const far = distance.reduce(
      (best, d, p) => size[cluster[p]] > 1 && (best < 0 || isNearer(distance[best], d)) ? p : best,
      -1,
    );
    size[cluster[far]]--;
    size[c] = 1;
    cluster[far] = c;
    distance[far] = 0;
    others[far] = 0;
  }
  const before = { ...centres, data: centres.data.slice() };
  centres.data.fill(0);
  const { cols } = points;
  members.forEach((i, p) => {
    const c = cluster[p];
    for (let k = 0; k < cols; k++) {
      centres.data[c * cols + k] += points.data[i * cols + k] / size[c];
    }
  });
  let farthest = 0;
  for (let c = 0; c < centres.rows; c++) {
    farthest = Math.max(farthest, squaredDistance(centres, c, before, c));
  }
  const step = Math.sqrt(farthest) * (1 + ROUNDING);
  others.forEach((_, p) => others[p] -= step);
}
