import { ParseError } from "../errors.ts";
import { atomicNumber, distinctElements, type Frame } from "../frame.ts";
import { lookUp, parseBooleans, parseCommentLine, parseNumbers } from "./comment_line.ts";
import { declaredUnits } from "./declared_units.ts";
import { parseNumberBytes } from "./number_bytes.ts";
import type { RawFrame } from "./frame_ranges.ts";
import { parseProperties } from "./properties.ts";

/** Where species and positions are in the columns of an atom row. */
interface Columns {
  readonly total: number;
  readonly species: number;
  /** True where the species column holds atomic numbers. */
  readonly numeric: boolean;
  readonly position: number;
}

const PLAIN: Columns = { total: 4, species: 0, numeric: false, position: 1 };

/**
 * Parses one frame of an extended-XYZ file.
 *
 * @param raw the frame's bytes and place
 * @param file name of the file for ids and messages
 * @throws {ParseError} with file and line of the first thing that is wrong
 */
export function parseFrame(raw: RawFrame, file: string): Frame {
  const { bytes, line, nAtoms } = raw;
  if (raw.problem) throw new ParseError(`${file}:${raw.problem.line}`, raw.problem.text);
  const comment = new TextDecoder().decode(bytes.subarray(raw.commentStart, raw.commentEnd));
  const where = (offset: number) => `${file}:${line + offset}`;
  const info = parseCommentLine(comment, (key) => {
    throw new ParseError(where(1), `the quote after ${key}= is not closed`);
  });
  const length = declaredUnits(info).declared.find(({ quantity }) => quantity === "length");
  if (length) {
    const text = `${length.key}=${length.value}: positions and cells are read in Å; convert them`;
    throw new ParseError(where(1), text);
  }
  const columns = findColumns(lookUp(info, "Properties"), where(1));
  const { cell, pbc } = parseCell(info, where(1));
  const species = new Uint8Array(nAtoms);
  const positions = new Float64Array(3 * nAtoms);
  let start = raw.rowsStart;
  for (let i = 0; i < nAtoms; i++) {
    let end = bytes.indexOf(10, start);
    if (end < 0) end = bytes.length;
    parseRow(bytes, start, end, columns, i, species, positions, () => where(2 + i));
    start = end + 1;
  }
  refuseTypes(raw, columns, comment, species, where);
  return {
    id: `${file}@${raw.index}`,
    file,
    index: raw.index,
    line,
    species,
    positions,
    cell,
    pbc,
    info,
  };
}

/** What LAMMPS writes into the comment of its `dump xyz`. */
const LAMMPS_COMMENT = /^\s*Atoms\. Timestep:/;

/**
 * Refuses numbers that are types of atoms, not atomic numbers: 1 to n, two or more of them, or behind
 * the comment of LAMMPS. A column called Z holds atomic numbers, whatever they are.
 *
 * @throws {ParseError} with the way out
 */
function refuseTypes(
  { bytes, rowsStart }: RawFrame,
  columns: Columns,
  comment: string,
  species: Uint8Array,
  where: (offset: number) => string,
): void {
  if (columns.numeric || !startsWithNumber(bytes, rowsStart, columns.species)) return;
  const types = distinctElements(species);
  const lammps = LAMMPS_COMMENT.test(comment);
  const counted = types.length > 1 && types.every((z, i) => z === i + 1);
  if (!lammps && !counted) return;
  const numbers = types.length === 1
    ? `the number ${types[0]}`
    : `the numbers 1 to ${types.at(-1)}`;
  const because = lammps ? ' and the comment is LAMMPS\'s "Atoms. Timestep:"' : "";
  throw new ParseError(
    where(2),
    `species are ${numbers}${because}: these are types, not atomic numbers; write symbols ` +
      "(in LAMMPS dump_modify ID element)",
  );
}

/** Whether the given column of the row at `at` starts with a digit. */
function startsWithNumber(bytes: Uint8Array, at: number, column: number): boolean {
  for (let c = 0;; c++) {
    while (bytes[at] <= 32) at++;
    if (c === column) return bytes[at] >= 48 && bytes[at] <= 57;
    while (bytes[at] > 32) at++;
  }
}

function parseRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  columns: Columns,
  i: number,
  species: Uint8Array,
  positions: Float64Array,
  where: () => string,
): void {
  let column = 0;
  let at = start;
  while (true) {
    while (at < end && bytes[at] <= 32) at++;
    if (at >= end) break;
    const from = at;
    while (at < end && bytes[at] > 32) at++;
    const k = column - columns.position;
    if (k >= 0 && k < 3) {
      const value = parseNumberBytes(bytes, from, at);
      if (!Number.isFinite(value)) {
        throw new ParseError(where(), `position "${text(bytes, from, at)}" is not a finite number`);
      }
      positions[3 * i + k] = value;
    } else if (column === columns.species) {
      species[i] = parseSpecies(bytes, from, at, columns.numeric, where);
    }
    column++;
  }
  if (column < columns.total) {
    throw new ParseError(
      where(),
      `the row of atom ${i + 1} has ${column} columns, expected ${columns.total}`,
    );
  }
}

function parseSpecies(
  bytes: Uint8Array,
  from: number,
  to: number,
  numeric: boolean,
  where: () => string,
): number {
  const word = text(bytes, from, to);
  const digits = /^\d+$/.test(word);
  const z = numeric || digits ? Number(word) : atomicNumber(word);
  if (Number.isInteger(z) && z >= 1 && z <= 118) return z;
  const symbol = word.match(/^[A-Z][a-z]?/)?.[0] ?? "";
  const hint = word === "D" || word === "T"
    ? "write H for isotopes of hydrogen"
    : symbol !== word && atomicNumber(symbol) > 0
    ? `write ${symbol}`
    : "write chemical symbols";
  throw new ParseError(where(), `species "${word}" is not a chemical element; ${hint}`);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= 2) {
    return to - from === 1
      ? String.fromCharCode(bytes[from])
      : String.fromCharCode(bytes[from], bytes[from + 1]);
  }
  return new TextDecoder().decode(bytes.subarray(from, Math.min(to, from + 40)));
}

/** Where species and positions are; plain XYZ (symbol x y z, further columns ignored) without `Properties`. */
function findColumns(value: string | undefined, where: string): Columns {
  if (value === undefined) return PLAIN;
  const properties = parseProperties(value) ?? [];
  const named = (name: string) => properties.find((p) => p.name.toLowerCase() === name);
  const species = named("species") ?? named("z");
  const position = properties.find(({ name, type, count }) =>
    name.toLowerCase() === "pos" && type === "R" && count === 3
  );
  if (!species || !position) {
    throw new ParseError(
      where,
      `Properties="${value}" does not name species:S:1 and pos:R:3 in triples name:type:columns`,
    );
  }
  const last = properties[properties.length - 1];
  return {
    total: last.start + last.count,
    species: species.start,
    numeric: species.name.toLowerCase() === "z",
    position: position.start,
  };
}

function parseCell(info: ReadonlyMap<string, string>, where: string) {
  const lattice = lookUp(info, "Lattice");
  const cell = new Float64Array(9);
  if (lattice !== undefined) {
    const numbers = parseNumbers(lattice);
    if (lattice.includes("=")) {
      throw new ParseError(where, "the quote after Lattice= is not closed");
    }
    if (numbers.length !== 9 || !numbers.every(Number.isFinite)) {
      throw new ParseError(
        where,
        `Lattice="${lattice}" is not 9 finite numbers (three row vectors)`,
      );
    }
    cell.set(numbers);
  }
  const value = lookUp(info, "pbc");
  let flags: (boolean | null)[] = [lattice !== undefined];
  if (value !== undefined) flags = parseBooleans(value);
  if (flags.length === 1) flags = [flags[0], flags[0], flags[0]];
  if (flags.length !== 3 || flags.includes(null)) {
    throw new ParseError(where, `pbc="${value}" is not three truth values such as "T T F"`);
  }
  const pbc = flags as [boolean, boolean, boolean];
  for (let k = 0; k < 3; k++) {
    if (pbc[k] && Math.hypot(cell[3 * k], cell[3 * k + 1], cell[3 * k + 2]) === 0) {
      const problem = lattice === undefined ? "there is no Lattice" : "that lattice vector is zero";
      throw new ParseError(where, `axis ${k + 1} is periodic (pbc), but ${problem}`);
    }
  }
  return { cell, pbc };
}
