import { BOHR, GPA, HARTREE, KCAL_PER_MOL, KJ_PER_MOL } from "../units.ts";

/** What the comment line declares about the units of labels. */
export interface DeclaredUnits {
  /** Factors that bring the numbers of the file to eV, eV/Å and eV/Å³; NaN where a unit is not known. */
  readonly energy: number;
  readonly force: number;
  readonly stress: number;
  readonly virial: number;
  /** The declarations that are not the units meant here, as they stand in the file. */
  readonly declared: readonly Declaration[];
}

export interface Declaration {
  readonly key: string;
  readonly value: string;
  readonly quantity: Quantity;
  /** NaN where the unit is not known. */
  readonly factor: number;
}

type Quantity = "energy" | "force" | "stress" | "virial" | "length";

/** A key such as `energy-unit`, `force_units` or `LengthUnit`. */
const DECLARATION =
  /^(energy|force|stress|virial|length|position|pos|lattice|cell)s?[-_ ]?units?$/i;

const ENERGIES: Readonly<Record<string, number>> = {
  ...{ "ev": 1, "electronvolt": 1, "mev": 1e-3 },
  ...{ "ha": HARTREE, "eh": HARTREE, "hartree": HARTREE, "hartrees": HARTREE, "au": HARTREE },
  ...{ "ry": HARTREE / 2, "rydberg": HARTREE / 2, "rydbergs": HARTREE / 2 },
  ...{ "kcal/mol": KCAL_PER_MOL, "kcal/mole": KCAL_PER_MOL },
  ...{ "kj/mol": KJ_PER_MOL, "kj/mole": KJ_PER_MOL },
};

const LENGTHS: Readonly<Record<string, number>> = {
  ...{ "å": 1, "a": 1, "ang": 1, "angs": 1, "angstrom": 1, "angstroms": 1 },
  ...{ "ångström": 1, "ångstrom": 1, "angström": 1 },
  ...{ "bohr": BOHR, "a0": BOHR, "au": BOHR, "nm": 10, "pm": 0.01 },
};

const PRESSURES: Readonly<Record<string, number>> = {
  ...{ "gpa": 1 / GPA, "mpa": 1e-3 / GPA, "pa": 1e-9 / GPA },
  ...{ "kbar": 0.1 / GPA, "kb": 0.1 / GPA, "bar": 1e-4 / GPA, "mbar": 100 / GPA },
};

/** Whether a key of the comment line declares a unit. */
export function declaresUnit(key: string): boolean {
  return DECLARATION.test(key);
}

/** Reads what a comment line declares; a unit that is not known has the factor NaN. */
export function declaredUnits(info: ReadonlyMap<string, string>): DeclaredUnits {
  const factors = { energy: 1, force: 1, stress: 1, virial: 1, length: 1 };
  const declared: Declaration[] = [];
  for (const [key, value] of info) {
    const match = key.match(DECLARATION);
    if (!match) continue;
    const word = match[1].toLowerCase();
    const quantity = word in factors ? word as Quantity : "length";
    const factor = unitFactor(quantity, value);
    factors[quantity] = factor;
    if (factor !== 1) declared.push({ key, value, quantity, factor });
  }
  return { ...factors, declared };
}

/** Factor from a unit to eV, Å and what is made of them; NaN where it is not known. */
export function unitFactor(quantity: Quantity, text: string): number {
  // NFKC makes one letter of an Å that is written as two; eV*Å^-1 is eV/Å.
  const unit = text.normalize("NFKC").toLowerCase().replace("**", "^")
    .replace(/[*·\s]+([a-zåö0]+)\^?-(\d)/g, "/$1^$2").replace(/[\s.()]/g, "").replace(/\^1$/, "");
  if (quantity === "energy" || quantity === "virial") return ENERGIES[unit] ?? NaN;
  if (quantity === "length") return LENGTHS[unit] ?? NaN;
  if (unit === "au") return HARTREE / BOHR ** (quantity === "force" ? 1 : 3);
  if (quantity === "stress" && unit in PRESSURES) return PRESSURES[unit];
  const [, energy, length, power] = unit.match(/^(.+)\/([^/^]+?)(?:\^?(3))?$/) ?? [];
  if (energy === undefined || (power === "3") !== (quantity === "stress")) return NaN;
  return (ENERGIES[energy] ?? NaN) / (LENGTHS[length] ?? NaN) ** (quantity === "force" ? 1 : 3);
}
