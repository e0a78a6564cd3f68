import { energyCause, forceCause, stressCause, WEAK } from "./cause.ts";
import { energyError, type EnergyShift } from "./energy_shift.ts";
import { correlation, rmse } from "./error_sums.ts";
import type { FrameErrors } from "./frame_errors.ts";

/** A frame whose labels look wrong to a model that has seen them. */
export interface Suspect {
  readonly frame: string;
  readonly quantity: "energy" | "forces" | "stress";
  /** In words, with units. */
  readonly error: string;
  /** Null where the file does not tell. */
  readonly cause: string | null;
}

/** An error so many times the median is suspect, and energies that are off by more than this, eV/atom. */
const OUTLIER = 8;
const LEAST_ENERGY = 0.05;
/** Forces of most frames agree with the model by this correlation or more, if opposite ones are to be told. */
const AGREEING = 0.3;

/**
 * Frames whose errors stand out from those of all others, and those whose forces are zero or opposite to what the
 * model says of them while those of the others are not.
 *
 * @param before energies by the model before it saw the frames, eV, by their ids: few frames teach it a wrong one
 */
export function suspects(
  frames: readonly FrameErrors[],
  before: ReadonlyMap<string, number>,
): Suspect[] {
  return [...suspectEnergies(frames, before), ...suspectForces(frames), ...suspectStresses(frames)];
}

function suspectEnergies(
  frames: readonly FrameErrors[],
  before: ReadonlyMap<string, number>,
): Suspect[] {
  const none: EnergyShift = new Map();
  const outliers = [
    frames.map((frame) => ({ ...frame, energy: before.get(frame.id) ?? NaN })),
    frames,
  ].map((seen) => outlying(seen.map((frame) => energyError(frame, none))));
  return frames.flatMap((frame, i) => {
    const off = outliers.map((errors) => errors[i]).find((error) => error !== 0);
    if (off === undefined) return [];
    return [{
      frame: frame.id,
      quantity: "energy" as const,
      error: `${(-off * frame.nAtoms).toPrecision(3)} eV off`,
      cause: energyCause(frame),
    }];
  });
}

/** Distances from the median of those energy errors that stand out, 0 elsewhere, eV/atom. */
function outlying(errors: readonly number[]): number[] {
  const middle = median(errors.filter(Number.isFinite));
  const distances = errors.map((error) => error - middle);
  const limit = OUTLIER * median(distances.filter(Number.isFinite).map(Math.abs));
  return distances.map((d) => Math.abs(d) > Math.max(limit, LEAST_ENERGY) ? d : 0);
}

function suspectForces(frames: readonly FrameErrors[]): Suspect[] {
  const labelled = frames.flatMap(({ forces }) => forces ? [forces] : []);
  const agreement = median(labelled.map(correlation).filter(Number.isFinite));
  const limit = OUTLIER * median(labelled.map(rmse));
  return frames.flatMap((frame) => {
    const { forces } = frame;
    if (!forces) return [];
    const r = correlation(forces);
    const cause = forces.label === 0 && Math.sqrt(forces.model / forces.n) > WEAK
      ? "the forces in the file are all zero"
      : agreement > AGREEING && r < -AGREEING
      ? "the forces have the opposite sign"
      : rmse(forces) > limit
      ? forceCause(frame)
      : undefined;
    if (cause === undefined) return [];
    return [{
      frame: frame.id,
      quantity: "forces" as const,
      error: `${(1000 * rmse(forces)).toFixed(0)} meV/Å`,
      cause,
    }];
  });
}

function suspectStresses(frames: readonly FrameErrors[]): Suspect[] {
  const labelled = frames.flatMap(({ stress }) => stress ? [stress] : []);
  const limit = OUTLIER * median(labelled.map(rmse));
  return frames.flatMap((frame) => {
    if (!frame.stress || !(rmse(frame.stress) > limit)) return [];
    return [{
      frame: frame.id,
      quantity: "stress" as const,
      error: `${(1000 * rmse(frame.stress)).toFixed(2)} meV/Å³`,
      cause: stressCause(frame),
    }];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
