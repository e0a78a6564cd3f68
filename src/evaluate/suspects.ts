import { energyCause, forceCause, stressCause } from "./cause.ts";
import { energyError } from "./energy_shift.ts";
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
 */
export function suspects(frames: readonly FrameErrors[]): Suspect[] {
  return [...suspectEnergies(frames), ...suspectForces(frames), ...suspectStresses(frames)];
}

function suspectEnergies(frames: readonly FrameErrors[]): Suspect[] {
  const errors = frames.map((frame) => energyError(frame, new Map()));
  const middle = median(errors.filter(Number.isFinite));
  const distances = errors.map((error) => Math.abs(error - middle));
  const limit = Math.max(OUTLIER * median(distances.filter(Number.isFinite)), LEAST_ENERGY);
  return frames.flatMap((frame, i) =>
    distances[i] > limit
      ? [{
        frame: frame.id,
        quantity: "energy" as const,
        error: `${(-(errors[i] - middle) * frame.nAtoms).toPrecision(3)} eV off`,
        cause: energyCause(frame),
      }]
      : []
  );
}

function suspectForces(frames: readonly FrameErrors[]): Suspect[] {
  const labelled = frames.flatMap(({ forces }) => forces ? [forces] : []);
  const agreement = median(labelled.map(correlation).filter(Number.isFinite));
  const limit = OUTLIER * median(labelled.map(rmse));
  return frames.flatMap((frame) => {
    const { forces } = frame;
    if (!forces) return [];
    const r = correlation(forces);
    const cause = forces.label === 0
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
