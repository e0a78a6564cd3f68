import { massDensity, wignerSeitzRadius } from "../../density.ts";
import { drawVelocities } from "../../dynamics/draw_velocities.ts";
import { drawsOf } from "../../dynamics/draws.ts";
import { kineticEnergy, restCentreOfMass } from "../../dynamics/kinetic.ts";
import { type DynamicsState, stateOf } from "../../dynamics/state.ts";
import { ParseError, RequestError, UsageError } from "../../errors.ts";
import { type Frame, periodicVolume } from "../../frame.ts";
import { parseFrame } from "../../io/extxyz.ts";
import { readRawFrames } from "../../io/inputs.ts";
import { readVelocities } from "../../io/velocities.ts";
import { hashName } from "../../rng.ts";
import type { Console } from "../output/output.ts";
import type { MdCommand, WantedDensity } from "../syntax/md_options.ts";
import type { PoolOfFrames } from "./load_pool.ts";

/** Where atoms start. */
export interface StartFrame {
  readonly frame: Frame;
  /** Å/fs; null where they are to be drawn. */
  readonly velocities: Float64Array | null;
}

/** One of the systems that move side by side. */
export interface StartingReplica {
  /** Of its folder; empty for the output folder itself. */
  readonly name: string;
  readonly state: DynamicsState;
  readonly stream: bigint;
}

/** The one frame that was given.
 * @throws {UsageError} if there are several */
export async function readStart(
  { start, velocities: from, temperature }: MdCommand,
  { entries, files }: PoolOfFrames,
  console: Console,
): Promise<StartFrame> {
  if (entries.length !== 1) {
    throw new UsageError(
      `Cannot start from "${start}": it holds ${entries.length} frames; name one, such as ${
        entries[0].file
      }@${entries[entries.length - 1].index}`,
    );
  }
  const [{ index, file, path }] = entries;
  for await (const raw of readRawFrames(file, path, new Set([index]))) {
    const frame = parseFrame(raw, file);
    if (frame.species.length < 2) throw new RequestError("Cannot move a single atom: it stays");
    const found = from === "draw" ? null : readVelocities(raw, frame);
    if (from === "file" && !found) {
      throw new ParseError(frame.id, "it has no velocities; use --velocities draw");
    }
    if (!found && temperature === null) {
      throw new ParseError(frame.id, "it has no velocities; give a --temperature to draw them at");
    }
    console.say(
      found ? `Velocities: "${found.key}" of ${frame.id}` : `Velocities: drawn at ${temperature} K`,
    );
    return { frame, velocities: found?.values ?? null };
  }
  throw new ParseError(files[0].name, "its frame is no longer there");
}

/** The start at every density. */
export function replicasOf(
  { densities, temperature, seed }: MdCommand,
  { frame, velocities }: StartFrame,
): StartingReplica[] {
  const wanted: readonly (WantedDensity | null)[] = densities.length > 0 ? densities : [null];
  return wanted.map((density) => {
    const state = stateOf(density === null ? frame : scaled(frame, density));
    const name = density?.name ?? "";
    const stream = hashName(name);
    if (velocities) {
      state.velocities.set(velocities);
      restCentreOfMass(state.masses, state.velocities);
    } else {
      drawVelocities(state, temperature!, drawsOf(seed, stream, 0));
    }
    if (!(kineticEnergy(state) > 0)) {
      throw new ParseError(frame.id, "its atoms are at rest; use --velocities draw");
    }
    return { name, state, stream };
  });
}

/** The frame, its cell and positions multiplied so that it has a density.
 * @throws {RequestError} if it has no volume */
function scaled(frame: Frame, { kind, value }: WantedDensity): Frame {
  const volume = periodicVolume(frame);
  if (!(volume > 0)) {
    throw new RequestError(
      `Cannot scale ${frame.id} to a density: it is not periodic in all directions`,
    );
  }
  const { species, positions, cell } = frame;
  const factor = kind === "rs"
    ? value / wignerSeitzRadius(species.length, volume)
    : Math.cbrt(massDensity(species, volume) / value);
  return {
    ...frame,
    positions: positions.map((x) => factor * x),
    cell: cell.map((x) => factor * x),
  };
}
