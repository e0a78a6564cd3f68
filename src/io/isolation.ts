import { type Frame, nearestImage } from "../frame.ts";

/** A single atom whose nearest image is beyond this meets no other, Å: no model reads farther. */
export const ISOLATED = 6;

/** `IsolatedAtom`, `isolated_atom` and their relatives. */
const TAG = /^isolated[-_ ]?atoms?$/i;

/**
 * How far a single atom is from whatever is next to it, Å: its nearest image, or infinity without
 * periodicity or where a value or key of the comment line calls it isolated; 0 for frames of several
 * atoms.
 */
export function isolation({ species, cell, pbc, info }: Frame): number {
  if (species.length > 1) return 0;
  const tagged = [...info].some(([key, value]) =>
    TAG.test(value) || (TAG.test(key) && value === "T")
  );
  return tagged ? Infinity : nearestImage(cell, pbc);
}
