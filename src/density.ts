import { atomicMass } from "./atomic_mass.ts";
import { BOHR, DALTON_PER_CUBIC_ANGSTROM } from "./units.ts";

/** Mass of some atoms in a volume of Å³, g/cm³. */
export function massDensity(species: Uint8Array, volume: number): number {
  return DALTON_PER_CUBIC_ANGSTROM * species.reduce((sum, z) => sum + atomicMass(z), 0) / volume;
}

/** Radius of the sphere that an atom of many in a volume of Å³ has, (3 V / 4 π N)^(1/3), Bohr. */
export function wignerSeitzRadius(nAtoms: number, volume: number): number {
  return Math.cbrt(3 * volume / (4 * Math.PI * nAtoms)) / BOHR;
}
