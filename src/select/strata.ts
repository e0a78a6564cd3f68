import { RequestError } from "../errors.ts";

/**
 * Budgets of strata, proportional to the square root of their sizes, at least one each and never more
 * than a stratum holds; remainders go to the largest fractions.
 *
 * @param sizes number of points in each stratum
 * @param budget number of points to choose, exactly
 * @param least points that each needs: one, or none where it has some already
 * @throws {RequestError} if there are more strata than the budget, or fewer points
 */
export function strataQuotas(
  sizes: readonly number[],
  budget: number,
  least: readonly number[] = sizes.map(() => 1),
): number[] {
  const total = sizes.reduce((sum, n) => sum + n, 0);
  if (budget < least.reduce((sum, n) => sum + n, 0)) {
    throw new RequestError(
      `Cannot choose ${budget} frames from ${sizes.length} strata: each needs at least one`,
    );
  }
  if (budget > total) throw new RequestError(`Cannot choose ${budget} of ${total} frames`);
  const shares = boundedShares(sizes, budget, least);
  const quotas = shares.map((share) => Math.floor(share + ROUNDING));
  const left = budget - quotas.reduce((sum, n) => sum + n, 0);
  shares.map((_, s) => s).filter((s) => quotas[s] < sizes[s])
    .sort((a, b) =>
      (shares[b] - quotas[b]) - (shares[a] - quotas[a]) || sizes[b] - sizes[a] || a - b
    )
    .slice(0, left).forEach((s) => quotas[s]++);
  return quotas;
}

/** Shares that differ by less are equal. */
const ROUNDING = 1e-9;

/** Shares min(n, max(least, λ √n)) of every stratum, λ such that they add up to the budget. */
function boundedShares(
  sizes: readonly number[],
  budget: number,
  least: readonly number[],
): number[] {
  const at = (level: number) =>
    sizes.map((n, s) => Math.min(n, Math.max(least[s], level * Math.sqrt(n))));
  let [low, high] = [0, Math.sqrt(Math.max(...sizes))];
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (at(middle).reduce((sum, share) => sum + share, 0) < budget) low = middle;
    else high = middle;
  }
  return at(high);
}

const MAX_VOLUME_BINS = 12;
const LEAST_PER_BIN = 10;

/**
 * Strata where no key is given: equal composition, then up to 12 bins of equal count in volume per atom.
 *
 * @param compositions formula per atom of each point, such as `H` or `H2O1`
 * @param volumes volume per atom of each point, Å³; NaN without a cell
 */
export function autoStrata(compositions: readonly string[], volumes: Float64Array): string[] {
  const strata = new Array<string>(compositions.length);
  for (const [composition, members] of membersOf(compositions)) {
    const known = members.filter((i) => Number.isFinite(volumes[i]))
      .sort((a, b) => volumes[a] - volumes[b] || a - b);
    for (const i of members) strata[i] = composition;
    const nBins = Math.min(MAX_VOLUME_BINS, Math.floor(known.length / LEAST_PER_BIN));
    if (nBins < 2) continue;
    let bin = 0;
    known.forEach((i, rank) => {
      const wanted = Math.floor(rank * nBins / known.length);
      // Equal volumes stay together: a new bin starts only where the volume changes.
      if (wanted > bin && volumes[i] !== volumes[known[rank - 1]]) bin = wanted;
      strata[i] = `${composition}/v${bin + 1}`;
    });
  }
  return strata;
}

/** Places of every name, in order of first appearance. */
export function membersOf(names: readonly string[]): Map<string, number[]> {
  return Map.groupBy(names.keys(), (i) => names[i]);
}
