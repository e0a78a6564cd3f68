import { RequestError } from "../errors.ts";

/**
 * Budgets of strata, proportional to the square root of their sizes, at least one each and never more
 * than a stratum holds; remainders go to the largest fractions.
 *
 * @param sizes number of points in each stratum
 * @param budget number of points to choose, exactly
 * @throws {RequestError} if there are more strata than the budget, or fewer points
 */
export function strataQuotas(sizes: readonly number[], budget: number): number[] {
  const total = sizes.reduce((sum, n) => sum + n, 0);
  if (budget < sizes.length) {
    throw new RequestError(
      `Cannot choose ${budget} frames from ${sizes.length} strata: each needs at least one`,
    );
  }
  if (budget > total) throw new RequestError(`Cannot choose ${budget} of ${total} frames`);
  const quotas = sizes.map(() => 1);
  let left = budget - sizes.length;
  while (left > 0) {
    const open = sizes.map((n, s) => (quotas[s] < n ? Math.sqrt(n) : 0));
    const weight = open.reduce((sum, w) => sum + w, 0);
    const shares = open.map((w, s) => Math.min(sizes[s] - quotas[s], left * w / weight));
    const whole = shares.map(Math.floor);
    const given = whole.reduce((sum, n) => sum + n, 0);
    whole.forEach((n, s) => quotas[s] += n);
    left -= given;
    if (given > 0 && left >= sizes.length) continue;
    const order = shares.map((_, s) => s).filter((s) => quotas[s] < sizes[s])
      .sort((a, b) => (shares[b] % 1) - (shares[a] % 1) || sizes[b] - sizes[a] || a - b);
    for (const s of order.slice(0, left)) {
      quotas[s]++;
      left--;
    }
  }
  return quotas;
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
  for (const composition of new Set(compositions)) {
    const members = compositions.flatMap((c, i) => (c === composition ? [i] : []));
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
