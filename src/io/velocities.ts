import { atomicMass } from "../atomic_mass.ts";
import type { Frame } from "../frame.ts";
import { ACCELERATION } from "../units.ts";
import { lookUp } from "./comment_line.ts";
import type { RawFrame } from "./frame_ranges.ts";
import { parseProperties } from "./properties.ts";
import { readVectors } from "./vector_column.ts";

/** Columns of velocities, Å/fs. */
const VELOCITIES = ["velocities", "velocity", "vel", "velo", "v"];
/** Columns of momenta as ASE writes them, u Å in its unit of time, Å √(u/eV). */
const MOMENTA = ["momenta", "momentum"];
/** One Å in that unit of time, Å/fs. */
const ASE_VELOCITY = Math.sqrt(ACCELERATION);

/** Velocities of the atoms, shape (n_atoms, 3), Å/fs, and the column that they stand in; null where there is none. */
export function readVelocities(
  raw: RawFrame,
  frame: Frame,
): { readonly key: string; readonly values: Float64Array } | null {
  const columns = parseProperties(lookUp(frame.info, "Properties") ?? "") ?? [];
  const able = columns.filter(({ type, count }) => type === "R" && count === 3);
  const named = (names: readonly string[]) =>
    able.find(({ name }) => names.includes(name.toLowerCase()));
  const velocities = named(VELOCITIES);
  if (velocities) return { key: velocities.name, values: readVectors(raw, velocities, 1) };
  const momenta = named(MOMENTA);
  if (!momenta) return null;
  const values = readVectors(raw, momenta, ASE_VELOCITY);
  for (let i = 0; i < values.length; i++) values[i] /= atomicMass(frame.species[Math.floor(i / 3)]);
  return { key: momenta.name, values };
}
