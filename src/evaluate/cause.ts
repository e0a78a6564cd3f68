import { NET_FORCE } from "../scan/examine_frame.ts";
import { STRESS_UNITS } from "../scan/stress_labels.ts";
import { BOHR, HARTREE, KCAL_PER_MOL, KJ_PER_MOL } from "../units.ts";
import { correlation, type ErrorSums, slope } from "./error_sums.ts";
import type { FrameErrors } from "./frame_errors.ts";

/** Numbers that files hold in other units, per eV/Å and eV. */
const FORCE_UNITS: readonly (readonly [string, number])[] = [
  ["hartree/Bohr", BOHR / HARTREE],
  ["Ry/Bohr", 2 * BOHR / HARTREE],
  ["hartree/Å", 1 / HARTREE],
  ["Ry/Å", 2 / HARTREE],
  ["kcal/mol/Å", 1 / KCAL_PER_MOL],
  ["kJ/mol/Å", 1 / KJ_PER_MOL],
  ["kJ/mol/nm", 10 / KJ_PER_MOL],
  ["meV/Å", 1000],
];
const ENERGY_UNITS: readonly (readonly [string, number])[] = [
  ["hartree", 1 / HARTREE],
  ["Ry", 2 / HARTREE],
  ["kcal/mol", 1 / KCAL_PER_MOL],
  ["kJ/mol", 1 / KJ_PER_MOL],
];

/** A ratio this near to a unit's is that unit. */
const SAME_UNIT = 0.15;
/** Labels are proportional to the model, or opposite to it. */
const PROPORTIONAL = 0.9;
/** A model that gives less than this says nothing about forces, eV/Å. */
export const WEAK = 1e-3;

/** The most probable reason in the file for an error of the forces, in words; null if none is found. */
export function forceCause(frame: FrameErrors): string | null {
  const { forces, netForce } = frame;
  return forces && (forcesAltogether(forces) ??
    (netForce > NET_FORCE
      ? `the labels add up to ${netForce.toPrecision(2)} eV/Å per atom, not to zero`
      : structureCause(frame)));
}

/** The same for an error of the energy. */
export function energyCause(frame: FrameErrors): string | null {
  const { energy, energyLabel, nAtoms } = frame;
  if (energyLabel === null) return null;
  const ratio = energyLabel / energy;
  const unit = unitOf(ratio, ENERGY_UNITS);
  if (unit) return `the energy looks like ${unit}`;
  if (nAtoms > 4 && Math.abs(ratio * nAtoms - 1) < SAME_UNIT) return "the energy is per atom";
  return structureCause(frame);
}

/** The same for an error of the stress. */
export function stressCause(frame: FrameErrors): string | null {
  return frame.stress && (stressAltogether(frame.stress) ?? structureCause(frame));
}

/** What is wrong with forces as a whole: of a frame, or of all frames. */
export function forcesAltogether(forces: ErrorSums): string | null {
  if (Math.sqrt(forces.model / forces.n) < WEAK) return null;
  if (forces.label === 0) return "the forces in the file are all zero";
  const r = correlation(forces);
  if (r < -PROPORTIONAL) return "the forces have the opposite sign";
  const unit = r > PROPORTIONAL ? unitOf(slope(forces), FORCE_UNITS) : null;
  return unit && `the forces look like ${unit}`;
}

/** What is wrong with stresses as a whole. */
export function stressAltogether(stress: ErrorSums): string | null {
  const r = correlation(stress);
  if (r < -PROPORTIONAL) {
    const unit = unitOf(-slope(stress), STRESS_UNITS);
    return `the stress has the opposite sign${unit ? `, and looks like ${unit}` : ""}`;
  }
  const unit = r > PROPORTIONAL ? unitOf(slope(stress), STRESS_UNITS) : null;
  return unit && `the stress looks like ${unit}`;
}

function structureCause({ tooClose, converged }: FrameErrors): string | null {
  if (tooClose) return `atoms too close: ${tooClose}`;
  return converged ? null : "the frame says that it did not converge";
}

function unitOf(ratio: number, units: readonly (readonly [string, number])[]): string | null {
  return units.find(([, factor]) => Math.abs(ratio / factor - 1) < SAME_UNIT)?.[0] ?? null;
}
