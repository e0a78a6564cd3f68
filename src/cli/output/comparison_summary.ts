import type { ComparePool, Comparison, Trial } from "../../compare/compare.ts";
import type { TrainedErrors } from "../../compare/fine_tuning.ts";
import { type PairedTest, pairedTest } from "../../compare/paired_test.ts";
import { rankCorrelation } from "../../compare/rank_correlation.ts";
import { contrasts, type Curve, verdict } from "../../compare/verdict.ts";
import { deviation } from "../../report/comparison.ts";
import type { CompareCommand } from "../syntax/options.ts";
import { VERSION } from "../syntax/version.ts";

/** What compare.json holds. */
export type ComparisonSummary = ReturnType<typeof summariseComparison>;

/** Errors of one method at one size, a number per split. */
type Row = ReturnType<typeof rowOf>;

const DECIDED_BY =
  "logarithm of the RMSE of energies per atom by Gaussian kernel ridge regression, " +
  "mean over the sizes, paired with random";

/** Means over seeds for every split, and what they say about each method. */
export function summariseComparison(
  command: CompareCommand,
  input: ComparePool,
  { trials, splits }: Comparison,
) {
  const rows = command.methods.flatMap((method) =>
    command.sizes.map((size) => {
      const own = trials.filter((trial) => trial.method === method && trial.size === size);
      return { method, size, ...rowOf(own, splits.length) };
    })
  );
  const curvesOf = (errors: (row: Row) => readonly number[] | undefined): Curve[] =>
    rows.flatMap((row) => {
      const own = errors(row);
      return own ? [{ method: row.method, size: row.size, errors: own }] : [];
    });
  const proxy = curvesOf(({ errors }) => errors?.krr_rmse);
  const readout = curvesOf(({ readout_forces_rmse: errors }) => errors ?? undefined);
  const forces = curvesOf(({ trained }) => trained?.forces_rmse);
  const testShare = mean(splits.map(({ pool, test }) => test.length / pool.length));
  const names = Object.keys(splits[0].fromPool);
  return {
    program: "cpd",
    version: VERSION,
    options: { ...command, seed: Number(command.seed) },
    n_frames: input.frames.length,
    n_pool: splits[0].pool.length,
    n_test: splits.map(({ test }) => test.length),
    decided_by: DECIDED_BY,
    rows,
    from_pool: names.map((name) => ({
      name,
      rmse: splits.map(({ fromPool }) => fromPool[name]?.rmse ?? null),
      within: splits.map(({ fromPool }) => fromPool[name]?.within ?? null),
    })),
    contrasts: contrasts(proxy, "random", testShare),
    verdict: verdict(proxy, testShare),
    readout_forces: trials[0].readoutForces === null ? null : {
      contrasts: contrasts(readout, "random", testShare),
      verdict: verdict(readout, testShare, "meV/Å"),
    },
    fine_tuning: splits[0].trained && {
      before: perSplit(splits.map(({ trained }) => trained!.before)),
      whole_pool: perSplit(splits.map(({ trained }) => trained!.pool)),
      energies: judged(
        curvesOf(({ trained }) => trained?.energy_rmse),
        proxy,
        testShare,
        "meV/atom",
      ),
      forces: judged(forces, proxy, testShare, "meV/Å"),
      forces_by_readout: readout.length > 0 ? agreement(forces, readout, testShare) : null,
    },
  };
}

