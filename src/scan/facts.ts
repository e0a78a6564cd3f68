import type { FrameLabels, StressLabel } from "../io/frame_labels.ts";

/** What may be wrong with a frame. The first group makes a frame useless, the second asks for a look. */
export type ProblemKind =
  | "unreadable"
  | "not a number"
  | "atoms too close"
  | "not converged"
  | "truncated"
  | "conflicting labels"
  | "duplicate"
  | "near duplicate"
  | "energy outlier"
  | "force outlier"
  | "pressure outlier"
  | "net force"
  | "labels missing"
  | "atom order"
  | "units"
  | "stress"
  | "stress and virial"
  | "stress sign";

export interface Problem {
  readonly kind: ProblemKind;
  /** Id of the frame, or of the file. */
  readonly frame: string;
  readonly text: string;
}

/** What is remembered of a frame. */
export interface FrameFacts {
  readonly id: string;
  readonly file: string;
  readonly index: number;
  readonly nAtoms: number;
  readonly formula: string;
  /** Atomic numbers in file order, as text. */
  readonly order: string;
  readonly pbc: string;
  /** Charge, spin and the like. */
  readonly state: string;
  /** Lengths of the lattice vectors, Å. */
  readonly lengths: readonly number[];
  /** Volume per atom, Å³; NaN unless periodic along all axes. */
  readonly volume: number;
  readonly energyKey: string | null;
  /** Energy per atom, eV; NaN without a label. */
  readonly energy: number;
  /** Energy under another key minus this one, per atom, eV; and that key. */
  readonly other: { readonly key: string; readonly gap: number } | null;
  readonly forcesKey: string | null;
  /** Largest |F| and |Σ F| / n_atoms, eV/Å; NaN without labels. */
  readonly maxForce: number;
  readonly netForce: number;
  readonly rmsForce: number;
  /** One number that changes with any force, eV/Å. */
  readonly mixedForce: number;
  readonly stress: StressName | null;
  readonly virial: StressName | null;
  /** -tr σ / 3, GPa; NaN without a label. */
  readonly pressure: number;
  readonly geometry: string;
  /** Numbers that agree for alike frames; empty where they cannot be had. */
  readonly fingerprint: Float64Array;
  /** Bonds of every pair of elements. */
  readonly bonds: string;
  /** A single atom that meets no other. */
  readonly isolated: boolean;
  /** Units that the file declares, and names that look like labels and are not read. */
  readonly declared: FrameLabels["units"]["declared"];
  readonly unread: FrameLabels["unread"];
}

/** A stress without its numbers. */
export type StressName = Pick<StressLabel, "key" | "kind" | "components">;
