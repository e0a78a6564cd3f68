import { cellVolume } from "../frame.ts";
import { ACCELERATION, BOLTZMANN, GPA } from "../units.ts";
import type { DynamicsState } from "./state.ts";

/** Atoms that have velocities. */
export type Moving = Pick<DynamicsState, "masses" | "velocities">;

/** Σ m v² / 2, eV. */
export function kineticEnergy({ masses, velocities }: Moving): number {
  let sum = 0;
  for (let i = 0; i < velocities.length; i++) {
    sum += masses[Math.floor(i / 3)] * velocities[i] * velocities[i];
  }
  return sum / (2 * ACCELERATION);
}

/** 3 N - 3: the centre of mass rests. */
export function degreesOfFreedom(nAtoms: number): number {
  return 3 * nAtoms - 3;
}

/** 2 K / (n_f k_B), K. */
export function temperatureOf(moving: Moving): number {
  const degrees = degreesOfFreedom(moving.masses.length);
  return 2 * kineticEnergy(moving) / (degrees * BOLTZMANN);
}

/** (Σ m v ⊗ v + W) / V, shape (3, 3), GPa.
 * @param virial -dE/dε, eV */
export function pressureTensor(
  { masses, velocities, cell }: Moving & Pick<DynamicsState, "cell">,
  virial: Float64Array,
): Float64Array {
  const sum = virial.slice();
  for (let n = 0; n < masses.length; n++) {
    for (let k = 0; k < 9; k++) {
      const [a, b] = [3 * n + Math.floor(k / 3), 3 * n + k % 3];
      sum[k] += masses[n] * velocities[a] * velocities[b] / ACCELERATION;
    }
  }
  const factor = GPA / cellVolume(cell);
  return sum.map((x) => x * factor);
}

/** Takes that of the centre of mass out of the atoms' vectors, shape (n_atoms, 3), in place: of velocities it rests
 * then. */
export function restCentreOfMass(masses: Float64Array, vectors: Float64Array): void {
  const total = masses.reduce((sum, m) => sum + m, 0);
  for (let k = 0; k < 3; k++) {
    let sum = 0;
    for (let n = 0; n < masses.length; n++) sum += masses[n] * vectors[3 * n + k];
    for (let n = 0; n < masses.length; n++) vectors[3 * n + k] -= sum / total;
  }
}
