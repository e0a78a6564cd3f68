import { meanSquaredDisplacement, velocityAutocorrelation } from "./correlation.ts";
import { slope } from "../line.ts";
import type { Trajectory } from "./trajectory.ts";

/** A number and its standard error. */
export interface Measured {
  readonly value: number;
  readonly error: number;
}

/** What a trajectory tells of motion. */
export interface Transport {
  readonly file: string;
  readonly group: string;
  readonly frames: number;
  /** Of the correlations, fs, shape (n_lags). */
  readonly times: Float64Array;
  /** Å². */
  readonly msd: Float64Array;
  /** (Å/fs)²; null without velocities. */
  readonly vacf: Float64Array | null;
  /** Vibrational density of states: wavenumbers, 1/cm, and states per 1/cm, whose integral is 3 N - 3. */
  readonly vibrations:
    | { readonly wavenumbers: Float64Array; readonly density: Float64Array }
    | null;
  /** Coefficients of diffusion from either, Å²/ps. */
  readonly diffusion: { readonly msd: Measured; readonly vacf: Measured | null };
}

/** Parts of a trajectory that the errors are from. */
const BLOCKS = 4;
/** Frames that are needed. */
export const FEWEST_FRAMES = 16 * BLOCKS;
/** Correlations reach no further, frames. */
const MOST_LAGS = 1000;
/** One 1/cm, 1/fs. */
const WAVENUMBER = 2.99792458e-5;

/** Correlations in time, and what follows from them. */
export function transportOf(trajectory: Trajectory): Transport {
  const { file, group, positions, velocities, interval, masses } = trajectory;
  const most = Math.min(MOST_LAGS, Math.floor(positions.length / (2 * BLOCKS)));
  const times = Float64Array.from({ length: most + 1 }, (_, t) => t * interval);
  const msd = meanSquaredDisplacement(positions, most);
  const vacf = velocities && velocityAutocorrelation(velocities, most);
  const weighted = velocities?.map((v) =>
    v.map((x, i) => x * Math.sqrt(masses[Math.floor(i / 3)]))
  );
  const inBlocks = (
    frames: readonly Float64Array[],
    whole: number,
    of: (part: readonly Float64Array[]) => number,
  ): Measured => {
    const length = Math.floor(frames.length / BLOCKS);
    const own = Array.from(
      { length: BLOCKS },
      (_, b) => of(frames.slice(b * length, (b + 1) * length)),
    );
    const mean = own.reduce((sum, x) => sum + x, 0) / BLOCKS;
    const squares = own.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    return { value: whole, error: Math.sqrt(squares / (BLOCKS * (BLOCKS - 1))) };
  };
  return {
    ...{ file, group, frames: positions.length, times, msd, vacf },
    vibrations: weighted
      ? vibrationsOf(velocityAutocorrelation(weighted, most), interval, 3 * masses.length - 3)
      : null,
    diffusion: {
      msd: inBlocks(
        positions,
        slopeOf(msd, interval),
        (part) => slopeOf(meanSquaredDisplacement(part, most), interval),
      ),
      vacf: velocities && vacf && inBlocks(
        velocities,
        integralOf(vacf, interval),
        (part) => integralOf(velocityAutocorrelation(part, most), interval),
      ),
    },
  };
}

/** D = MSD / 6 t by the slope of the later half of the times, Å²/ps. */
function slopeOf(msd: Float64Array, interval: number): number {
  const later = msd.subarray(Math.floor(msd.length / 2));
  return 1000 * slope([...later.keys()], later) / (interval * 6);
}

/** D = ⅓ ∫ ⟨v(0) · v(t)⟩ dt by trapezia, Å²/ps. */
function integralOf(vacf: Float64Array, interval: number): number {
  const ends = (vacf[0] + vacf[vacf.length - 1]) / 2;
  return 1000 * interval * (vacf.reduce((sum, c) => sum + c, 0) - ends) / 3;
}

/**
 * Cosine transform of the mass-weighted velocity autocorrelation under a Hann window.
 *
 * @param degrees the integral over all wavenumbers
 */
function vibrationsOf(
  correlation: Float64Array,
  interval: number,
  degrees: number,
): Transport["vibrations"] {
  const most = correlation.length - 1;
  const windowed = correlation.map((c, t) =>
    c / correlation[0] * Math.cos(Math.PI * t / (2 * most)) ** 2
  );
  const wavenumbers = Float64Array.from(
    { length: most + 1 },
    (_, k) => k / (2 * most * interval * WAVENUMBER),
  );
  const density = wavenumbers.map((_, k) => {
    let sum = 0.5;
    for (let t = 1; t < most; t++) sum += windowed[t] * Math.cos(Math.PI * k * t / most);
    return 4 * interval * WAVENUMBER * degrees * sum;
  });
  return { wavenumbers, density };
}
