import { RequestError } from "../errors.ts";
import { type Matrix, matrix, squaredDistance, takeRows } from "../matrix.ts";
import { birch } from "./birch.ts";
import { isNearer } from "./k_medoids.ts";
import { ward } from "./ward.ts";

/** Threshold of the first tree; it falls as maml's does, and is halved where that leads nowhere, until
 * there are enough subclusters. */
const THRESHOLD = 0.5;
const MAML_TREES = 30;
const MAX_TREES = 80;
/** Ward's clustering holds the square of this many distances: 2 GB. */
const MAX_SUBCLUSTERS = 16384;

/**
 * DIRECT sampling (Qi et al., npj Comput. Mater. 10, 43 (2024)): BIRCH subclusters, Ward's clustering
 * of their centres into as many clusters as frames are wanted, and of each the point nearest to its
 * centre. The answer depends on the order of the points; they must be in canonical order.
 *
 * @param points weighted principal components, shape (n, d)
 * @param members points that may be chosen
 * @param compat as maml does: a cluster's centre is that of its last subcluster, and a cluster may be
 *   without points; otherwise subclusters without points are dropped and the centre is the points' mean
 * @throws {RequestError} if the clusters do not yield `budget` points
 */
export function direct(
  points: Matrix,
  members: readonly number[],
  budget: number,
  compat: boolean,
): number[] {
  const cloud = takeRows(points, members);
  let threshold = THRESHOLD;
  for (let tree = 0; tree < MAX_TREES; tree++) {
    const { centres, nearest } = subclusters(cloud, threshold, compat);
    if (centres.rows >= budget) {
      if (centres.rows > MAX_SUBCLUSTERS) {
        throw new RequestError(
          `Cannot cluster ${centres.rows} BIRCH subclusters, at most ${MAX_SUBCLUSTERS}; lower -n`,
        );
      }
      const label = ward(centres, budget);
      const picks = nearestToCentres(cloud, centres, nearest, label, budget, compat);
      if (picks.length === budget) return picks.map((p) => members[p]);
      throw new RequestError(
        `Cannot choose ${budget} frames by direct: of ${budget} clusters only ${picks.length} hold ` +
          "frames; lower -n or leave out --compat",
      );
    }
    threshold *= tree < MAML_TREES ? centres.rows / budget : 0.5;
  }
  throw new RequestError(`Cannot form ${budget} clusters of ${members.length} frames; lower -n`);
}

/** Centres of the subclusters and the nearest of them to every point. */
function subclusters(cloud: Matrix, threshold: number, compat: boolean) {
  const centres = birch(cloud, threshold);
  const nearest = Uint32Array.from({ length: cloud.rows }, (_, i) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < centres.rows; c++) {
      const d2 = squaredDistance(cloud, i, centres, c);
      if (d2 < least) [best, least] = [c, d2];
    }
    return best;
  });
  if (compat) return { centres, nearest };
  const held = [...new Set(nearest)].sort((a, b) => a - b);
  const place = new Map(held.map((c, p) => [c, p]));
  return { centres: takeRows(centres, held), nearest: nearest.map((c) => place.get(c)!) };
}

/**
 * Of every cluster with points, the one nearest to its centre.
 *
 * @param centres of the subclusters
 * @param nearest subcluster of every point
 * @param label cluster of every subcluster
 */
export function nearestToCentres(
  cloud: Matrix,
  centres: Matrix,
  nearest: Uint32Array,
  label: Uint32Array,
  nClusters: number,
  compat: boolean,
): number[] {
  const { cols } = cloud;
  const middle = matrix(nClusters, cols);
  const size = new Uint32Array(nClusters);
  for (let i = 0; i < cloud.rows; i++) {
    const c = label[nearest[i]];
    size[c]++;
    for (let k = 0; k < cols; k++) middle.data[c * cols + k] += cloud.data[i * cols + k];
  }
  middle.data.forEach((_, at) => middle.data[at] /= Math.max(size[Math.floor(at / cols)], 1));
  if (compat) {
    label.forEach((c, s) =>
      middle.data.set(centres.data.subarray(s * cols, (s + 1) * cols), c * cols)
    );
  }
  const best = new Int32Array(nClusters).fill(-1);
  const least = new Float64Array(nClusters).fill(Infinity);
  for (let i = 0; i < cloud.rows; i++) {
    const c = label[nearest[i]];
    const d2 = squaredDistance(cloud, i, middle, c);
    if (compat ? d2 < least[c] : isNearer(d2, least[c])) [best[c], least[c]] = [i, d2];
  }
  return [...best].filter((i) => i >= 0);
}
