import { RequestError } from "../errors.ts";
import { type Matrix, squaredDistance } from "../matrix.ts";
import { type CloseCalls, NO_CLOSE_CALLS } from "./close_calls.ts";

/**
 * Farthest point sampling: the point nearest to the mean, then again and again the point whose
 * distance to the chosen ones is largest; ties go to the earlier point. O(n · budget · d).
 *
 * @param points shape (n, d)
 * @param members points that may be chosen
 * @param chosen points that count as chosen already
 * @param calls told of decisions that were close
 * @throws {RequestError} where every further point coincides with a chosen one
 */
export function farthestPoints(
  points: Matrix,
  members: readonly number[],
  budget: number,
  chosen: readonly number[],
  calls: CloseCalls = NO_CLOSE_CALLS,
): number[] {
  const gap = Float64Array.from(
    members,
    (i) =>
      chosen.reduce((least, s) => Math.min(least, squaredDistance(points, i, points, s)), Infinity),
  );
  const picks: number[] = [];
  while (picks.length < budget) {
    const first = picks.length + chosen.length === 0;
    const [place, margin] = largest(first ? nearnessToMean(points, members) : gap);
    calls.note("farthest", members[place], margin);
    if (!first && gap[place] === 0) {
      throw new RequestError(
        `Cannot choose ${budget} frames by fps: after ${picks.length} every other frame coincides ` +
          "with a chosen one; lower -n",
      );
    }
    picks.push(members[place]);
    members.forEach((i, p) => {
      gap[p] = Math.min(gap[p], squaredDistance(points, i, points, members[place]));
    });
  }
  return picks;
}

/** Place of the largest value, and how much smaller the next one is, relative. */
function largest(values: Float64Array): [place: number, margin: number] {
  let [place, second] = [0, -Infinity];
  for (let p = 1; p < values.length; p++) {
    if (values[p] > values[place]) [place, second] = [p, values[place]];
    else if (values[p] > second) second = values[p];
  }
  return [place, (values[place] - second) / Math.abs(values[place])];
}

/** The inverse of the squared distance of every member to their mean. */
function nearnessToMean(points: Matrix, members: readonly number[]): Float64Array {
  const { data, cols } = points;
  const mean = { data: new Float64Array(cols), rows: 1, cols };
  for (const i of members) {
    for (let k = 0; k < cols; k++) mean.data[k] += data[i * cols + k] / members.length;
  }
  return Float64Array.from(members, (i) => 1 / squaredDistance(points, i, mean, 0));
}
