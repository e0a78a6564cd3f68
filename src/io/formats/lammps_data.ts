import { atomicMass } from "../../atomic_mass.ts";
import { ParseError } from "../../errors.ts";
import { labelledNumber } from "../../frame.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

/** Columns of the type and of x by the styles of atoms, from 0. */
const STYLES: Readonly<Record<string, readonly [type: number, x: number]>> = {
  ...{ atomic: [1, 2], charge: [1, 3], molecular: [2, 3], bond: [2, 3], angle: [2, 3] },
  ...{ full: [2, 4], sphere: [1, 4], spin: [1, 2], dipole: [1, 3], electron: [1, 5] },
};
/** Of the style atomic, behind which the numbers of three images may stand. */
const ATOMIC_COLUMNS = 5;
/** u; a mass belongs to the element whose name stands beside it. */
const SAME_MASS = 0.1;
const SECTION = /^[A-Z][A-Za-z ]+?(?:\s*#.*)?$/;

export function isLammpsData(head: string): boolean {
  const lines = head.slice(head.indexOf("\n") + 1);
  return /^\s*\d+\s+atoms\b/m.test(lines) && /^\s*\d+\s+atom\s+types\b/m.test(lines) &&
    /^[^#\n]*\b(xlo\s+xhi|avec)\b/m.test(lines);
}

/** The header of the file and the rows of its sections. */
interface Data {
  readonly cell: Float64Array;
  readonly origin: readonly number[];
  /** Words of each atom, by the ids. */
  readonly atoms: readonly (readonly string[])[];
  readonly style: string;
  /** Rows of sections that name types. */
  readonly masses: readonly string[];
  readonly labels: readonly string[];
  /** As LAMMPS writes them, or null. */
  readonly units: string | null;
}

/**
 * The atoms of a data file of LAMMPS, in the order of their ids, without labels. Types are no elements: they are named
 * by --species, or by type labels or comments of `Masses` where names and masses agree.
 *
 * @param elements symbols of types 1, 2, …, or null
 * @throws {ParseError} where elements, the style of the atoms or the box are not known
 */
export async function* readLammpsData(
  lines: Lines,
  file: string,
  note: Note,
  elements: readonly string[] | null,
): AsyncGenerator<FrameRecord> {
  const data = await readData(lines, file);
  const { cell, origin, atoms, style, units } = data;
  if (units === null) note("it does not say its units: lengths are taken as Å");
  const [type, x] = columnsOf(style, atoms[0] ?? [], file);
  if (atoms.some((row) => row.length < x + 3)) {
    throw new ParseError(file, `an atom has fewer columns than those of "Atoms # ${style}"`);
  }
  const named = namesOf(data, elements, file);
  const species = Uint8Array.from(atoms, (row) => {
    const z = labelledNumber(named.get(row[type]) ?? "");
    if (z === 0) throw new ParseError(file, `no element is named for type ${row[type]}`);
    return z;
  });
  yield {
    species,
    positions: Float64Array.from(
      atoms.flatMap((row) => [0, 1, 2].map((k) => readNumber(row[x + k]) - origin[k])),
    ),
    ...{ cell, pbc: [true, true, true], energy: null, forces: null, stress: null },
  };
}

async function readData(lines: Lines, file: string): Promise<Data> {
  const [title = ""] = await lines.rows(1);
  const header: string[] = [];
  const sections = new Map<string, { heading: string; rows: string[] }>();
  let rows = header;
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    if (SECTION.test(line.trim())) {
      const [name] = line.trim().split(/\s*#/);
      rows = [];
      sections.set(name, { heading: line, rows });
    } else if (line.trim() !== "") rows.push(line);
  }
  const units = /units = (\w+)/.exec(title)?.[1] ?? null;
  if (units !== null && units !== "metal" && units !== "real") {
    throw new ParseError(
      file,
      `its units are ${units}: lengths in Å are read, units metal or real`,
    );
  }
  const nAtoms = Number(header.map((row) => /^\s*(\d+)\s+atoms\b/.exec(row)?.[1]).find(Boolean));
  const { heading = "", rows: own = [] } = sections.get("Atoms") ?? {};
  const atoms = own.map((row) => row.replace(/#.*/, "").trim().split(/\s+/));
  if (atoms.length !== nAtoms || new Set(atoms.map(([id]) => id)).size !== nAtoms) {
    throw new ParseError(
      file,
      `it has ${atoms.length} rows of Atoms, and says ${nAtoms} atoms, each once`,
    );
  }
  return {
    ...boxOf(header, file),
    ...{ atoms: atoms.sort((a, b) => Number(a[0]) - Number(b[0])), units },
    style: /#\s*(\w+)/.exec(heading)?.[1] ?? "",
    masses: sections.get("Masses")?.rows ?? [],
    labels: sections.get("Atom Type Labels")?.rows ?? [],
  };
}

/** Bounds of the box itself and its tilt, or three vectors. */
function boxOf(header: readonly string[], file: string): Pick<Data, "cell" | "origin"> {
  const before = (names: string) => {
    const row = header.find((line) =>
      new RegExp(`\\b${names.replaceAll(" ", "\\s+")}\\b`).test(line)
    );
    return row === undefined ? [] : numbersOf(row.split(/[a-z]{2}/)[0]);
  };
  const vectors = ["avec", "bvec", "cvec"].map(before);
  const bounds = ["xlo xhi", "ylo yhi", "zlo zhi"].map(before);
  const [xy = 0, xz = 0, yz = 0] = before("xy xz yz");
  const [lx, ly, lz] = bounds.map(([low, high]) => high - low);
  const cell = vectors[0].length === 3
    ? Float64Array.from(vectors.flat())
    : Float64Array.of(lx, 0, 0, xy, ly, 0, xz, yz, lz);
  const origin = vectors[0].length === 3 ? before("abc origin") : bounds.map(([low]) => low);
  if (cell.length === 9 && cell.every(Number.isFinite) && origin.length === 3) {
    return { cell, origin };
  }
  throw new ParseError(file, "its box cannot be read");
}

/** @throws {ParseError} where the style is not named and more than one has so many columns */
function columnsOf(style: string, row: readonly string[], file: string): readonly [number, number] {
  if (Object.hasOwn(STYLES, style)) return STYLES[style];
  const images = row.slice(ATOMIC_COLUMNS);
  const isAtomic = images.length === 0 ||
    (images.length === 3 && images.every((n) => /^-?\d+$/.test(n)));
  if (style === "" && row.length >= ATOMIC_COLUMNS && isAtomic) return STYLES.atomic;
  throw new ParseError(
    file,
    `what its ${row.length} columns are is not known: write the style behind the heading, such as ` +
      `"Atoms # full" (${Object.keys(STYLES).join(", ")})`,
  );
}

/** Symbols by the types as the atoms have them, from rows `type mass # symbol` and type labels.
 * @throws {ParseError} where there is none */
function namesOf(
  { masses, labels }: Data,
  elements: readonly string[] | null,
  file: string,
): Map<string, string> {
  const labelled = new Map(
    labels.map((row) => row.trim().split(/\s+/)).map(([type, label]) => [type, label]),
  );
  // Atoms and masses may have the number of a type or its label.
  const both = (type: string, symbol: string) =>
    [[type, symbol], [labelled.get(type) ?? type, symbol]] as const;
  if (elements) return new Map(elements.flatMap((symbol, i) => both(String(i + 1), symbol)));
  const numbers = new Map([...labelled].map(([type, label]) => [label, type]));
  const named = masses.flatMap((row) => {
    const [, word, mass, comment] = /^\s*(\S+)\s+(\S+)\s*(?:#\s*(\S+))?/.exec(row) ?? [];
    const type = numbers.get(word) ?? word;
    const symbol = labelled.get(type) ?? comment ?? "";
    const z = labelledNumber(symbol);
    return z > 0 && Math.abs(atomicMass(z) - Number(mass)) < SAME_MASS ? both(type, symbol) : [];
  });
  if (named.length > 0) return new Map(named);
  throw new ParseError(
    file,
    "its atoms have types and no elements: name them with --species, such as H,O for types 1 and 2",
  );
}
