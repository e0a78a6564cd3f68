import { holm, type PairedTest, pairedTest } from "./paired_test.ts";

/** Errors of one method at one size, one number per split, eV/atom. */
export interface Curve {
  readonly method: string;
  readonly size: number;
  readonly errors: readonly number[];
}

/** A method against random choice at one size; negative differences are better. */
export interface Contrast extends PairedTest {
  readonly method: string;
  readonly size: number;
  /** p adjusted for the number of methods at this size (Holm). */
  readonly adjusted: number;
}

/**
 * Paired differences of every method to `random` at every size.
 *
 * @param testShare n_test / n_train of a split
 */
export function contrasts(curves: readonly Curve[], testShare: number): Contrast[] {
  return [...new Set(curves.map(({ size }) => size))].flatMap((size) => {
    const at = curves.filter((curve) => curve.size === size);
    const random = at.find(({ method }) => method === "random");
    if (!random || random.errors.length < 2) return [];
    const rivals = at.filter((curve) => curve !== random);
    const tests = rivals.map(({ errors }) =>
      pairedTest(errors.map((error, s) => error - random.errors[s]), testShare)
    );
    const adjusted = holm(tests.map(({ p }) => p));
    return tests.map((test, i) => ({
      ...test,
      method: rivals[i].method,
      size,
      adjusted: adjusted[i],
    }));
  });
}

const LEVEL = 0.05;
const meV = (eV: number) => `${Math.abs(1000 * eV).toFixed(1)} meV/atom`;

/** One sentence per size: which methods are better or worse than random choice, and by how much. */
export function verdict(found: readonly Contrast[]): string[] {
  return [...new Set(found.map(({ size }) => size))].map((size) => {
    const at = found.filter((contrast) => contrast.size === size)
      .toSorted((a, b) => a.mean - b.mean);
    const told = at.filter(({ adjusted }) => adjusted < LEVEL);
    const name = ({ method, mean }: Contrast) => `${method} by ${meV(mean)}`;
    const better = told.filter(({ mean }) => mean < 0).map(name);
    const worse = told.filter(({ mean }) => mean > 0).map(name);
    const equal = at.filter((contrast) => !told.includes(contrast)).map(({ method }) => method);
    const parts = [
      better.length > 0 ? `better than random: ${better.join(", ")}` : "none is better than random",
      ...(worse.length > 0 ? [`worse: ${worse.join(", ")}`] : []),
      ...(equal.length > 0 ? [`cannot be told from random: ${equal.join(", ")}`] : []),
    ];
    return `N = ${size}: ${parts.join("; ")}`;
  });
}
