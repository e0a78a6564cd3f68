import { Buffer } from "node:buffer";
import type { DatabaseSync } from "node:sqlite";
import { ParseError } from "../../errors.ts";
import { unitFactor } from "../declared_units.ts";
import { isCompressed } from "../files.ts";
import { tensorOf, velocitiesOf } from "./ase_labels.ts";
import type { FrameRecord, Note } from "./frame_record.ts";

export function isSqlite(head: string): boolean {
  return head.startsWith("SQLite format 3\0");
}

type Row = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;

/** Factors to eV and Å of labels that stand in `data`, or null where their units are not said. */
interface Units {
  readonly energy: number | null;
  readonly forces: number | null;
}

/**
 * Rows of a database of ASE (.db, SQLite) in the order of their ids. The energy is the free energy where there is one.
 * Labels that SchNetPack keeps in `data` are read where its metadata say their units.
 *
 * @throws {ParseError} if it is compressed, damaged, or another database
 */
export async function* readAseDatabase(
  path: string,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  if (isCompressed(path)) {
    throw new ParseError(file, "a compressed database is not read: unpack it");
  }
  const { DatabaseSync } = await import("node:sqlite");
  let [unitless, database] = [0, null as DatabaseSync | null];
  try {
    database = new DatabaseSync(path, { readOnly: true });
    if (!has(database, "systems")) {
      throw new ParseError(
        file,
        "it is an SQLite database, but none of ASE: it has no table systems",
      );
    }
    const units = unitsOf(metadataOf(database));
    const rows = database.prepare("SELECT * FROM systems ORDER BY id").iterate();
    for (const row of rows as Iterable<Row>) {
      const data = row.energy === null || row.forces === null ? dataOf(row.data) : {};
      const own = { energy: data.energy, forces: data.forces };
      if (own.energy !== undefined && units.energy === null) unitless++;
      yield recordOf(row, own, units, `${file}, id ${row.id}`);
    }
  } catch (error) {
    if (error instanceof ParseError) throw error;
    throw new ParseError(file, `its database cannot be read: ${(error as Error).message}`);
  } finally {
    database?.close();
  }
  if (unitless > 0) {
    note(`labels in data of ${unitless} rows are not read: the metadata do not say their units`);
  }
}

function has(database: DatabaseSync, table: string): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  return found.get(table) !== undefined;
}

function metadataOf(database: DatabaseSync): Json {
  if (!has(database, "information")) return {};
  const row = database.prepare("SELECT value FROM information WHERE name = 'metadata'").get();
  return row ? JSON.parse(String((row as Row).value)) as Json : {};
}

/** What SchNetPack says of the labels in `data`. */
function unitsOf({ _property_unit_dict: units, _distance_unit: length }: Json): Units {
  const factor = (quantity: "energy" | "force", unit: unknown) => {
    const found = unitFactor(quantity, String(unit ?? ""));
    return Number.isNaN(found) ? null : found;
  };
  const { energy, forces } = (units ?? {}) as Json;
  const inLength = String(length ?? "Ang");
  if (unitFactor("length", inLength) !== 1) return { energy: null, forces: null };
  return { energy: factor("energy", energy), forces: factor("force", forces) };
}

/** Little-endian numbers of a blob; null where there is none.
 * @param n how many; any number where it is null */
function numbersOf(value: unknown, n: number | null = null): number[] | null {
  if (!(value instanceof Uint8Array) || value.length === 0) return null;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const [length, width] = [n ?? bytes.length / 8, n === null ? 8 : bytes.length / n];
  if (width === 8) return Array.from({ length }, (_, i) => bytes.readDoubleLE(8 * i));
  // Arrays of single precision are written as they are.
  return width === 4 ? Array.from({ length }, (_, i) => bytes.readFloatLE(4 * i)) : null;
}

