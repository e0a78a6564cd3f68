import type { LabelKind } from "../io/labels.ts";
import type { FrameFacts } from "./facts.ts";

/** Least and largest of a quantity over the frames that have it. */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** What is in one file. */
export interface FileSummary {
  readonly file: string;
  readonly n_frames: number;
  readonly n_atoms: Range;
  /** Frames of each composition. */
  readonly formulas: Readonly<Record<string, number>>;
  /** Frames of each periodicity, such as `TTT`. */
  readonly pbc: Readonly<Record<string, number>>;
  /** Lengths of the lattice vectors, Å. */
  readonly lattice: Range | null;
  /** Å³ per atom. */
  readonly volume_per_atom: Range | null;
  /** Keys of the labels and the frames that have them, with the meaning that is assumed. */
  readonly labels: readonly Label[];
  /** Names that look like labels, are not read, and what they may be. */
  readonly unread: readonly Unread[];
  /** Single atoms that meet no other: no configurations to choose from. */
  readonly n_isolated_atoms: number;
  /** eV/atom. */
  readonly energy: Range | null;
  /** Largest |F| of a frame, eV/Å. */
  readonly max_force: Range | null;
  /** Static pressure -tr σ / 3, GPa. */
  readonly pressure: Range | null;
}

export interface Label {
  readonly key: string;
  readonly n_frames: number;
  readonly assumed: string;
}

export interface Unread {
  readonly name: string;
  readonly kind: LabelKind;
  readonly n_frames: number;
}

/** Sums up the frames of one file. */
export function summarise(file: string, frames: readonly FrameFacts[]): FileSummary {
  return {
    file,
    n_frames: frames.length,
    n_atoms: range(frames.map(({ nAtoms }) => nAtoms))!,
    formulas: count(frames.map(({ formula }) => formula)),
    pbc: count(frames.map(({ pbc }) => pbc)),
    lattice: range(frames.flatMap(({ lengths }) => lengths.filter((length) => length > 0))),
    volume_per_atom: range(frames.map(({ volume }) => volume)),
    labels: labelsOf(frames),
    unread: unreadOf(frames),
    n_isolated_atoms: frames.filter(({ isolated }) => isolated).length,
    energy: range(frames.map(({ energy }) => energy)),
    max_force: range(frames.map(({ maxForce }) => maxForce)),
    pressure: range(frames.map(({ pressure }) => pressure)),
  };
}

function labelsOf(frames: readonly FrameFacts[]): Label[] {
  const names: { key: string; assumed: string }[] = [];
  for (const { energyKey, other, forcesKey, stress, virial, declared } of frames) {
    const unit = (quantity: string, meant: string) => {
      const own = declared.find((unit) => unit.quantity === quantity);
      return own ? `${own.value} (${own.key}), told in ${meant}` : meant;
    };
    if (energyKey) {
      names.push({ key: energyKey, assumed: energyMeaning(energyKey, unit("energy", "eV")) });
    }
    if (other) {
      const meaning = `another energy, ${unit("energy", "eV")}; not used`;
      names.push({ key: other.key, assumed: meaning });
    }
    if (forcesKey) names.push({ key: forcesKey, assumed: `forces, ${unit("force", "eV/Å")}` });
    for (const label of [stress, virial]) {
      if (!label) continue;
      const { key, kind, components } = label;
      const order = components === 6
        ? "6 components xx yy zz yz xz xy"
        : `${components} components`;
      const meaning = kind === "stress"
        ? `stress, ${unit("stress", "eV/Å³")}, tension positive (ASE)`
        : `virial, ${unit("virial", "eV")}, minus volume times stress`;
      const unused = kind === "virial" && stress ? "; not used" : "";
      names.push({ key, assumed: `${meaning}; ${order}${unused}` });
    }
  }
  return counted(names);
}

/** Names that look like labels and are not read. */
function unreadOf(frames: readonly FrameFacts[]): Unread[] {
  return counted(frames.flatMap(({ unread }) => [...unread]));
}

function counted<T extends object>(items: readonly T[]): (T & { n_frames: number })[] {
  const counts = count(items.map((item) => JSON.stringify(item)));
  return Object.entries(counts).map(([text, n]) => ({ ...JSON.parse(text), n_frames: n }));
}

function energyMeaning(key: string, unit: string): string {
  return `${/free_energy$/i.test(key) ? "free " : ""}energy of the frame, ${unit}`;
}

function range(values: readonly number[]): Range | null {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high, n: known.length };
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
