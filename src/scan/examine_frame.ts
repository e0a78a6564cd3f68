import { cellVolume, formula, type Frame } from "../frame.ts";
import type { FrameLabels, StressLabel } from "../io/frame_labels.ts";
import { GPA } from "../units.ts";
import { closestPair } from "./closest_pair.ts";
import { geometryKey, radialFingerprint } from "./fingerprint.ts";

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
  readonly stress: StressLabel | null;
  /** -tr σ / 3, GPa; NaN without a label. */
  readonly pressure: number;
  readonly geometry: string;
  readonly fingerprint: Float64Array;
}

/** Forces on the atoms of a frame add up to no more than this per atom, eV/Å. */
const NET_FORCE = 1e-3;

/** What makes a frame useless: what `distill` looks for. */
export function quickProblems(
  frame: Frame,
  { energy, forces, stress, converged }: FrameLabels,
): Problem[] {
  const problems: Problem[] = [];
  const add = (kind: ProblemKind, text: string) => problems.push({ kind, frame: frame.id, text });
  const pair = closestPair(frame);
  if (typeof pair === "string") {
    add(/same place/.test(pair) ? "atoms too close" : "unreadable", pair);
  } else if (pair) {
    add("atoms too close", `${pair.elements} ${pair.distance.toFixed(2)} Å`);
  }
  if (energy && !Number.isFinite(energy.value)) {
    add("not a number", `${energy.key}="${frame.info.get(energy.key)}"`);
  }
  if (stress && !Number.isFinite(stress.trace) && frame.pbc.every(Boolean)) {
    add("not a number", `${stress.key}="${frame.info.get(stress.key)}"`);
  }
  if (forces && !forces.values.every(Number.isFinite)) add("not a number", `in ${forces.key}`);
  if (!converged) add("not converged", "the frame says so");
  return problems;
}

/** Everything about one frame. */
export function examineFrame(
  frame: Frame,
  labels: FrameLabels,
): { facts: FrameFacts; problems: Problem[] } {
  const { id, file, index, species, cell, pbc } = frame;
  const { energy, other, forces, stress } = labels;
  const n = species.length;
  const problems = quickProblems(frame, labels);
  const force = forces ? summariseForces(forces.values) : null;
  if (force && force.net > NET_FORCE) {
    const text = `${force.net.toFixed(4)} eV/Å per atom`;
    problems.push({ kind: "net force", frame: id, text });
  }
  const overlapping = problems.some(({ kind }) => kind === "atoms too close");
  const facts: FrameFacts = {
    ...{ id, file, index, nAtoms: n, formula: formula(species), order: species.join() },
    pbc: pbc.map((flag) => (flag ? "T" : "F")).join(""),
    lengths: [0, 3, 6].map((k) => Math.hypot(cell[k], cell[k + 1], cell[k + 2])),
    volume: pbc.every(Boolean) ? cellVolume(cell) / n : NaN,
    energyKey: energy?.key ?? null,
    energy: energy ? energy.value / n : NaN,
    other: other && { key: other.key, gap: (other.value - energy!.value) / n },
    forcesKey: forces?.key ?? null,
    maxForce: force?.max ?? NaN,
    netForce: force?.net ?? NaN,
    rmsForce: force?.rms ?? NaN,
    mixedForce: force?.mixed ?? NaN,
    stress,
    pressure: stress ? -stress.trace / 3 * GPA : NaN,
    geometry: geometryKey(frame),
    fingerprint: overlapping ? new Float64Array(0) : radialFingerprint(frame),
  };
  return { facts, problems };
}

function summariseForces(values: Float64Array) {
  let [max, squares, mixed] = [0, 0, 0];
  const sum = [0, 0, 0];
  for (let i = 0; i < values.length; i += 3) {
    const [x, y, z] = [values[i], values[i + 1], values[i + 2]];
    const square = x * x + y * y + z * z;
    squares += square;
    mixed += Math.sin(i) * x + Math.sin(i + 1) * y + Math.sin(i + 2) * z;
    max = Math.max(max, Math.sqrt(square));
    sum[0] += x;
    sum[1] += y;
    sum[2] += z;
  }
  const n = Math.max(values.length / 3, 1);
  return {
    max,
    net: Math.hypot(...sum) / n,
    rms: Math.sqrt(squares / n),
    mixed: mixed / Math.sqrt(n),
  };
}
