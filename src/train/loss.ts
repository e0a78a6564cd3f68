import type { Prediction } from "../model/prediction.ts";

/** The losses of `mace_run_train` that are known here; `stress` is `weighted` with a stress. */
export type LossKind = "weighted" | "huber" | "universal";

/** What is minimised. */
export interface LossOptions {
  /** What is done to errors. */
  readonly kind: LossKind;
  /** Factor of the energies' part. */
  readonly energyWeight: number;
  /** Factor of the forces' part. */
  readonly forcesWeight: number;
  /** Factor of the stresses' part. */
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
  /** Factor of what the frame adds to the loss. */
  readonly weight: number;
}

/** One frame of a batch: what the model says, and what is true. */
export interface LossFrame {
  readonly prediction: Prediction;
  /** Stress of the prediction, null where it has none. */
  readonly stress: Float64Array | null;
  readonly labels: TrainLabels;
}

/** What the means of a loss run over. */
export interface BatchSize {
  readonly frames: number;
  readonly atoms: number;
}

/** Parts of a loss without their weights. */
export interface LossTerms {
  /** Of errors in eV/atom. */
  readonly energy: number;
  /** Of errors in eV/Å. */
  readonly forces: number;
  /** Of errors in eV/Å³. */
  readonly stress: number;
}

/** Derivatives of a loss with respect to the prediction of a frame; zeros where there is no label. */
export interface PredictionBar {
  readonly energy: number;
  readonly forces: Float64Array;
  readonly stress: Float64Array;
}

/** A loss, its parts, and its derivatives, one per frame. */
export interface Loss {
  readonly value: number;
  readonly terms: LossTerms;
  readonly bars: readonly PredictionBar[];
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
 * What one frame adds to the loss of a batch: means over the batch's frames of the penalties of ΔE / N, over all
 * components of forces, and over all components of stresses. Frames without a label count among these with
 * nothing, as mace counts them.
 */
export function frameLoss(
  { prediction, stress, labels }: LossFrame,
  batch: BatchSize,
  { kind, delta, energyWeight, forcesWeight, stressWeight }: LossOptions,
): { terms: LossTerms; bar: PredictionBar } {
  const penalty = kind === "weighted" ? square : huber(delta);
  const n = prediction.nodeEnergies.length;
  const terms = { energy: 0, forces: 0, stress: 0 };
  const bar = { energy: 0, forces: new Float64Array(3 * n), stress: new Float64Array(9) };
  if (labels.energy !== null) {
    const [value, slope] = penalty((prediction.energy - labels.energy) / n);
    const share = labels.weight / batch.frames;
    terms.energy = value * share;
    bar.energy = energyWeight * slope / n * share;
  }
  labels.forces?.forEach((label, i) => {
    const own = kind === "universal" ? huber(delta * forceShare(labels.forces!, i)) : penalty;
    const [value, slope] = own(prediction.forces[i] - label);
    const share = labels.weight / (3 * batch.atoms);
    terms.forces += value * share;
    bar.forces[i] = forcesWeight * slope * share;
  });
  if (stress && labels.stress) {
    labels.stress.forEach((label, i) => {
      const [value, slope] = penalty(stress[i] - label);
      const share = labels.weight / (9 * batch.frames);
      terms.stress += value * share;
      bar.stress[i] = stressWeight * slope * share;
    });
  }
  return { terms, bar };
}

/** The loss of parts that have been added up. */
export function lossValue(
  { energy, forces, stress }: LossTerms,
  { energyWeight, forcesWeight, stressWeight }: LossOptions,
): number {
  return energyWeight * energy + forcesWeight * forces + stressWeight * stress;
}

/** Sums of the parts of several frames. */
export function sumTerms(all: readonly LossTerms[]): LossTerms {
  const sum = (f: (terms: LossTerms) => number) =>
    all.reduce((total, terms) => total + f(terms), 0);
  return {
    energy: sum(({ energy }) => energy),
    forces: sum(({ forces }) => forces),
    stress: sum(({ stress }) => stress),
  };
}

/** The loss of a batch. */
export function lossOf(frames: readonly LossFrame[], options: LossOptions): Loss {
  const atoms = frames.reduce((sum, { prediction }) => sum + prediction.nodeEnergies.length, 0);
  const parts = frames.map((frame) => frameLoss(frame, { frames: frames.length, atoms }, options));
  const terms = sumTerms(parts.map((part) => part.terms));
  return { value: lossValue(terms, options), terms, bars: parts.map(({ bar }) => bar) };
}

/** Share of δ for component i of the labelled forces, by the size of its atom's force. */
function forceShare(forces: Float64Array, i: number): number {
  const size = Math.hypot(...forces.subarray(i - i % 3, i - i % 3 + 3));
  return FORCE_SHARES.find(([below]) => size < below)![1];
}
