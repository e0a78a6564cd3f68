import type { RawFrame } from "./frame_ranges.ts";
import { parseNumberBytes } from "./number_bytes.ts";
import type { Property } from "./properties.ts";

/** Vectors of the atoms of a frame in a column of three numbers times a factor, shape (n_atoms, 3). */
export function readVectors(
  { bytes, nAtoms, rowsStart }: RawFrame,
  { start }: Property,
  factor: number,
): Float64Array {
  const values = new Float64Array(3 * nAtoms);
  let at = rowsStart;
  for (let i = 0; i < nAtoms; i++) {
    let end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    for (let c = 0; at < end; c++) {
      while (at < end && bytes[at] <= 32) at++;
      const from = at;
      while (at < end && bytes[at] > 32) at++;
      const k = c - start;
      if (k >= 0 && k < 3) values[3 * i + k] = factor * parseNumberBytes(bytes, from, at);
      if (k >= 2) break;
    }
    at = end + 1;
  }
  return values;
}
