import { formula, type Frame } from "../frame.ts";
import type { FrameLabels } from "../io/frame_labels.ts";
import { type Prediction, stressOf } from "../model/prediction.ts";
import { summariseForces } from "../scan/examine_frame.ts";
import { staticPressure } from "../scan/stress_labels.ts";
import { type ErrorSums, sumErrors, totalOf } from "./error_sums.ts";

/** What a frame is labelled with, as far as it can be compared; null where it is not. */
export interface UsableLabels {
  /** eV. */
  readonly energy: number | null;
  /** Shape (n_atoms, 3), eV/Å. */
  readonly forces: Float64Array | null;
  /** Shape (3, 3), eV/Å³, ASE's sign. */
  readonly stress: Float64Array | null;
  /** Names of labels that hold something that is not a number. */
  readonly bad: readonly string[];
}

/** One frame, its labels and what the model says. */
export interface FrameErrors {
  readonly id: string;
  readonly file: string;
  readonly index: number;
  readonly nAtoms: number;
  readonly formula: string;
  /** Value of the key by which frames are grouped. */
  readonly group: string;
  /** A single atom that meets no other: it is not among the errors. */
  readonly isolated: boolean;
  /** Atomic numbers and how many of each. */
  readonly counts: ReadonlyMap<number, number>;
  /** eV. */
  readonly energy: number;
  readonly energyLabel: number | null;
  /** Of all components, eV/Å. */
  readonly forces: ErrorSums | null;
  /** The same for each element. */
  readonly elementForces: ReadonlyMap<number, ErrorSums>;
  /** |Σ F| of the labels per atom, eV/Å. */
  readonly netForce: number;
  /** Of all nine components, eV/Å³. */
  readonly stress: ErrorSums | null;
  /** Static, GPa. */
  readonly pressure: number | null;
  readonly pressureLabel: number | null;
  /** The closest pair of atoms where it is closer than chemistry allows, in words. */
  readonly tooClose: string | null;
  readonly converged: boolean;
}

/** The labels that can be compared. */
export function usableLabels(
  frame: Frame,
  { energy, forces, stress, virial }: FrameLabels,
): UsableLabels {
  const bad: string[] = [];
  const finite = <T>(key: string, numbers: ArrayLike<number>, value: T): T | null => {
    if (Array.prototype.every.call(numbers, Number.isFinite)) return value;
    bad.push(key);
    return null;
  };
  const tensor = stress ?? virial;
  // Without a volume there is no stress to compare with, whatever the file says.
  const periodic = frame.pbc.every((flag) => flag);
  return {
    energy: energy && finite(energy.key, [energy.value], energy.value),
    forces: forces && finite(forces.key, forces.values, forces.values),
    stress: tensor && periodic ? finite(tensor.key, tensor.tensor, tensor.tensor) : null,
    bad,
  };
}

/** Compares a prediction with the labels of its frame. */
export function frameErrors(
  frame: Frame,
  prediction: Prediction,
  labels: UsableLabels,
  about: Pick<FrameErrors, "group" | "isolated" | "converged" | "tooClose">,
): FrameErrors {
  const { id, file, index, species } = frame;
  const stress = stressOf(prediction, frame);
  const elementForces = labels.forces
    ? forcesByElement(species, prediction.forces, labels.forces)
    : new Map<number, ErrorSums>();
  const counts = new Map<number, number>();
  for (const z of species) counts.set(z, (counts.get(z) ?? 0) + 1);
  return {
    ...{ id, file, index, nAtoms: species.length, formula: formula(species), ...about, counts },
    energy: prediction.energy,
    energyLabel: labels.energy,
    forces: labels.forces && totalOf(elementForces.values()),
    elementForces,
    netForce: labels.forces ? summariseForces(labels.forces).net : 0,
    stress: stress && labels.stress && sumErrors(stress, labels.stress),
    pressure: stress && staticPressure(stress),
    pressureLabel: labels.stress && staticPressure(labels.stress),
  };
}

function forcesByElement(species: Uint8Array, model: Float64Array, label: Float64Array) {
  const parts = new Map<number, ErrorSums[]>();
  species.forEach((z, n) => {
    const own = parts.get(z) ?? [];
    own.push(sumErrors(model.subarray(3 * n, 3 * n + 3), label.subarray(3 * n, 3 * n + 3)));
    parts.set(z, own);
  });
  return new Map([...parts].map(([z, own]) => [z, totalOf(own)]));
}
