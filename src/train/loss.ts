import type { Prediction } from "../model/prediction.ts";

/** The losses of `mace_run_train` that are known here; `stress` is `weighted` with a stress. */
export type LossKind = "weighted" | "huber" | "universal";

/** What is minimised. */
export interface LossOptions {
  readonly kind: LossKind;
  readonly energyWeight: number;
  readonly forcesWeight: number;
  readonly stressWeight: number;
  /** Where Huber's loss becomes linear, in eV/atom, eV/Å and eV/Å³ alike. */
  readonly delta: number;
}

/** Labels of a frame, null where there are none. */
export interface TrainLabels {
  /** eV. */
  readonly energy: number | null;
  /** Shape (n_atoms, 3), eV/Å. */
  readonly forces: Float64Array | null;
  /** Shape (3, 3), eV/Å³, ASE's sign. */
  readonly stress: Float64Array | null;
}

/** One frame of a batch: what the model says, and what is true. */
export interface LossFrame {
  readonly prediction: Prediction;
  /** Stress of the prediction, null where it has none. */
  readonly stress: Float64Array | null;
  readonly labels: TrainLabels;
}

/** A loss, its parts without their weights, and its derivatives with respect to the predictions. */
export interface Loss {
  readonly value: number;
  readonly terms: { readonly energy: number; readonly forces: number; readonly stress: number };
  /** One per frame; zeros where there is no label. */
  readonly bars: readonly {
    readonly energy: number;
    readonly forces: Float64Array;
    readonly stress: Float64Array;
  }[];
}

/** A function of an error, and its derivative. */
type Penalty = (error: number) => readonly [value: number, slope: number];

const square: Penalty = (e) => [e * e, 2 * e];

/** e² / 2 up to δ, then a line (Huber 1964). */
function huber(delta: number): Penalty {
  return (e) =>
    Math.abs(e) <= delta
      ? [0.5 * e * e, e]
      : [delta * (Math.abs(e) - 0.5 * delta), delta * Math.sign(e)];
}

/** Shares of δ by the size of the labelled force, eV/Å: what is large need not be exact. */
const FORCE_SHARES: readonly (readonly [below: number, share: number])[] = [
  [100, 1],
  [200, 0.7],
  [300, 0.4],
  [Infinity, 0.1],
];

/**
 * The loss of a batch: means over its frames of the penalties of ΔE / N, over all components of forces,
 * and over all components of stresses, each times its weight. Frames without a label count among these
 * with nothing, as mace counts them.
 */
export function lossOf(frames: readonly LossFrame[], options: LossOptions): Loss {
  const { kind, delta, energyWeight, forcesWeight, stressWeight } = options;
  const penalty = kind === "weighted" ? square : huber(delta);
  const nAtoms = frames.reduce((sum, { prediction }) => sum + prediction.nodeEnergies.length, 0);
  const terms = { energy: 0, forces: 0, stress: 0 };
  const bars = frames.map(({ prediction, stress, labels }) => {
    const n = prediction.nodeEnergies.length;
    const bar = { energy: 0, forces: new Float64Array(3 * n), stress: new Float64Array(9) };
    if (labels.energy !== null) {
      const [value, slope] = penalty((prediction.energy - labels.energy) / n);
      terms.energy += value / frames.length;
      bar.energy = energyWeight * slope / n / frames.length;
    }
    labels.forces?.forEach((label, i) => {
      const own = kind === "universal" ? huber(delta * forceShare(labels.forces!, i)) : penalty;
      const [value, slope] = own(prediction.forces[i] - label);
      terms.forces += value / (3 * nAtoms);
      bar.forces[i] = forcesWeight * slope / (3 * nAtoms);
    });
    if (stress && labels.stress) {
      labels.stress.forEach((label, i) => {
        const [value, slope] = penalty(stress[i] - label);
        terms.stress += value / (9 * frames.length);
        bar.stress[i] = stressWeight * slope / (9 * frames.length);
      });
    }
    return bar;
  });
  const value = energyWeight * terms.energy + forcesWeight * terms.forces +
    stressWeight * terms.stress;
  return { value, terms, bars };
}

/** Share of δ for component i of the labelled forces, by the size of its atom's force. */
function forceShare(forces: Float64Array, i: number): number {
  const size = Math.hypot(...forces.subarray(i - i % 3, i - i % 3 + 3));
  return FORCE_SHARES.find(([below]) => size < below)![1];
}
