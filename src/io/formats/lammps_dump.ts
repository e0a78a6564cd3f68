import { ParseError } from "../../errors.ts";
import { labelledNumber } from "../../frame.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

/** Units of length that are Å; of forces that are eV/Å and of velocities, as factors to Å/fs. */
const UNITS: Readonly<Record<string, { readonly forces: boolean; readonly velocity: number }>> = {
  metal: { forces: true, velocity: 1e-3 },
  real: { forces: false, velocity: 1 },
};

export function isLammpsDump(head: string): boolean {
  return /^ITEM: (TIMESTEP|UNITS|TIME)\b/.test(head);
}

/** A snapshot: its box, and the names of its columns. */
interface Box {
  readonly cell: Float64Array;
  readonly origin: readonly [number, number, number];
  readonly pbc: readonly [boolean, boolean, boolean];
}

/**
 * Snapshots of a LAMMPS dump, atoms in the order of their ids. Types are no elements: where the dump has no column
 * `element` they have to be named. Forces and velocities are read where the dump states its units (`dump_modify units
 * yes`), and they are `metal`.
 *
 * @param elements symbols of types 1, 2, …, or null
 * @throws {ParseError} where elements are not known, or columns are missing
 */
export async function* readLammpsDump(
  lines: Lines,
  file: string,
  note: Note,
  elements: readonly string[] | null,
): AsyncGenerator<FrameRecord> {
  let [step, nAtoms, units] = [0, 0, ""];
  let box: Box | null = null;
  let unread = false;
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    const where = `${file}:${lines.number}`;
    if (line.startsWith("ITEM: TIMESTEP")) [step] = (await lines.rows(1)).map(Number);
    else if (line.startsWith("ITEM: UNITS")) {
      [units] = (await lines.rows(1)).map((row) => row.trim());
    } else if (line.startsWith("ITEM: TIME")) await lines.rows(1);
    else if (line.startsWith("ITEM: NUMBER OF ATOMS")) [nAtoms] = (await lines.rows(1)).map(Number);
    else if (line.startsWith("ITEM: BOX BOUNDS")) {
      const rows = await lines.rows(3, isRow);
      if (rows.length < 3) note(cut(step, lines), true);
      box = rows.length < 3 ? null : boxOf(line, rows, where);
    } else if (line.startsWith("ITEM: ATOMS")) {
      if (box === null) throw new ParseError(where, "no box stands before its atoms");
      const rows = (await lines.rows(nAtoms, isRow)).map((row) => row.trim().split(/\s+/));
      const columns = line.trim().split(/\s+/).slice(2);
      if (rows.length < nAtoms || rows.some((row) => row.length < columns.length)) {
        note(cut(step, lines), true);
        continue;
      }
      if (units !== "" && !(units in UNITS)) {
        throw new ParseError(
          where,
          `its units are ${units}: lengths in Å are read, units metal or real`,
        );
      }
      unread ||= columns.includes("fx") && !UNITS[units]?.forces;
      yield snapshot(new Table(columns, rows, where), box, { step, units, elements });
    } else if (line.trim() !== "") {
      throw new ParseError(where, `it is no line of a dump: "${line.slice(0, 40)}"`);
    }
  }
  if (unread) {
    note(
      units === ""
        ? "its forces are not read: it does not state its units (dump_modify ID units yes)"
        : `its forces are not read: they are in units ${units}`,
    );
  }
}

/** A killed run leaves a snapshot that the next heading follows. */
function isRow(line: string): boolean {
  return !line.startsWith("ITEM:");
}

function cut(step: number, { number }: Lines): string {
  return `the snapshot of step ${step} is cut short at line ${number} and left out`;
}

/** Rows of atoms by the names of their columns, sorted by id. */
class Table {
  readonly rows: readonly (readonly string[])[];

  constructor(
    readonly columns: readonly string[],
    rows: readonly (readonly string[])[],
    readonly where: string,
  ) {
    const id = columns.indexOf("id");
    this.rows = id < 0 ? rows : rows.toSorted((a, b) => Number(a[id]) - Number(b[id]));
  }

  has(names: readonly string[]): boolean {
    return names.every((name) => this.columns.includes(name));
  }

