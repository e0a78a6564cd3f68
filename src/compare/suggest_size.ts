import jstat from "jstat";
import { correctedMean } from "./paired_test.ts";
import type { Backend } from "../backend.ts";
import {
  compare,
  type CompareOptions,
  type ComparePool,
  type Comparison,
  countTrials,
  MOST_FITTED,
} from "./compare.ts";
import { RequestError } from "../errors.ts";
import type { Method } from "../select/method.ts";

export interface SizeOptions
  extends Omit<CompareOptions, "methods" | "sizes" | "testShare" | "poolSize"> {
  readonly method: Method;
  /** With energies: how far above the error of the whole pool the error may be, eV/atom. */
  readonly margin: number;
}

/** What choosing N frames gives. */
export interface SizeRow {
  readonly size: number;
  /** Error on held-out frames, eV/atom; or the distance within which 95 % of the frames have a chosen one. */
  readonly value: number;
  /** What is to be small: the error above that of the whole pool, or the distance. */
  readonly excess: number;
  /** Upper end of its one-sided 95 % band over the splits, or over the seeds. */
  readonly upper: number;
}

/** The smallest number of frames that is good enough, and why. */
export interface SizeSearch {
  readonly criterion: "energy" | "coverage";
  /** What `upper` must not exceed: the margin, or r_c. */
  readonly limit: number;
  readonly rows: readonly SizeRow[];
  /** Null where the data do not allow an answer. */
  readonly size: number | null;
  /** In words, what was found. */
  readonly reason: string;
}

/** Sizes grow by this factor. */
const STEP = 10 ** 0.2;
const FEWEST = 10;
const TEST_SHARE = 0.25;
/** Pools smaller than this are not divided. */
const LEAST_POOL = 40;
/** One-sided level of the bands. */
const LEVEL = 0.95;

/**
 * Proposes how many frames to choose. Where there are energies: nested sizes on several splits, cheap
 * regressors fitted to the chosen frames and tested on held-out ones as in `compare`; the smallest
 * size whose error is above that of the whole pool by no more than the margin, with the upper end of
 * the band. Without: the smallest size at which 95 % of the frames have a chosen one within r_c.
 *
 * @param radius r_c of the whole pool
 * @param report told the share of the work that is done
 */
export async function suggestSize(
  input: ComparePool,
  radius: number,
  options: SizeOptions,
  backend: Backend,
  report: (share: number) => void,
): Promise<SizeSearch> {
  const n = input.frames.length;
  if (n < LEAST_POOL) {
    throw new RequestError(
      `Cannot propose a size from ${n} frames, expected at least ${LEAST_POOL}; give -n`,
    );
  }
  const largest = Math.min(
    Math.floor((input.energy ? 1 - 1.2 * TEST_SHARE : 0.9) * n),
    input.energy ? MOST_FITTED : Infinity,
  );
  const sizes: number[] = [];
  // Every stratum asks for a frame.
  const fewest = Math.max(FEWEST, options.stratified ? new Set(input.strata).size : 0);
  for (let size = fewest; size <= largest; size = Math.ceil(size * STEP)) sizes.push(size);
  if (sizes.length === 0) {
    throw new RequestError(
      `Cannot propose a size: ${fewest} strata need as many frames, at most ${largest} can be tried; ` +
        "give -n",
    );
  }
  const labelled = input.energy !== null;
  const comparison: CompareOptions = {
    ...options,
    methods: [options.method],
    sizes,
    testShare: TEST_SHARE,
    poolSize: null,
    seeds: labelled ? 1 : options.seeds,
  };
  const total = countTrials(input, comparison, false);
  const found = await compare(input, comparison, backend, (done) => report(done / total));
  return labelled ? byEnergy(found, options.margin) : byCoverage(found, radius);
}

function byEnergy({ trials, splits }: Comparison, margin: number): SizeSearch {
  const whole = splits.map(({ fromPool }) => fromPool.krr!.rmse);
  const share = mean(splits.map(({ pool, test }) => test.length / pool.length));
  const rows = sizesOf(trials).map((size): SizeRow => {
    const own = trials.filter((trial) => trial.size === size).map(({ errors }) => errors!.krr.rmse);
    const excess = own.map((error, s) => error - whole[s]);
    return { size, value: mean(own), excess: mean(excess), upper: upperEnd(excess, share) };
  });
  const blind = mean(
    splits.map(({ fromPool }) =>
      Math.min(
        ...["constant", "density polynomial", "mean per stratum"].map((name) =>
          fromPool[name]?.rmse ?? Infinity
        ),
      )
    ),
  );
  const meV = (eV: number) => `${(1000 * eV).toFixed(1)} meV/atom`;
  const nPool = Math.round(mean(splits.map(({ pool }) => pool.length)));
  const all = nPool > MOST_FITTED ? `${MOST_FITTED} drawn of ${nPool}` : `all ${nPool}`;
  const common = { criterion: "energy" as const, limit: margin, rows };
  if (mean(whole) >= blind) {
    const reason = `the descriptors predict energies no better (${meV(mean(whole))}) than their ` +
      `baselines without structure (${meV(blind)})`;
    return { ...common, size: null, reason };
  }
  const size = firstWithin(rows, margin);
  if (size === null) {
    const last = rows[rows.length - 1];
    const reason =
      `even ${last.size} frames leave the error up to ${meV(last.upper)} above that of ` +
      `${all} (${meV(mean(whole))}), allowed ${meV(margin)}`;
    return { ...common, size: null, reason };
  }
  const { value, upper } = rows.find((row) => row.size === size)!;
  const reason =
    `${size} frames give ${meV(value)} on held-out frames, at most ${meV(upper)} more than ` +
    `${all} (${meV(mean(whole))}; 95 % band over ${splits.length} splits, allowed ${meV(margin)})`;
  return { ...common, size, reason };
}

function byCoverage({ trials, splits }: Comparison, radius: number): SizeSearch {
  const rows = sizesOf(trials).map((size): SizeRow => {
    const own = trials.filter((trial) => trial.size === size)
      .map(({ coverage }) => coverage.distance95);
    return { size, value: mean(own), excess: mean(own), upper: upperEnd(own, 0) };
  });
  const size = firstWithin(rows, radius);
  const common = { criterion: "coverage" as const, limit: radius, rows, size };
  const r = radius.toPrecision(3);
  const last = rows[rows.length - 1];
  const reason = size === null
    ? `with ${last.size} of ${
      splits[0].pool.length
    } frames 95 % of them have a chosen one within ` +
      `${last.upper.toPrecision(3)} only, wanted r_c = ${r}`
    : `with ${size} frames 95 % of all have a chosen one within r_c = ${r} (no energies: coverage only)`;
  return { ...common, reason };
}

/** The smallest size from which on every size is within the limit. */
function firstWithin(rows: readonly SizeRow[], limit: number): number | null {
  let first: number | null = null;
  for (const { size, upper } of rows.toReversed()) {
    if (!(upper <= limit)) break;
    first = size;
  }
  return first;
}

/**
 * Upper end of the one-sided band of a mean, its variance corrected for the overlap of the splits
 * (Nadeau and Bengio 2003).
 */
function upperEnd(values: readonly number[], testShare: number): number {
  const n = values.length;
  if (n < 2) return values[0];
  const { mean, error } = correctedMean(values, testShare);
  return mean + jstat.studentt.inv(LEVEL, n - 1) * error;
}

function sizesOf(trials: Comparison["trials"]): number[] {
  return [...new Set(trials.map(({ size }) => size))].sort((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
