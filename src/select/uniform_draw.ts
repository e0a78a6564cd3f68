import { uniformStream } from "../rng.ts";

const STREAM = 201n;

/**
 * A uniform draw without replacement: the points with the smallest of seeded numbers, each a function
 * of the point's id alone, so that smaller budgets are prefixes of larger ones.
 *
 * @param members points that may be chosen, indices into the ids
 */
export function uniformDraw(
  ids: BigUint64Array,
  members: readonly number[],
  budget: number,
  seed: bigint,
): number[] {
  const uniform = uniformStream(seed, STREAM);
  const keys = new Map(members.map((i) => [i, uniform(ids[i])]));
  return members.toSorted((i, j) => keys.get(i)! - keys.get(j)! || (ids[i] < ids[j] ? -1 : 1))
    .slice(0, budget);
}
