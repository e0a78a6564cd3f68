import { Matrix as MlMatrix, solve } from "ml-matrix";

/** Root mean square. */
export function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / values.length);
}

/** Root mean square of errors after each stratum's mean error is taken off. */
export function rmsWithin(errors: Float64Array, strata: readonly string[]): number {
  const mean = stratumMeans(errors, strata);
  return rms(errors.map((error, i) => error - mean.get(strata[i])!));
}

function stratumMeans(values: Float64Array, strata: readonly string[]): Map<string, number> {
  const sums = new Map<string, [sum: number, n: number]>();
  values.forEach((value, i) => {
    const [sum, n] = sums.get(strata[i]) ?? [0, 0];
    sums.set(strata[i], [sum + value, n + 1]);
  });
  return new Map([...sums].map(([name, [sum, n]]) => [name, sum / n]));
}

/** What a baseline may look at: never the descriptors. */
export interface BaselineInput {
  /** Energy per atom, eV; only the values of `train` are read. */
  readonly energy: Float64Array;
  /** Volume per atom, Å³; NaN without a cell. */
  readonly volume: Float64Array;
  readonly strata: readonly string[];
}

/** Predictions for the test rows of predictors that know no structure; null where one cannot be had. */
export function baselines(
  { energy, volume, strata }: BaselineInput,
  train: readonly number[],
  test: readonly number[],
): Record<"constant" | "density polynomial" | "mean per stratum", Float64Array | null> {
  const constant = train.reduce((sum, i) => sum + energy[i], 0) / train.length;
  const means = stratumMeans(
    Float64Array.from(train, (i) => energy[i]),
    train.map((i) => strata[i]),
  );
  return {
    "constant": new Float64Array(test.length).fill(constant),
    "density polynomial": polynomial(energy, volume, train, test),
    "mean per stratum": Float64Array.from(test, (i) => means.get(strata[i]) ?? constant),
  };
}

const DEGREE = 3;

/** Least squares in powers of the cube root of the volume per atom. */
function polynomial(
  energy: Float64Array,
  volume: Float64Array,
  train: readonly number[],
  test: readonly number[],
): Float64Array | null {
  const length = volume.map(Math.cbrt);
  const known = [...train, ...test].every((i) => Number.isFinite(length[i]));
  const center = train.reduce((sum, i) => sum + length[i], 0) / train.length;
  const spread = rms(train.map((i) => length[i] - center));
  if (!known || spread < 1e-9 * center || train.length <= DEGREE) return null;
  const powers = (i: number) =>
    Array.from({ length: DEGREE + 1 }, (_, k) => ((length[i] - center) / spread) ** k);
  const rows = new MlMatrix(train.map(powers));
  const target = MlMatrix.columnVector(train.map((i) => energy[i]));
  const c = solve(rows, target, true).to1DArray();
  return Float64Array.from(test, (i) => powers(i).reduce((sum, x, k) => sum + c[k] * x, 0));
}
