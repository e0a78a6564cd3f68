import type { Matrix } from "../matrix.ts";
import {
  type Candidates,
  type CentralPeripheral,
  densityPools,
  OVERSAMPLE,
  type PoolOptions,
  shares,
} from "./central_peripheral.ts";
import { farthestPoints } from "./farthest_points.ts";
import { kMedoids } from "./k_medoids.ts";

/** Fraction of the points that are the rim, unless its share of the budget asks for more. */
const RIM = 0.2;
/**
 * Central-peripheral selection that spreads over its pools instead of drawing from them: the densest
 * points are the core and give the medoids of k-means, the sparsest fifth is the rim and gives the
 * points farthest from all that is chosen (`bench/selection/README.md` tells what it is worth).
 *
 * @param points shape (n, K); rows behind the candidates may be listed in `chosen`
 * @param members points that may be chosen, indices into the candidates
 * @param barred points that may not enter the rim
 * @param chosen points that count as chosen already
 * @throws {RequestError} if the pools hold fewer points than the budget
 */
export function spreadPools(
  points: Matrix,
  candidates: Candidates,
  members: readonly number[],
  barred: ReadonlySet<number>,
  chosen: readonly number[],
  budget: number,
  options: PoolOptions,
): CentralPeripheral {
  const [, nRim] = shares(budget, options.centralShare);
  const rim = Math.min(1, Math.max(RIM, OVERSAMPLE * nRim / Math.max(members.length, 1)));
  const room = 1 - (options.central ?? 0);
  const peripheral = options.peripheral ?? (nRim > 0 ? Math.min(rim, room) : 0);
  const pools = densityPools(candidates, members, barred, budget, {
    ...options,
    peripheral,
    central: options.central ?? 1 - peripheral,
  });
  const { centralPool, peripheralPool, nCentral, nPeripheral } = pools;
  // Clusters must not see the order by density.
  const core = centralPool.toSorted((i, j) => i - j);
  const { ids, calls } = candidates;
  const central = nCentral > 0 ? kMedoids(points, ids, core, nCentral, options.seed, calls) : [];
  return {
    centralPool,
    peripheralPool,
    central,
    peripheral: farthestPoints(
      points,
      peripheralPool.toSorted((i, j) => i - j),
      nPeripheral,
      [...chosen, ...central],
      calls,
    ),
  };
}
