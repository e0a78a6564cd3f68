import { holm, type PairedTest, pairedTest } from "./paired_test.ts";

/** Errors of one method at one size, one number per split: eV/atom, or eV/Å. */
export interface Curve {
  readonly method: string;
  readonly size: number;
  readonly errors: readonly number[];
}

/**
 * A method against another. `mean`, `low` and `high` are of ln(error / other error): errors of splits
 * differ by factors, and a ratio asks nothing about their size. Negative is better.
 */
export interface Contrast extends PairedTest {
  readonly method: string;
  readonly against: string;
  /** Null: the mean over all sizes, the area between two learning curves on logarithmic axes. */
  readonly size: number | null;
  /** Mean difference of the errors, in their unit. */
  readonly difference: number;
  /** p adjusted for the number of methods at this size (Holm). */
  readonly adjusted: number;
}

/**
 * Paired contrasts of every other method with `against`, over all sizes and at each.
 *
 * @param testShare n_test / n_train of a split
 */
export function contrasts(
  curves: readonly Curve[],
  against: string,
  testShare: number,
): Contrast[] {
  const methods = [...new Set(curves.map(({ method }) => method))];
  const sizes = [...new Set(curves.map(({ size }) => size))];
  const errorsOf = new Map(curves.map(({ method, size, errors }) => [`${method}/${size}`, errors]));
  if (!methods.includes(against) || curves[0].errors.length < 2) return [];
  const rivals = methods.filter((method) => method !== against);
  const pairs = (method: string, over: readonly number[]) =>
    curves[0].errors.map((_, s) =>
      over.map((size) => [method, against].map((m) => errorsOf.get(`${m}/${size}`)![s]))
    );
  return [sizes, ...sizes.map((size) => [size])].flatMap((over, i) => {
    const tests = rivals.map((method) => {
      const splits = pairs(method, over);
      const ratios = splits.map((at) => mean(at.map(([own, other]) => Math.log(own / other))));
      const difference = mean(splits.map((at) => mean(at.map(([own, other]) => own - other))));
      return { ...pairedTest(ratios, testShare), difference };
    });
    const adjusted = holm(tests.map(({ p }) => p));
    const size = i === 0 ? null : over[0];
    return tests.map((test, r) => ({
      ...{ ...test, method: rivals[r], against, size },
      adjusted: adjusted[r],
    }));
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const LEVEL = 0.05;

/**
 * In words: first over all sizes, then at each size, which methods are better or worse than random
 * choice and by how much; and whether the best one can be told from the others.
 *
 * @param unit of a thousandth of the errors
 */
export function verdict(
  curves: readonly Curve[],
  testShare: number,
  unit = "meV/atom",
): string[] {
  const found = contrasts(curves, "random", testShare);
  if (found.length === 0) return [];
  const places = [...new Set(found.map(({ size }) => size))];
  const lines = places.map((size) =>
    sentence(found.filter((contrast) => contrast.size === size), unit)
  );
  return [lines[0], best(curves, found, testShare), ...lines.slice(1)];
}

function sentence(at: readonly Contrast[], unit: string): string {
  const ordered = at.toSorted((a, b) => a.mean - b.mean);
  const told = ordered.filter(({ adjusted }) => adjusted < LEVEL);
  const better = told.filter(({ mean }) => mean < 0).map((contrast) => amount(contrast, unit));
  const worse = told.filter(({ mean }) => mean > 0).map((contrast) => amount(contrast, unit));
  const equal = ordered.filter((contrast) => !told.includes(contrast)).map(({ method }) => method);
  const parts = [
    better.length > 0 ? `better than random: ${better.join(", ")}` : "none is better than random",
    ...(worse.length > 0 ? [`worse: ${worse.join(", ")}`] : []),
    ...(equal.length > 0 ? [`cannot be told from random: ${equal.join(", ")}`] : []),
  ];
  const { size } = at[0];
  return `${size === null ? "All sizes" : `N = ${size}`}: ${parts.join("; ")}`;
}

/** `fps by 30 % (95 % interval 12 to 44 %; mean difference -3.1 meV/atom)`. */
function amount({ method, mean, low, high, difference }: Contrast, unit: string): string {
  const percent = (x: number) => `${Math.round(100 * Math.abs(Math.expm1(x)))}`;
  const [from, to] = mean < 0 ? [high, low] : [low, high];
  const meV = `${difference < 0 ? "-" : "+"}${Math.abs(1000 * difference).toFixed(1)}`;
  const interval = `95 % interval ${percent(from)} to ${percent(to)} %`;
  return `${method} by ${percent(mean)} % (${interval}; mean difference ${meV} ${unit})`;
}

/** Whether the method of the least error over all sizes can be told from the others. */
function best(
  curves: readonly Curve[],
  found: readonly Contrast[],
  testShare: number,
): string {
  const overall = found.filter(({ size }) => size === null);
  const least = overall.reduce((a, b) => (a.mean <= b.mean ? a : b));
  const winner = least.mean < 0 ? least.method : "random";
  const rest = contrasts(curves, winner, testShare).filter(({ size }) => size === null);
  const names = (list: readonly Contrast[]) => list.map(({ method }) => method).join(", ");
  const equal = rest.filter(({ adjusted }) => adjusted >= LEVEL);
  const beaten = rest.filter(({ adjusted }) => adjusted < LEVEL);
  const parts = [
    ...(beaten.length > 0 ? [`beyond the noise it is better than ${names(beaten)}`] : []),
    ...(equal.length > 0 ? [`it cannot be told from ${names(equal)}`] : []),
  ];
  return `Least error over all sizes: ${winner}, chosen by these same data; ${parts.join("; ")}`;
}
