import { ParseError } from "../../errors.ts";
import { labelledNumber } from "../../frame.ts";

/** More atoms of one kind are a damaged number. */
const MOST_ATOMS = 1e7;

/** Atomic number of a label such as H, O1 or Fe_up.
 * @throws {ParseError} if it names no element */
export function elementOf(label: string, where: string): number {
  const z = labelledNumber(label);
  if (z === 0) throw new ParseError(where, `"${label}" names no element`);
  return z;
}

/** Atomic numbers of so many atoms of each kind, one kind after another.
 * @throws {ParseError} where a label names no element, or a number is none of atoms */
export function repeated(
  labels: readonly string[],
  counts: ArrayLike<number>,
  where: string,
): Uint8Array {
  const species = labels.flatMap((label, i) => {
    const n = counts[i];
    if (!Number.isInteger(n) || n < 0 || n > MOST_ATOMS) {
      throw new ParseError(where, `it has ${n} atoms of ${label}`);
    }
    return new Array<number>(n).fill(elementOf(label, where));
  });
  return Uint8Array.from(species);
}
