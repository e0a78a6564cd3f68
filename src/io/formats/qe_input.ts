import { ParseError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import { BOHR } from "../../units.ts";
import { readNumber } from "./lines.ts";

const CARDS = new RegExp(
  `^\\s*(${
    [
      ...["ATOMIC_SPECIES", "ATOMIC_POSITIONS", "K_POINTS", "CELL_PARAMETERS", "OCCUPATIONS"],
      ...["CONSTRAINTS", "ATOMIC_VELOCITIES", "ATOMIC_FORCES", "HUBBARD", "ADDITIONAL_K_POINTS"],
      ...["SOLVENTS", "AUTOPILOT", "REF_CELL_PARAMETERS", "PLOT_WANNIER", "TOTAL_CHARGE"],
    ].join("|")
  })\\b`,
  "i",
);

/** Namelists and cards of an input of pw.x or cp.x, in their order. */
export interface QeInput {
  /** Text of each namelist between its name and the slash. */
  readonly namelists: ReadonlyMap<string, string>;
  /** Heading and rows of each card. */
  readonly cards: ReadonlyMap<string, { readonly head: string; readonly rows: readonly string[] }>;
}

/** @throws {ParseError} if a namelist is never closed */
export function parseQeInput(text: string, path: string): QeInput {
  const namelists = new Map<string, string>();
  const cards = new Map<string, { head: string; rows: string[] }>();
  let [list, card] = ["", ""];
  for (const line of text.split(/\r?\n/)) {
    const [, opened, rest] = /^\s*&(?!end\b)(\w+)(.*)$/i.exec(line) ?? [];
    if (opened && list !== "") break;
    if (opened) {
      list = opened.toUpperCase();
      namelists.set(list, "");
    }
    if (list !== "") {
      // Keys may stand behind the name, and the slash that closes it behind the last key.
      const text = rest ?? line;
      const bare = withoutComment(text);
      const [end] = /(?:\/|&end)\s*$/i.exec(bare) ?? [];
      const closed = end !== undefined;
      const body = closed ? bare.slice(0, bare.length - end.length) : text;
      if (body.trim() !== "") namelists.set(list, `${namelists.get(list)}${body}\n`);
      if (closed) list = "";
    } else if (CARDS.test(line)) {
      card = CARDS.exec(line)![1].toUpperCase();
      cards.set(card, { head: line.trim(), rows: [] });
    } else if (card !== "" && line.trim() !== "" && !/^\s*[!#]/.test(line)) {
      cards.get(card)!.rows.push(line);
    }
  }
  if (list !== "") throw new ParseError(path, `its namelist &${list} is never closed by a /`);
  return { namelists, cards };
}

/** A line up to a comment that stands in no quotes. */
function withoutComment(line: string): string {
  return /^(?:[^'"!]|'[^']*'?|"[^"]*"?)*/.exec(line)![0];
}

/** A number of Fortran. */
function numberOf(text: string | null): number {
  return text === null ? NaN : readNumber(text);
}

/** Value of a key of a namelist without its quotes and not in a comment, or null. */
export function setting(text: string, key: string): string | null {
  const body = text.split("\n").map(withoutComment).join("\n");
  const [, value] =
    new RegExp(`(?:^|[\\s,])${key}\\s*=\\s*('[^']*'|"[^"]*"|[^,\\s!]+)`, "im").exec(body) ?? [];
  return value?.replace(/^['"]|['"]$/g, "") ?? null;
}

/** Rows of the cell, Å; null where it is given in a way that is not read. */
export function cellOf({ namelists, cards }: QeInput): Float64Array | null {
  const system = namelists.get("SYSTEM") ?? "";
  const [a, celldm] = ["A", "celldm\\s*\\(\\s*1\\s*\\)"].map((key) =>
    numberOf(setting(system, key))
  );
  const alat = Number.isNaN(a) ? BOHR * celldm : a;
  const ibrav = numberOf(setting(system, "ibrav") ?? "0");
  if (ibrav === 1 && alat > 0) return Float64Array.of(alat, 0, 0, 0, alat, 0, 0, 0, alat);
  const card = cards.get("CELL_PARAMETERS");
  if (ibrav !== 0 || !card) return null;
  // Without a unit it is alat where that is given, and Bohr where it is not.
  const other = /alat/i.test(card.head) || alat > 0 ? alat : BOHR;
  const factor = /bohr/i.test(card.head) ? BOHR : /angstrom/i.test(card.head) ? 1 : other;
  const cell = Float64Array.from(
    card.rows.slice(0, 3).flatMap((row) => row.trim().split(/\s+/).slice(0, 3).map(readNumber)),
  );
  const scaled = cell.map((x) => factor * x);
  return scaled.length === 9 && scaled.every(Number.isFinite) ? scaled : null;
}

/** Atomic number of a label of a species such as Fe1 or fe_up; 0 where it names no element. */
export function speciesNumber(label: string): number {
  const [, letters = ""] = /^([A-Za-z]{1,2})(?![A-Za-z])/.exec(label) ?? [];
  return atomicNumber(letters.slice(0, 1).toUpperCase() + letters.slice(1).toLowerCase());
}

/** The same.
 * @throws {ParseError} where it names none */
export function speciesElement(label: string, where: string): number {
  const z = speciesNumber(label);
  if (z === 0) throw new ParseError(where, `"${label}" names no element`);
  return z;
}
