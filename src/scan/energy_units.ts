import type { FrameFacts, Problem } from "./facts.ts";
import { median } from "./outliers.ts";

/** Factors between energies in two units: the unit that is not eV, and which of the two is in it. */
const RATIOS: readonly (readonly [ratio: number, unit: string, wrong: "smaller" | "larger"])[] = [
  [27.2114, "hartree", "smaller"],
  [13.6057, "Ry", "smaller"],
  [23.0605, "kcal/mol", "larger"],
  [96.4853, "kJ/mol", "larger"],
  [1000, "meV", "larger"],
];
/** A ratio is that of a unit within this share. */
const TOLERANCE = 0.05;
/** Two groups of energies are apart by this factor at least; those of one group by no more than that. */
const [GAP, SPREAD] = [5, 1.5];
/** Fewer frames are no group. */
const LEAST_FRAMES = 2;

/** Groups of energies of one composition whose ratio is that of two units. */
export function energyUnits(facts: readonly FrameFacts[]): Problem[] {
  const known = facts.filter(({ energy }) => Number.isFinite(energy) && energy !== 0);
  return [...Map.groupBy(known, ({ formula }) => formula).values()].flatMap((frames) => {
    const groups = bySize(frames);
    const found = new Map(groups.slice(1).flatMap((larger, g) => inDoubt(groups[g], larger)));
    return frames.flatMap(({ id }) => {
      const text = found.get(id);
      return text === undefined ? [] : [{ kind: "units" as const, frame: id, text }];
    });
  });
}

/** Frames of about the same energy, smaller ones first. */
function bySize(frames: readonly FrameFacts[]): FrameFacts[][] {
  const groups: FrameFacts[][] = [];
  let last = 0;
  for (const frame of frames.toSorted((a, b) => Math.abs(a.energy) - Math.abs(b.energy))) {
    const size = Math.abs(frame.energy);
    if (size > GAP * last) groups.push([]);
    groups[groups.length - 1].push(frame);
    last = size;
  }
  return groups;
}

/** Whether energies are those of one composition in one unit: of one sign, and close to each other. */
function isGroup(frames: readonly FrameFacts[]): boolean {
  const energies = frames.map(({ energy }) => energy);
  const sizes = energies.map(Math.abs);
  return frames.length >= LEAST_FRAMES && energies.every((e) => e * energies[0] > 0) &&
    Math.max(...sizes) <= SPREAD * Math.min(...sizes);
}

/** Ids of the frames whose unit is in doubt, and why. */
function inDoubt(
  smaller: readonly FrameFacts[],
  larger: readonly FrameFacts[],
): [id: string, text: string][] {
  if (![smaller, larger].every(isGroup)) return [];
  const [low, high] = [smaller, larger].map((group) => median(group.map(({ energy }) => energy)));
  const ratio = high / low;
  const unit = RATIOS.find(([expected]) => Math.abs(ratio / expected - 1) < TOLERANCE);
  if (!unit) return [];
  const [, name, wrong] = unit;
  const [suspects, others] = wrong === "smaller" ? [smaller, larger] : [larger, smaller];
  const counts = `${suspects.length} frames of ${suspects[0].formula} and ${others.length} others`;
  const text = `its energy looks like ${name}: ${counts} are a factor of ${
    ratio.toPrecision(4)
  } apart`;
  return suspects.map(({ id }) => [id, text]);
}
