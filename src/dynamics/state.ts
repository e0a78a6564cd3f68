import { atomicMass } from "../atomic_mass.ts";
import type { Frame } from "../frame.ts";

/** Atoms in motion. */
export interface DynamicsState {
  /** Atomic numbers, shape (n_atoms). */
  readonly species: Uint8Array;
  /** u, shape (n_atoms). */
  readonly masses: Float64Array;
  /** Rows are the vectors, Å. */
  readonly cell: Float64Array;
  /** Periodicity along each lattice vector. */
  readonly pbc: readonly [boolean, boolean, boolean];
  /** Shape (n_atoms, 3), Å, not wrapped; moved in place. */
  readonly positions: Float64Array;
  /** Shape (n_atoms, 3), Å/fs; changed in place. */
  readonly velocities: Float64Array;
  /** Steps that were made. */
  step: number;
}

/** A state at rest in the atoms' places. */
export function stateOf({ species, positions, cell, pbc }: Frame): DynamicsState {
  return {
    species: species.slice(),
    masses: Float64Array.from(species, atomicMass),
    cell: cell.slice(),
    pbc,
    positions: positions.slice(),
    velocities: new Float64Array(positions.length),
    step: 0,
  };
}
