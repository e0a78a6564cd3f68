import { ParseError } from "../../errors.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import { commonEnergyKey } from "../../io/labels.ts";
import type { DistillCommand } from "../syntax/options.ts";
import type { Console } from "../output/output.ts";

/** Frames that follow each other in a file are alike; this many parts of the pool stay together. */
const BLOCKS = 50;

/** Keys of the comment line that a command asks for by name. */
export function keysOf(
  { energyKey, groupBy, stratify }: Pick<DistillCommand, "energyKey" | "groupBy" | "stratify">,
): string[] {
  const strata = stratify === "auto" ? null : stratify;
  return [energyKey, groupBy, strata].filter((key) => key !== null);
}

/**
 * Energies per atom, eV, under the given key or under the first common one that every frame has; which
 * one it is is said. Null where there is none.
 *
 * @throws {ParseError} naming the first frame whose energy is missing or is not a number
 */
export function energiesOf(
  energyKey: string | null,
  entries: readonly FrameEntry[],
  console: Console,
): Float64Array | null {
  const key = energyKey ?? commonEnergyKey(entries);
  if (key === null) return null;
  const converted = entries.some(({ energyFactor }) => energyFactor !== 1);
  console.say(
    `Energies: "${key}", ${
      converted ? "converted to " : ""
    }eV per frame, divided by the number of atoms`,
  );
  return Float64Array.from(valuesOf(key, "--energy-key", entries), (value, i) => {
    const { id, nAtoms, energyFactor } = entries[i];
    const energy = Number(value) * energyFactor;
    if (Number.isFinite(energy)) return energy / nAtoms;
    const what = Number.isNaN(energyFactor)
      ? "it declares a unit of energy that is not known"
      : `its ${key} "${value}" is not a number`;
    throw new ParseError(id, what);
  });
}

/** Frames that a split must not divide: equal values of a key, or runs of consecutive frames of a
 * file, about one fiftieth of all frames each.
 *
 * @param entries frames of a file in its order */
export function groupsOf(groupBy: string | null, entries: readonly FrameEntry[]): string[] {
  if (groupBy !== null) return valuesOf(groupBy, "--group-by", entries);
  const length = Math.max(1, Math.floor(entries.length / BLOCKS));
  const seen = new Map<string, number>();
  return entries.map(({ fileKey }) => {
    const place = seen.get(fileKey) ?? 0;
    seen.set(fileKey, place + 1);
    return `${fileKey}/${Math.floor(place / length)}`;
  });
}

/** Values of a comment-line key in every frame.
 * @throws {ParseError} naming the first frame without it */
export function valuesOf(key: string, flag: string, entries: readonly FrameEntry[]): string[] {
  return entries.map(({ values, id }) => {
    if (values[key] !== undefined) return values[key];
    throw new ParseError(id, `its comment line has no key "${key}" for ${flag}`);
  });
}

/**
 * @param has whether any frame has a label of this kind, under the name that was given
 * @throws {ParseError} where a name that was given is in no frame
 */
export function checkKeys(
  keys: LabelKeys,
  file: string,
  has: (quantity: keyof LabelKeys) => boolean,
): void {
  for (const quantity of ["energy", "forces", "stress"] as const) {
    const key = keys[quantity];
    if (key === null || has(quantity)) continue;
    throw new ParseError(file, `no frame has "${key}", which --${quantity}-key names`);
  }
}
