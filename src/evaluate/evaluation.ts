import { forcesAltogether, stressAltogether } from "./cause.ts";
import { energyError, type EnergyShift } from "./energy_shift.ts";
import { type ErrorSums, mae, relativeRmse, rmse, sumErrors, totalOf } from "./error_sums.ts";
import type { FrameErrors } from "./frame_errors.ts";

/** Errors of some frames: energies meV/atom, forces meV/Å, stress meV/Å³; null where nothing is labelled. */
export interface ErrorStats {
  readonly frames: number;
  readonly energy_rmse: number | null;
  readonly energy_mae: number | null;
  /** Mean of model - label. */
  readonly energy_bias: number | null;
  readonly forces_rmse: number | null;
  readonly forces_mae: number | null;
  /** Per cent of the labels' root of the mean square. */
  readonly forces_relative: number | null;
  readonly stress_rmse: number | null;
  readonly stress_mae: number | null;
}

/** Errors in total, of groups and of elements, and what they look like altogether. */
export interface Evaluation {
  readonly all: ErrorStats;
  readonly groups: readonly { readonly name: string; readonly stats: ErrorStats }[];
  /** Forces on the atoms of each element, by its atomic number. */
  readonly elements: ReadonlyMap<number, ErrorSums>;
  readonly notes: readonly string[];
}

/** Energies off by so much more than they scatter, and by so much, have another zero; eV/atom. */
const OFFSET = { timesScatter: 3, least: 0.1 };

/** Errors of all frames but isolated atoms. */
export function evaluate(all: readonly FrameErrors[], shift: EnergyShift): Evaluation {
  const frames = all.filter(({ isolated }) => !isolated);
  const names = [...new Set(frames.map(({ group }) => group))].sort();
  const elements = [...new Set(frames.flatMap(({ elementForces }) => [...elementForces.keys()]))];
  return {
    all: statsOf(frames, shift),
    groups: names.map((name) => ({
      name,
      stats: statsOf(frames.filter(({ group }) => group === name), shift),
    })),
    elements: new Map(
      elements.sort((a, b) => a - b).map((z) => [
        z,
        totalOf(frames.flatMap(({ elementForces }) => elementForces.get(z) ?? [])),
      ]),
    ),
    notes: notesOf(frames, shift),
  };
}

/** Errors of the energies of all labelled frames, eV per atom. */
function energyErrors(frames: readonly FrameErrors[], shift: EnergyShift): number[] {
  return frames.map((frame) => energyError(frame, shift)).filter(Number.isFinite);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sumsOf(
  frames: readonly FrameErrors[],
  key: "forces" | "stress",
): ErrorSums | null {
  const parts = frames.map((frame) => frame[key]).filter((sums) => sums !== null);
  return parts.length > 0 ? totalOf(parts) : null;
}

function statsOf(frames: readonly FrameErrors[], shift: EnergyShift): ErrorStats {
  const errors = energyErrors(frames, shift);
  const energy = errors.length > 0 ? sumErrors(errors, new Float64Array(errors.length)) : null;
  const forces = sumsOf(frames, "forces");
  const stress = sumsOf(frames, "stress");
  return {
    frames: frames.length,
    energy_rmse: energy && 1000 * rmse(energy),
    energy_mae: energy && 1000 * mae(energy),
    energy_bias: energy && 1000 * meanOf(errors),
    forces_rmse: forces && 1000 * rmse(forces),
    forces_mae: forces && 1000 * mae(forces),
    forces_relative: forces && forces.label > 0 ? relativeRmse(forces) : null,
    stress_rmse: stress && 1000 * rmse(stress),
    stress_mae: stress && 1000 * mae(stress),
  };
}

/** What the labels look like altogether, in words. */
function notesOf(frames: readonly FrameErrors[], shift: EnergyShift): string[] {
  const notes: string[] = [];
  const forces = sumsOf(frames, "forces");
  const stress = sumsOf(frames, "stress");
  for (const text of [forces && forcesAltogether(forces), stress && stressAltogether(stress)]) {
    if (text) notes.push(`${text}, in all frames taken together`);
  }
  const errors = energyErrors(frames, shift);
  const mean = meanOf(errors);
  const scatter = Math.sqrt(meanOf(errors.map((e) => (e - mean) ** 2)));
  if (
    errors.length > 1 && Math.abs(mean) > OFFSET.least &&
    Math.abs(mean) > OFFSET.timesScatter * scatter
  ) {
    notes.push(
      `the model's energies are off by ${mean.toPrecision(4)} eV/atom, and scatter by ` +
        `${scatter.toPrecision(2)}: the zero of the labels is another one; --energy-shift auto ` +
        "fits it",
    );
  }
  return notes;
}
