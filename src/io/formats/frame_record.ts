import type { Frame } from "../../frame.ts";
import { extendedXyz, type VectorColumn } from "../write_extxyz.ts";

/** A step as a program wrote it. What it does not say is absent, never zero; what cannot be read is NaN. */
export interface FrameRecord extends Pick<Frame, "species" | "positions" | "cell" | "pbc"> {
  /** The energy that the forces are derivatives of, eV; null where there is none. */
  readonly energy: number | null;
  /** Shape (n_atoms, 3), eV/Å. */
  readonly forces: Float64Array | null;
  /** Shape (3, 3), eV/Å³, ASE's sign. */
  readonly stress: Float64Array | null;
  /** Shape (n_atoms, 3), Å/fs. */
  readonly velocities?: Float64Array | null;
  /** False where the program says that its self-consistency was not reached. */
  readonly converged?: boolean;
  /** What else is kept, as it is written behind `key=`; no name of a label. */
  readonly info?: readonly (readonly [key: string, value: string | number])[];
}

/** Keys that say what a record itself says. */
export const OWN_KEYS = /^(lattice|properties|pbc)$/i;

/** Told what a reader leaves out, in a sentence that follows the name of the file.
 * @param cut whether the file ends within a step */
export type Note = (sentence: string, cut?: boolean) => void;

/** A record as canonical extended XYZ: labels have the names that MACE trains on. */
export function recordText(record: FrameRecord): string {
  const { energy, forces, stress, velocities, converged, info = [] } = record;
  const keys = [
    ...(energy === null ? [] : [`REF_energy=${energy}`]),
    ...(stress === null ? [] : [`REF_stress="${[...stress].join(" ")}"`]),
    ...(converged === false ? ["converged=F"] : []),
    ...info.map(([key, value]) => `${key}=${quoted(String(value))}`),
  ];
  const columns: VectorColumn[] = [
    ...(forces ? [{ name: "REF_forces", vectors: forces }] : []),
    ...(velocities ? [{ name: "velocities", vectors: velocities }] : []),
  ];
  return extendedXyz(record, keys, columns);
}

/** A value as the comment line has it: in quotes, with escapes, where it would not be read back as it is. */
function quoted(value: string): string {
  if (/^[^\s"'=\\{}[\],]+$/.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** Positions of fractional coordinates.
 * @param fractional shape (n_atoms, 3)
 * @param cell rows are the vectors, Å */
export function cartesian(fractional: ArrayLike<number>, cell: ArrayLike<number>): Float64Array {
  return Float64Array.from(fractional, (_, i) => {
    const [n, k] = [i - i % 3, i % 3];
    return fractional[n] * cell[k] + fractional[n + 1] * cell[3 + k] +
      fractional[n + 2] * cell[6 + k];
  });
}
