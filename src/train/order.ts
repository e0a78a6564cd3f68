import { hashName, uniformStream } from "../rng.ts";

const ORDER = 1000n;
const SPLIT = 999n;

/**
 * Order of the frames in an epoch: by seeded numbers, each a function of seed, epoch and the frame's id alone.
 *
 * @returns places of the ids
 */
export function shuffledOrder(ids: readonly string[], seed: bigint, epoch: number): number[] {
  return sortedBy(ids, uniformStream(seed, ORDER + BigInt(epoch)));
}

/**
 * Groups that are held out: in a seeded order of their names until they hold the share of all frames or more,
 * as long as something is left to train on.
 *
 * @param groups of each frame
 * @returns for each frame whether it is held out
 */
export function heldOut(groups: readonly string[], share: number, seed: bigint): boolean[] {
  const names = [...new Set(groups)];
  const wanted = Math.max(1, Math.floor(share * groups.length));
  const out = new Set<string>();
  let n = 0;
  for (const i of sortedBy(names, uniformStream(seed, SPLIT))) {
    if (n >= wanted || out.size === names.length - 1) break;
    out.add(names[i]);
    n += groups.filter((group) => group === names[i]).length;
  }
  return groups.map((group) => out.has(group));
}

function sortedBy(ids: readonly string[], uniform: (id: bigint) => number): number[] {
  const keys = ids.map((id) => uniform(hashName(id)));
  return [...ids.keys()].sort((i, j) =>
    keys[i] - keys[j] || (ids[i] < ids[j] ? -1 : ids[i] > ids[j] ? 1 : 0)
  );
}
