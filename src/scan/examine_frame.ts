import { formula, type Frame, periodicVolume } from "../frame.ts";
import { parseNumbers } from "../io/comment_line.ts";
import { isIsolated } from "../io/isolation.ts";
import type { FrameLabels, StressLabel } from "../io/frame_labels.ts";
import { closestPair } from "./closest_pair.ts";
import type { FrameFacts, Problem, ProblemKind, StressName } from "./facts.ts";
import { electronicState, fingerprint, geometryKey } from "./fingerprint.ts";
import { pressureOf, stressProblems } from "./stress_labels.ts";

/** Forces on the atoms of a frame add up to no more than this per atom, eV/Å. */
export const NET_FORCE = 1e-3;

/** What makes a frame useless: what `distill` looks for. */
export function quickProblems(
  frame: Frame,
  { energy, forces, stress, virial, units, converged }: FrameLabels,
): Problem[] {
  const problems: Problem[] = [];
  const add = (kind: ProblemKind, text: string) => problems.push({ kind, frame: frame.id, text });
  const pair = closestPair(frame);
  if (typeof pair === "string") {
    add(/same place/.test(pair) ? "atoms too close" : "unreadable", pair);
  } else if (pair) {
    add("atoms too close", `${pair.elements} ${pair.distance.toFixed(2)} Å`);
  }
  // A number in an unknown unit is one all the same.
  if (energy && !Number.isFinite(energy.value) && !Number.isNaN(units.energy)) {
    add("not a number", `${energy.key}="${frame.info.get(energy.key)}"`);
  }
  for (const label of [stress, virial]) {
    // A virial has no stress without a volume, but is a number all the same.
    const numbers = label && parseNumbers(frame.info.get(label.key)!);
    if (!label || (numbers!.every(Number.isFinite) && [6, 9].includes(numbers!.length))) continue;
    add("not a number", `${label.key}="${frame.info.get(label.key)}"`);
  }
  if (forces && !Number.isNaN(units.force) && !forces.values.every(Number.isFinite)) {
    add("not a number", `in ${forces.key}`);
  }
  if (!converged) add("not converged", "the frame says so");
  return problems;
}

/** Everything about one frame. */
export function examineFrame(
  frame: Frame,
  labels: FrameLabels,
): { facts: FrameFacts; problems: Problem[] } {
  const { id, file, index, species, cell, pbc } = frame;
  const { energy, other, forces, stress, virial, units, unread } = labels;
  const n = species.length;
  const problems = [
    ...quickProblems(frame, labels),
    ...stressProblems(frame, labels),
    ...units.declared.filter(({ factor }) => Number.isNaN(factor)).map((unit): Problem => ({
      kind: "units",
      frame: id,
      text: `${unit.key}=${unit.value} is not a known unit of ${unit.quantity}`,
    })),
  ];
  const force = forces ? summariseForces(forces.values) : null;
  if (force && force.net > NET_FORCE) {
    const text = `${force.net.toFixed(4)} eV/Å per atom`;
    problems.push({ kind: "net force", frame: id, text });
  }
  const overlapping = problems.some(({ kind }) => kind === "atoms too close");
  const shape = overlapping ? null : fingerprint(frame);
  const facts: FrameFacts = {
    ...{ id, file, index, nAtoms: n, formula: formula(species), order: species.join() },
    state: electronicState(frame),
    pbc: pbc.map((flag) => (flag ? "T" : "F")).join(""),
    lengths: [0, 3, 6].map((k) => Math.hypot(cell[k], cell[k + 1], cell[k + 2])),
    volume: periodicVolume(frame) / n,
    energyKey: energy?.key ?? null,
    energy: energy ? energy.value / n : NaN,
    other: other && { key: other.key, gap: (other.value - energy!.value) / n },
    forcesKey: forces?.key ?? null,
    maxForce: force?.max ?? NaN,
    netForce: force?.net ?? NaN,
    rmsForce: force?.rms ?? NaN,
    mixedForce: force?.mixed ?? NaN,
    stress: nameOf(stress),
    virial: nameOf(virial),
    pressure: pressureOf(labels),
    geometry: geometryKey(frame),
    fingerprint: shape?.sums ?? new Float64Array(0),
    bonds: shape?.bonds ?? "",
    isolated: isIsolated(frame),
    ...{ declared: units.declared, unread },
  };
  return { facts, problems };
}

function nameOf(label: StressLabel | null): StressName | null {
  return label && { key: label.key, kind: label.kind, components: label.components };
}

/** Sizes of forces, and their sum per atom. */
export function summariseForces(values: Float64Array) {
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
