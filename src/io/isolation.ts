import { type Frame, nearestImage } from "../frame.ts";

/** A single atom whose nearest image is beyond this meets no other, Å: no model reads farther. */
const ISOLATED = 6;

/** `IsolatedAtom`, `isolated_atom` and their relatives. */
const TAG = /^isolated[-_ ]?atoms?$/i;

/**
 * Whether a frame is an isolated atom: a single one whose nearest image is far, or that a value or key of
 * the comment line calls isolated.
 */
export function isIsolated({ species, cell, pbc, info }: Frame): boolean {
  if (species.length > 1) return false;
  const tagged = [...info].some(([key, value]) =>
    TAG.test(value) || (TAG.test(key) && value === "T")
  );
  return tagged || nearestImage(cell, pbc) >= ISOLATED;
}