/** The free dictionary of a row: JSON, or from version 9 on arrays and the JSON that says where they lie. */
function dataOf(value: unknown): Json {
  if (typeof value === "string") return (JSON.parse(value) ?? {}) as Json;
  if (!(value instanceof Uint8Array) || value.length < 8) return {};
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString("utf8", Number(bytes.readBigInt64LE(0)));
  const json = JSON.parse(text) as Json;
  return Object.fromEntries(Object.entries(json).map(([key, own]) => [key, inBytes(own, bytes)]));
}

/** An array that lies in the bytes, by its description; what is none stays. */
function inBytes(value: unknown, bytes: Buffer): unknown {
  const array = (value as { __ndarray__?: [number[], string, unknown] } | null)?.__ndarray__;
  if (!array || typeof array[2] !== "number") return value;
  const [shape, dtype, at] = array as [number[], string, number];
  const n = shape.reduce((product, length) => product * length, 1);
  const width = dtype === "float64" ? 8 : dtype === "float32" ? 4 : 0;
  return width === 0 ? value : numbersOf(bytes.subarray(at, at + n * width), n);
}

/** Numbers of a label in `data`: a number, a list, or an array that is written out. */
function listOf(value: unknown): number[] | null {
  if (typeof value === "number") return [value];
  if (Array.isArray(value)) return value.flat(3) as number[];
  const array = (value as { __ndarray__?: [number[], string, number[]] } | null)?.__ndarray__;
  return array ? (array[2] as unknown as number[][]).flat(3) : null;
}

/** @throws {ParseError} where a row has no atoms or arrays of another length */
function recordOf(
  row: Row,
  data: { readonly energy: unknown; readonly forces: unknown },
  units: Units,
  where: string,
): FrameRecord {
  const species = row.numbers instanceof Uint8Array
    ? Uint8Array.from(
      { length: row.numbers.length / 4 },
      (_, i) => (row.numbers as Uint8Array)[4 * i],
    )
    : new Uint8Array(0);
  const n = species.length;
  const [positions, cell] = [numbersOf(row.positions, 3 * n), numbersOf(row.cell, 9)];
  if (n === 0 || !positions || !cell) {
    throw new ParseError(where, "it has no atoms or no positions");
  }
  const [forces, momenta, masses] = ["forces", "momenta", "masses"].map((name) =>
    numbersOf(row[name], name === "masses" ? n : 3 * n)
  );
  const stress = numbersOf(row.stress, 6);
  const [own, pushes] = [listOf(data.energy), listOf(data.forces)];
  const scaled = (values: number[] | null, factor: number | null) =>
    values === null || factor === null ? null : Float64Array.from(values, (x) => factor * x);
  const energy = real(row.free_energy) ?? real(row.energy) ?? scaled(own, units.energy)?.[0] ??
    null;
  const inData = pushes?.length === 3 * n ? scaled(pushes, units.forces) : null;
  const bits = Number(row.pbc);
  return {
    ...{ species, positions: Float64Array.from(positions), cell: Float64Array.from(cell) },
    pbc: [(bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0],
    energy,
    forces: forces ? Float64Array.from(forces) : inData,
    stress: stress && tensorOf(stress),
    velocities: momenta && velocitiesOf(momenta, masses, species),
    info: [["db_id", Number(row.id)], ...keysOf(row.key_value_pairs)],
  };
}

function real(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Keys of a row but for those that look like labels: those have columns of their own. */
function keysOf(text: unknown): [key: string, value: string | number][] {
  const pairs = typeof text === "string" ? JSON.parse(text) as Json : {};
  return Object.entries(pairs ?? {}).flatMap(([key, value]): [string, string | number][] => {
    if (/energ|stress|virial|forc|^pbc$|^lattice$|^properties$/i.test(key)) return [];
    if (typeof value === "boolean") return [[key, value ? "T" : "F"]];
    return typeof value === "number" || typeof value === "string" ? [[key, value]] : [];
  });
}
