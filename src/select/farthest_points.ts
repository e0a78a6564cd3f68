import { RequestError } from "../errors.ts";
import { type Matrix, squaredDistance } from "../matrix.ts";

/**
 * Farthest point sampling: the point nearest to the mean, then again and again the point whose
 * distance to the chosen ones is largest; ties go to the earlier point. O(n · budget · d).
 *
 * @param points shape (n, d)
 * @param members points that may be chosen
 * @param chosen points that count as chosen already
 * @throws {RequestError} where every further point coincides with a chosen one
 */
export function farthestPoints(
  points: Matrix,
  members: readonly number[],
  budget: number,
  chosen: readonly number[],
): number[] {
  const gap = Float64Array.from(
    members,
    (i) =>
      chosen.reduce((least, s) => Math.min(least, squaredDistance(points, i, points, s)), Infinity),
  );
  const picks: number[] = [];
  while (picks.length < budget) {
    const place = picks.length + chosen.length > 0 ? largest(gap) : nearestToMean(points, members);
    if (gap[place] === 0) {
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

function largest(values: Float64Array): number {
  let place = 0;
  for (let p = 1; p < values.length; p++) if (values[p] > values[place]) place = p;
  return place;
}

function nearestToMean(points: Matrix, members: readonly number[]): number {
  const { data, cols } = points;
  const mean = { data: new Float64Array(cols), rows: 1, cols };
  for (const i of members) {
    for (let k = 0; k < cols; k++) mean.data[k] += data[i * cols + k] / members.length;
  }
  const distances = Float64Array.from(members, (i) => -squaredDistance(points, i, mean, 0));
  return largest(distances);
}
