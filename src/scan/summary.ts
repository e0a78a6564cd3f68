import type { FrameFacts } from "./examine_frame.ts";

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
    energy: range(frames.map(({ energy }) => energy)),
    max_force: range(frames.map(({ maxForce }) => maxForce)),
    pressure: range(frames.map(({ pressure }) => pressure)),
  };
}

function labelsOf(frames: readonly FrameFacts[]): Label[] {
  const names: { key: string; assumed: string }[] = [];
  for (const { energyKey, other, forcesKey, stress } of frames) {
    if (energyKey) names.push({ key: energyKey, assumed: energyMeaning(energyKey) });
    if (other) names.push({ key: other.key, assumed: "another energy, eV; not used" });
    if (forcesKey) names.push({ key: forcesKey, assumed: "forces, eV/Å" });
    if (!stress) continue;
    const { key, kind, components } = stress;
    const order = components === 6 ? "6 components xx yy zz yz xz xy" : `${components} components`;
    const meaning = kind === "stress"
      ? "stress, eV/Å³, tension positive (ASE)"
      : "virial, eV, minus volume times stress";
    names.push({ key, assumed: `${meaning}; ${order}` });
  }
  const counts = count(names.map((label) => JSON.stringify(label)));
  return Object.entries(counts).map(([label, n]) => ({ ...JSON.parse(label), n_frames: n }));
}

function energyMeaning(key: string): string {
  return key === "free_energy" ? "free energy of the frame, eV" : "energy of the frame, eV";
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