  words(name: string): string[] {
    const at = this.columns.indexOf(name);
    return this.rows.map((row) => row[at]);
  }

  vectors(names: readonly string[]): Float64Array {
    const at = names.map((name) => this.columns.indexOf(name));
    return Float64Array.from(this.rows.flatMap((row) => at.map((i) => readNumber(row[i]))));
  }
}

function snapshot(
  table: Table,
  { cell, origin, pbc }: Box,
  { step, units, elements }: { step: number; units: string; elements: readonly string[] | null },
): FrameRecord {
  const known = UNITS[units];
  const plain = [["x", "y", "z"], ["xu", "yu", "zu"]].find((names) => table.has(names));
  const scaled = [["xs", "ys", "zs"], ["xsu", "ysu", "zsu"]].find((names) => table.has(names));
  if (!plain && !scaled) {
    throw new ParseError(
      table.where,
      `it has no columns x y z or xs ys zs: ${table.columns.join(" ")}`,
    );
  }
  // The cell begins at the origin here, and in LAMMPS where its box does.
  const positions = plain
    ? table.vectors(plain).map((x, i) => x - origin[i % 3])
    : cartesian(table.vectors(scaled!), cell);
  const vectors = (names: readonly string[], may: boolean) =>
    may && table.has(names) ? table.vectors(names) : null;
  const velocities = vectors(["vx", "vy", "vz"], known !== undefined);
  return {
    ...{ species: speciesOf(table, elements), positions, cell, pbc, energy: null, stress: null },
    forces: vectors(["fx", "fy", "fz"], known?.forces === true),
    velocities: velocities?.map((v) => v * known.velocity) ?? null,
    info: [["step", step]],
  };
}

function speciesOf(table: Table, elements: readonly string[] | null): Uint8Array {
  const name = ["element", "type"].find((column) => table.has([column]));
  if (name === undefined) {
    throw new ParseError(table.where, "its atoms have neither element nor type");
  }
  const words = table.words(name);
  if (name === "type" && elements === null) {
    const types = [...new Set(words)].sort((a, b) => Number(a) - Number(b));
    throw new ParseError(
      table.where,
      `its atoms have types (${
        types.join(", ")
      }) and no elements: name them with --species, such as H,O for ` +
        "types 1 and 2",
    );
  }
  return Uint8Array.from(words, (word) => {
    const symbol = name === "element" ? word : elements![Number(word) - 1] ?? "";
    const z = labelledNumber(symbol);
    if (z > 0) return z;
    throw new ParseError(
      table.where,
      name === "element"
        ? `"${word}" is no element`
        : `--species names no element for type ${word}`,
    );
  });
}

/** The box of a snapshot: bounds of the tilted box, `abc origin` vectors, or an orthogonal one. */
function boxOf(head: string, rows: readonly string[], where: string): Box {
  const numbers = rows.map((row) => numbersOf(row));
  const flags = head.split(/\s+/).filter((word) => /^[pfsm]{2}$/.test(word));
  const pbc = [0, 1, 2].map((k) => (flags[k] ?? "pp") === "pp") as [boolean, boolean, boolean];
  if (/abc origin/.test(head)) {
    const origin = numbers.map((row) => row[3]) as [number, number, number];
    return { cell: Float64Array.from(numbers.flatMap((row) => row.slice(0, 3))), origin, pbc };
  }
  const tilted = /xy xz yz/.test(head);
  if (numbers.length < 3 || numbers.some((row) => row.length < (tilted ? 3 : 2))) {
    throw new ParseError(where, "its box cannot be read");
  }
  const [xy, xz, yz] = tilted ? numbers.map((row) => row[2]) : [0, 0, 0];
  // The bounds are those of a box around the tilted one.
  const low = [
    numbers[0][0] - Math.min(0, xy, xz, xy + xz),
    numbers[1][0] - Math.min(0, yz),
    numbers[2][0],
  ] as const;
  const high = [
    numbers[0][1] - Math.max(0, xy, xz, xy + xz),
    numbers[1][1] - Math.max(0, yz),
    numbers[2][1],
  ];
  const [lx, ly, lz] = high.map((end, k) => end - low[k]);
  return { cell: Float64Array.of(lx, 0, 0, xy, ly, 0, xz, yz, lz), origin: low, pbc };
}
