import { cellVolume, type Frame } from "../frame.ts";

/** What a potential says of one frame. */
export interface Prediction {
  /** Sum of the energies of the atoms, eV. */
  readonly energy: number;
  /** Shape (n_atoms), eV, energies of isolated atoms included. */
  readonly nodeEnergies: Float64Array;
  /** -dE/dr, shape (n_atoms, 3), eV/Å. */
  readonly forces: Float64Array;
  /** -dE/dε of a symmetric strain ε, shape (3, 3), eV; minus the volume times the stress. */
  readonly virial: Float64Array;
}

/** Stress with ASE's sign, -virial / volume, shape (3, 3), eV/Å³; null unless periodic in all directions. */
export function stressOf({ virial }: Prediction, { cell, pbc }: Frame): Float64Array | null {
  return pbc.every((periodic) => periodic) ? virial.map((w) => -w / cellVolume(cell)) : null;
}
