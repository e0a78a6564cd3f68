/** Quantities that a frame may be labelled with. */
export type LabelKind = "energy" | "forces" | "stress" | "virial";

/**
 * Names of labels, regardless of case, in the order in which they are looked for. The free energy comes
 * first, because forces of smeared electrons belong to it.
 */
export const LABEL_NAMES: Readonly<Record<LabelKind, readonly string[]>> = {
  energy: ["free_energy", "energy", "energies", "total_energy", "totenergy", "etot"],
  forces: ["forces", "force"],
  stress: ["stress", "stresses"],
  virial: ["virial", "virials"],
};

/** What may stand before a name, with an underscore, in the order of preference; none comes second. */
export const LABEL_PREFIXES = [
  ...["ref", "", "dft", "qm", "scf", "pbe", "vasp", "qe", "cp2k", "castep", "aims", "gap"],
  ...["label", "target", "mace"],
] as const;

const KINDS = Object.keys(LABEL_NAMES) as LabelKind[];

/** Every known name in lower case: what it means, and its place in the order of preference. */
const KNOWN = new Map(
  KINDS.flatMap((kind) =>
    LABEL_PREFIXES.flatMap((prefix, p) =>
      LABEL_NAMES[kind].map((name, n) => {
        const rank = p * LABEL_NAMES[kind].length + n;
        return [prefix === "" ? name : `${prefix}_${name}`, { kind, rank }] as const;
      })
    )
  ),
);

/** What a key of the comment line or a column is by its name; null where it is no known label. */
function labelKind(name: string): LabelKind | null {
  return KNOWN.get(name.toLowerCase())?.kind ?? null;
}

/** The names of one kind among many, preferred ones first; of equal ones the lower-case one. */
export function labelsOf(kind: LabelKind, names: Iterable<string>): string[] {
  const rank = (name: string) => KNOWN.get(name.toLowerCase())!.rank;
  return [...names].filter((name) => labelKind(name) === kind)
    .sort((a, b) => rank(a) - rank(b) || (a > b ? -1 : 1));
}

/** Parts of names that tell a label, and those that tell something else about one. */
const LIKE_LABEL: readonly (readonly [LabelKind, RegExp])[] = [
  ["energy", /energ|^e_?(tot|pot|dft|0)/i],
  ["forces", /forc|frc/i],
  ["stress", /stress|virial/i],
];
const NOT_A_LABEL =
  /weight|unit|kin|sigma|std|var|per_?atom|error|correct|fermi|gap|formation|cut|uncert|shift|key/i;

/** What an unknown name may be meant for; null where it does not look like a label. */
export function likeLabel(name: string): LabelKind | null {
  if (labelKind(name) !== null || NOT_A_LABEL.test(name)) return null;
  return LIKE_LABEL.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}

/** The first energy, in the order of preference, that every frame has, or null. */
export function commonEnergyKey(
  frames: readonly { readonly values: Readonly<Record<string, string>> }[],
): string | null {
  const first = labelsOf("energy", Object.keys(frames[0]?.values ?? {}));
  return first.find((name) => frames.every(({ values }) => name in values)) ?? null;
}
