import { cellVolume, type Frame } from "../frame.ts";
import { type FrameLabels, type StressLabel, stressTrace } from "../io/frame_labels.ts";
import { GPA } from "../units.ts";
import type { Problem } from "./facts.ts";

/** Differences beyond this share of the largest component are no rounding. */
const TOLERANCE = 0.01;
/** Stresses that differ by less agree, eV/Å³: 0.02 GPa. */
const NEGLIGIBLE = 1e-4;
/** No one computes matter at such a pressure by mistake, GPa. */
const IMPLAUSIBLE = 3000;

/** Static pressure -tr σ / 3 of a stress, shape (3, 3), eV/Å³; GPa, NaN unless all of it is finite. */
export function staticPressure(stress: Float64Array): number {
  return -stressTrace({ tensor: stress }) / 3 * GPA;
}

/** Static pressure of a frame's label, GPa; NaN where there is none. */
export function pressureOf({ stress, virial }: Pick<FrameLabels, "stress" | "virial">): number {
  const label = stress ?? virial;
  return label ? staticPressure(label.tensor) : NaN;
}

/** What is wrong with the stress of one frame. */
export function stressProblems(frame: Frame, labels: FrameLabels): Problem[] {
  const problems: Problem[] = [];
  const { stress, virial } = labels;
  const add = (kind: Problem["kind"], text: string) =>
    problems.push({ kind, frame: frame.id, text });
  for (const label of [stress, virial]) {
    if (!label) continue;
    const asymmetry = largestAsymmetry(label.tensor);
    if (asymmetry > 0) {
      add("stress", `${label.key} is not symmetric: ${asymmetry.toPrecision(2)} eV/Å³ apart`);
    }
  }
  const pressure = pressureOf(labels);
  if (Math.abs(pressure) > IMPLAUSIBLE) {
    const { key } = (stress ?? virial)!;
    add("stress", `${key} says ${pressure.toPrecision(5)} GPa; is it in kbar, GPa or hartree?`);
  }
  if (stress && isMeaningless(frame, stress)) {
    add("stress", `${stress.key} without a volume means nothing: no axis is periodic`);
  }
  if (stress && virial) {
    const text = contradiction(stress, virial);
    if (text) add("stress and virial", text);
  }
  return problems;
}

/** A stress that is not zero, in a frame that has no volume. */
function isMeaningless({ cell, pbc }: Frame, { tensor }: StressLabel): boolean {
  const none = !pbc.some(Boolean) || cellVolume(cell) === 0;
  return none && tensor.every(Number.isFinite) && tensor.some((x) => x !== 0);
}

function largest(values: Float64Array): number {
  return values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/** Largest |σ_ij - σ_ji|, or 0 where it is rounding. */
function largestAsymmetry(t: Float64Array): number {
  const difference = Math.max(
    ...[[1, 3], [2, 6], [5, 7]].map(([i, j]) => Math.abs(t[i] - t[j])),
  );
  return difference > Math.max(NEGLIGIBLE, TOLERANCE * largest(t)) ? difference : 0;
}

/** In words how a stress and a virial contradict each other, or null. */
function contradiction(stress: StressLabel, virial: StressLabel): string | null {
  const [a, b] = [stress.tensor, virial.tensor];
  if (![...a, ...b].every(Number.isFinite)) return null;
  const size = Math.max(largest(a), largest(b));
  const apart = (factor: number) => largest(a.map((x, i) => x - factor * b[i]));
  const limit = Math.max(NEGLIGIBLE, TOLERANCE * size);
  if (apart(1) <= limit) return null;
  const pressure = (label: StressLabel) => staticPressure(label.tensor).toFixed(1);
  const because = apart(-1) <= limit
    ? `; the ${stress.key} looks pressure-like (GPUMD)`
    : unitBetween(stress, virial);
  return `${stress.key} and ${virial.key} contradict each other: the ${virial.key} says ` +
    `${pressure(virial)} GPa, the ${stress.key} ${pressure(stress)} GPa${because}`;
}

/** Numbers of a stress in other units, per eV/Å³. */
export const STRESS_UNITS: readonly (readonly [string, number])[] = [
  ["GPa", GPA],
  ["kbar", 10 * GPA],
  ["bar", 1e4 * GPA],
];

function unitBetween(stress: StressLabel, virial: StressLabel): string {
  const ratio = stressTrace(stress) / stressTrace(virial);
  const unit = STRESS_UNITS.find(([, factor]) => Math.abs(Math.abs(ratio) / factor - 1) < 0.05);
  return unit ? `; the ${stress.key} looks like ${unit[0]}` : "";
}
