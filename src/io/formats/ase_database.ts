import { Buffer } from "node:buffer";
import type { DatabaseSync } from "node:sqlite";
import { ParseError } from "../../errors.ts";
import { unitFactor } from "../declared_units.ts";
import { isCompressed } from "../files.ts";
import { parsePython, tensorOf, velocitiesOf } from "./ase_labels.ts";
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
      const { record, unread } = readRow(row, units, `${file}, id ${row.id}`);
      if (unread) unitless++;
      yield record;
    }
  } catch (error) {
    if (error instanceof ParseError) throw error;
    throw new ParseError(file, `its database cannot be read: ${(error as Error).message}`);
  } finally {
    database?.close();
  }
  if (unitless > 0) {
    note(
      `labels in data of ${unitless} rows are not read: their units are not said, or they are no numbers`,
    );
  }
}

/** @throws {ParseError} with the id of a row that is damaged */
function readRow(row: Row, units: Units, where: string): ReturnType<typeof recordOf> {
  try {
    return recordOf(row, units, where);
  } catch (error) {
    if (error instanceof ParseError) throw error;
    throw new ParseError(where, `its row cannot be read: ${(error as Error).message}`);
  }
}

function has(database: DatabaseSync, table: string): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  return found.get(table) !== undefined;
}

function metadataOf(database: DatabaseSync): Json {
  if (!has(database, "information")) return {};
  const row = database.prepare("SELECT value FROM information WHERE name = 'metadata'").get();
  return row ? parsePython(String((row as Row).value)) as Json : {};
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
 * @throws {ParseError} where they are not so many */
function doublesOf(value: unknown, n: number, what: string, where: string): number[] | null {
  if (!(value instanceof Uint8Array) || value.length === 0) return null;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length === 8 * n) return Array.from({ length: n }, (_, i) => bytes.readDoubleLE(8 * i));
  // Arrays of single precision are written as they are.
  if (bytes.length === 4 * n) return Array.from({ length: n }, (_, i) => bytes.readFloatLE(4 * i));
  throw new ParseError(where, `its ${what} are of another length`);
}

/** The free dictionary of a row: JSON, or from version 9 on arrays and the JSON that says where they lie. */
function dataOf(value: unknown): Json {
  if (typeof value === "string") return (parsePython(value) ?? {}) as Json;
  if (!(value instanceof Uint8Array) || value.length < 8) return {};
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const json = parsePython(bytes.toString("utf8", Number(bytes.readBigInt64LE(0)))) as Json;
  return Object.fromEntries(Object.entries(json).map(([key, own]) => [key, inBytes(own, bytes)]));
}

type Described = { readonly __ndarray__?: readonly [readonly number[], string, unknown] } | null;

/** An array of floating-point numbers that lies in the bytes, by its description; what is none stays. */
function inBytes(value: unknown, bytes: Buffer): unknown {
  const [shape, dtype, at] = (value as Described)?.__ndarray__ ?? [];
  if (!shape || typeof at !== "number") return value;
  const n = shape.reduce((product, length) => product * length, 1);
  if (dtype === "float64") {
    return Array.from({ length: n }, (_, i) => bytes.readDoubleLE(at + 8 * i));
  }
  if (dtype === "float32") {
    return Array.from({ length: n }, (_, i) => bytes.readFloatLE(at + 4 * i));
  }
  return value;
}

/** Numbers of a label in `data`: a number, a list, or an array that is written out. */
function listOf(value: unknown): number[] | null {
  if (typeof value === "number") return [value];
  const list = Array.isArray(value) ? value : (value as Described)?.__ndarray__?.[2];
  return Array.isArray(list) ? list.flat(3) as number[] : null;
}

/** Labels of a row in `data`, in eV and Å; `unread` where there are some without a unit. */
function labelsInData({ energy, forces }: Json, units: Units, n: number) {
  const scaled = (value: unknown, factor: number | null, length: number) => {
    const own = listOf(value);
    return own?.length === length && factor !== null ? own.map((x) => factor * x) : null;
  };
  const [own, pushes] = [scaled(energy, units.energy, 1), scaled(forces, units.forces, 3 * n)];
  return {
    ...{ energy: own?.[0] ?? null, forces: pushes },
    unread: (energy !== undefined && own === null) || (forces !== undefined && pushes === null),
  };
}

/** @throws {ParseError} where a row has no atoms or arrays of another length */
function recordOf(row: Row, units: Units, where: string): { record: FrameRecord; unread: boolean } {
  const species = row.numbers instanceof Uint8Array
    ? Uint8Array.from(
      { length: row.numbers.length / 4 },
      (_, i) => (row.numbers as Uint8Array)[4 * i],
    )
    : new Uint8Array(0);
  const n = species.length;
  const doubles = (name: string, length: number) => doublesOf(row[name], length, name, where);
  const [positions, cell] = [doubles("positions", 3 * n), doubles("cell", 9)];
  if (n === 0 || !positions || !cell) {
    throw new ParseError(where, "it has no atoms or no positions");
  }
  const [forces, momenta] = ["forces", "momenta"].map((name) => doubles(name, 3 * n));
  const [masses, stress] = [doubles("masses", n), doubles("stress", 6)];
  const data = row.energy === null || row.forces === null ? dataOf(row.data) : {};
  const { unread, ...others } = labelsInData(data, units, n);
  const [free, extrapolated] = [real(row.free_energy), real(row.energy)];
  const energy = free ?? extrapolated ?? others.energy;
  const pushes = forces ?? others.forces;
  const bits = Number(row.pbc);
  const record: FrameRecord = {
    ...{ species, positions: Float64Array.from(positions), cell: Float64Array.from(cell) },
    pbc: [(bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0],
    energy,
    forces: pushes && Float64Array.from(pushes),
    stress: stress && tensorOf(stress),
    velocities: momenta && velocitiesOf(momenta, masses, species),
    info: [
      ["db_id", Number(row.id)],
      ...(free !== null && extrapolated !== null && free !== extrapolated
        ? [["energy_sigma0", extrapolated] as const]
        : []),
      ...keysOf(row.key_value_pairs),
    ],
  };
  return { record, unread };
}

function real(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Keys of a row but for those that look like labels: those have columns of their own. */
function keysOf(text: unknown): [key: string, value: string | number][] {
  const pairs = typeof text === "string" ? parsePython(text) as Json : {};
  return Object.entries(pairs ?? {}).flatMap(([key, value]): [string, string | number][] => {
    if (/energ|stress|virial|forc|^pbc$|^lattice$|^properties$/i.test(key)) return [];
    if (typeof value === "boolean") return [[key, value ? "T" : "F"]];
    return typeof value === "number" || typeof value === "string" ? [[key, value]] : [];
  });
}
