import jstat from "jstat";

/** Mean difference with a 95 % interval and the two-sided p-value of no difference. */
export interface PairedTest {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
}

/**
 * Mean of one number per split and its standard error, corrected for the overlap of the splits.
 *
 * @param testShare n_test / n_train of a split
 */
export function correctedMean(values: readonly number[], testShare: number) {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  return { mean, error: Math.sqrt(variance * (1 / n + testShare)) };
}

/**
 * Corrected resampled t-test (Nadeau and Bengio 2003): splits share frames, so the variance of the
 * mean of J paired differences is s² (1/J + n_test / n_train) instead of s² / J. What is trained here,
 * selection and fit together, is given the whole pool: n_train is its size.
 *
 * @param differences one per split, at least 2
 * @param testShare n_test / n_train of a split
 */
export function pairedTest(differences: readonly number[], testShare: number): PairedTest {
  const n = differences.length;
  const { mean, error } = correctedMean(differences, testShare);
  if (error === 0) return { mean, low: mean, high: mean, p: mean === 0 ? 1 : 0 };
  const half = error * jstat.studentt.inv(0.975, n - 1);
  const p = 2 * (1 - jstat.studentt.cdf(Math.abs(mean) / error, n - 1));
  return { mean, low: mean - half, high: mean + half, p };
}

/** p-values adjusted for their number by Holm's step-down, in the given order. */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => p[a] - p[b]);
  const adjusted = new Array<number>(p.length);
  let largest = 0;
  order.forEach((i, rank) => {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[i]));
    adjusted[i] = largest;
  });
  return adjusted;
}