/** Of the trials of one method at one size. */
function rowOf(own: readonly Trial[], nSplits: number) {
  const bySplit = Array.from({ length: nSplits }, (_, s) => own.filter(({ split }) => split === s));
  const means = (value: (trial: Trial) => number) => bySplit.map((at) => mean(at.map(value)));
  // What the seed alone does, where there are several.
  const deviations = (value: (trial: Trial) => number) =>
    bySplit.map((at) => deviation(at.map(value)));
  return {
    errors: own[0].errors && {
      krr_rmse: means(({ errors }) => errors!.krr.rmse),
      krr_within: means(({ errors }) => errors!.krr.within),
      ridge_rmse: means(({ errors }) => errors!.ridge.rmse),
      ridge_within: means(({ errors }) => errors!.ridge.within),
      krr_seed_deviation: deviations(({ errors }) => errors!.krr.rmse),
    },
    readout_forces_rmse: own[0].readoutForces === null
      ? null
      : means(({ readoutForces }) => readoutForces!),
    trained: own[0].trained && {
      energy_rmse: means(({ trained }) => trained!.energy),
      forces_rmse: means(({ trained }) => trained!.forces),
      energy_seed_deviation: deviations(({ trained }) => trained!.energy),
      forces_seed_deviation: deviations(({ trained }) => trained!.forces),
    },
    covering_radius: means(({ coverage }) => coverage.coveringRadius),
    mean_distance: means(({ coverage }) => coverage.meanDistance),
    feature_coverage: means(({ coverage }) => coverage.featureCoverage),
    energy_distance: means(({ coverage }) => coverage.energyDistance),
    test_distance: own[0].leakage ? means(({ leakage }) => leakage!.median) : null,
  };
}

function perSplit(errors: readonly TrainedErrors[]) {
  return {
    energy_rmse: errors.map(({ energy }) => energy),
    forces_rmse: errors.map(({ forces }) => forces),
  };
}

/** What fine-tuned models say of the methods, and whether kernel ridge regression says the same. */
function judged(
  curves: readonly Curve[],
  proxy: readonly Curve[],
  testShare: number,
  unit: string,
) {
  return {
    contrasts: contrasts(curves, "random", testShare),
    verdict: verdict(curves, testShare, unit),
    rank_correlation: agreement(curves, proxy, testShare),
  };
}

/** Rank correlation of the methods by two criteria: of every split the mean over the sizes, and their mean with its
 * interval; null where there is too little to rank. */
function agreement(
  curves: readonly Curve[],
  proxy: readonly Curve[],
  testShare: number,
): Pick<PairedTest, "mean" | "low" | "high"> | null {
  const nSplits = curves[0].errors.length;
  const sizes = [...new Set(curves.map(({ size }) => size))];
  if (nSplits < 2 || curves.length < 3 * sizes.length || proxy.length === 0) return null;
  const at = (own: readonly Curve[], size: number, split: number) =>
    own.filter((curve) => curve.size === size).map(({ errors }) => errors[split]);
  const correlations = Array.from(
    { length: nSplits },
    (_, split) =>
      mean(sizes.map((size) => rankCorrelation(at(curves, size, split), at(proxy, size, split)))),
  );
  const known = correlations.filter(Number.isFinite);
  if (known.length < 2) return null;
  const { mean: value, low, high } = pairedTest(known, testShare);
  return { mean: value, low: Math.max(-1, low), high: Math.min(1, high) };
}

/** The verdict in lines: that of the cheap regressors, and those of the trained models. */
export function verdictLines(
  { verdict, fine_tuning, readout_forces }: ComparisonSummary,
): string[] {
  const readout = (readout_forces?.verdict ?? []).map((line) =>
    `Ridge regression, forces: ${line}`
  );
  if (!fine_tuning) return [...verdict, ...readout];
  const told = (["energies", "forces"] as const).flatMap((quantity) => {
    const { verdict: lines, rank_correlation: ranks } = fine_tuning[quantity];
    const byReadout = quantity === "forces" ? fine_tuning.forces_by_readout : null;
    const agrees = [
      ...(ranks ? [agreesWith("kernel ridge regression of energies", ranks)] : []),
      ...(byReadout ? [agreesWith("the forces of ridge regression", byReadout)] : []),
    ];
    return [...lines, ...agrees].map((line) => `Fine-tuned, ${quantity}: ${line}`);
  });
  return [...told, ...verdict.map((line) => `Kernel ridge regression: ${line}`), ...readout];
}

function agreesWith(
  what: string,
  { mean, low, high }: Pick<PairedTest, "mean" | "low" | "high">,
): string {
  const interval = low < high ? `${low.toFixed(2)} to ${high.toFixed(2)}` : "not to be had";
  return `${what} ranks the methods with a rank correlation of ${
    mean.toFixed(2)
  } (95 % interval ${interval}), on the same selections and test frames`;
}

export function mean(values: readonly number[]): number {
  return values.reduce((s, v) => s + v, 0) / values.length;
}
