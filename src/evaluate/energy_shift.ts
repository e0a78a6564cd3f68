import { Matrix, pseudoInverse } from "ml-matrix";
import type { FrameErrors } from "./frame_errors.ts";

/** Constant energies of elements, eV per atom, that the model's energies lack; that of atomic number 0 is
 * for every atom. */
export type EnergyShift = ReadonlyMap<number, number>;

/**
 * The constant of each element that brings the energies of the model nearest to the labels, by least
 * squares per atom; where compositions do not tell elements apart, the smallest such constants.
 */
export function fitShift(frames: readonly FrameErrors[]): EnergyShift {
  const labelled = frames.filter(({ energyLabel }) => energyLabel !== null);
  const elements = [...new Set(labelled.flatMap(({ counts }) => [...counts.keys()]))]
    .sort((a, b) => a - b);
  if (elements.length === 0) return new Map();
  const a = new Matrix(
    labelled.map(({ counts, nAtoms }) => elements.map((z) => (counts.get(z) ?? 0) / nAtoms)),
  );
  const b = Matrix.columnVector(
    labelled.map(({ energy, energyLabel, nAtoms }) => (energyLabel! - energy) / nAtoms),
  );
  const normal = pseudoInverse(a.transpose().mmul(a)).mmul(a.transpose().mmul(b));
  return new Map(elements.map((z, i) => [z, normal.get(i, 0)]));
}

/** Energy of a frame by the model, shifted, eV. */
export function shiftedEnergy(
  { energy, counts, nAtoms }: FrameErrors,
  shift: EnergyShift,
): number {
  let shifted = energy + nAtoms * (shift.get(0) ?? 0);
  for (const [z, n] of counts) shifted += n * (shift.get(z) ?? 0);
  return shifted;
}

/** The same minus its label, eV per atom; NaN without a label. */
export function energyError(frame: FrameErrors, shift: EnergyShift): number {
  const { energyLabel, nAtoms } = frame;
  return energyLabel === null ? NaN : (shiftedEnergy(frame, shift) - energyLabel) / nAtoms;
}
