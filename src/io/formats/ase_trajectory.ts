import type { Buffer } from "node:buffer";
import { ParseError } from "../../errors.ts";
import { parsePython, tensorOf, velocitiesOf } from "./ase_labels.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { wholeFile } from "./whole_file.ts";

/** Both magics of Ulm files; old ones begin with the second. */
const MAGICS = ["- of Ulm", "AFFormat"];

export function isAseTrajectory(head: string): boolean {
  return MAGICS.some((magic) => head.startsWith(magic));
}

/** Python's own serialisation, which only runs by running code. */
export function isPickle(head: string): boolean {
  const [opcode, protocol] = [head.charCodeAt(0), head.charCodeAt(1)];
  return opcode === 0x80 && protocol >= 2 && protocol <= 5;
}

/** What stands in the first frame alone where it does not change; labels and motion are a frame's own. */
const CONSTANT = /^(numbers|pbc|cell|masses|tags)\.?$/;

type Json = { readonly [key: string]: unknown };

/**
 * Frames of an ASE trajectory. Labels are the results of its calculator; the energy is the free energy where there is
 * one. Elements, cell and periodicity stand in the first frame where they do not change.
 *
 * @throws {ParseError} if it is damaged
 */
export async function* readAseTrajectory(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const bytes = await wholeFile(chunks, file);
  const offsets = offsetsOf(bytes, file);
  let first: Json = {};
  for (const [index, offset] of offsets.entries()) {
    const item = itemAt(bytes, offset);
    if (item === null) {
      note(`it ends within frame ${index}; the frames before are read`, true);
      return;
    }
    if (index === 0) first = item;
    if (item._little_endian === false) {
      throw new ParseError(
        file,
        "its numbers are big-endian, which is not read: write it anew with ASE",
      );
    }
    const constant = Object.entries(first).filter(([key]) => CONSTANT.test(key));
    const record = recordOf(bytes, { ...Object.fromEntries(constant), ...item });
    if (record === null) {
      throw new ParseError(`${file}@${index}`, "it has no positions or elements");
    }
    yield record;
  }
}

/** Places of the frames' descriptions. */
function offsetsOf(bytes: Buffer, file: string): number[] {
  if (bytes.length < 48) throw new ParseError(file, "it is cut short");
  const n = Number(bytes.readBigInt64LE(32));
  const table = Number(bytes.readBigInt64LE(40));
  const held = Math.min(n, Math.floor((bytes.length - table) / 8));
  if (!(n >= 0) || !(table >= 48) || (n > 0 && held < 1)) {
    throw new ParseError(file, "it is damaged");
  }
  return Array.from({ length: held }, (_, i) => Number(bytes.readBigInt64LE(table + 8 * i)));
}

/** The description of a frame; null where the file ends before it does. */
function itemAt(bytes: Buffer, offset: number): Json | null {
  if (offset < 0 || offset + 8 > bytes.length) return null;
  const length = Number(bytes.readBigInt64LE(offset));
  if (offset + 8 + length > bytes.length) return null;
  try {
    return parsePython(bytes.toString("utf8", offset + 8, offset + 8 + length)) as Json;
  } catch {
    return null;
  }
}

/** Names end in a dot where the value is an array of its own. */
function look(item: Json, name: string): unknown {
  return item[`${name}.`] ?? item[name];
}

/** An array that is written out, or lies in the file; null where it is neither, or beyond the end. */
function arrayOf(bytes: Buffer, value: unknown): number[] | null {
  if (Array.isArray(value)) return value.flat(3) as number[];
  const array = (value as { ndarray?: [number[], string, number] } | null)?.ndarray;
  if (!array) return null;
  const [shape, dtype, offset] = array;
  const length = shape.reduce((product, n) => product * n, 1);
  const read = READERS[dtype];
  if (!read || offset + length * read.bytes > bytes.length) return null;
  return Array.from({ length }, (_, i) => read.at(bytes, offset + i * read.bytes));
}

const READERS: Readonly<Record<string, { bytes: number; at(b: Buffer, i: number): number }>> = {
  float64: { bytes: 8, at: (b, i) => b.readDoubleLE(i) },
  float32: { bytes: 4, at: (b, i) => b.readFloatLE(i) },
  int64: { bytes: 8, at: (b, i) => Number(b.readBigInt64LE(i)) },
  int32: { bytes: 4, at: (b, i) => b.readInt32LE(i) },
  uint8: { bytes: 1, at: (b, i) => b[i] },
  int8: { bytes: 1, at: (b, i) => b.readInt8(i) },
  bool: { bytes: 1, at: (b, i) => b[i] },
};

function recordOf(bytes: Buffer, item: Json): FrameRecord | null {
  const array = (name: string) => arrayOf(bytes, look(item, name));
  const [numbers, positions] = [array("numbers"), array("positions")];
  if (!numbers || !positions || positions.length !== 3 * numbers.length) return null;
  const results = (look(item, "calculator") ?? {}) as Json;
  const result = (name: string) => look(results, name);
  const [forces, stress, momenta] = [
    ...[arrayOf(bytes, result("forces")), arrayOf(bytes, result("stress"))],
    array("momenta"),
  ];
  const [free, extrapolated] = ["free_energy", "energy"].map((name) =>
    number(arrayOf(bytes, result(name)) ?? result(name))
  );
  const energy = free ?? extrapolated;
  const pbc = (array("pbc") ?? [0, 0, 0]).map(Boolean) as [boolean, boolean, boolean];
  return {
    species: Uint8Array.from(numbers),
    positions: Float64Array.from(positions),
    cell: Float64Array.from(array("cell") ?? new Array<number>(9).fill(0)),
    pbc,
    energy,
    forces: forces ? Float64Array.from(forces) : null,
    stress: stress ? tensorOf(stress) : null,
    velocities: momenta && velocitiesOf(momenta, array("masses"), numbers),
    info: extrapolated !== null && extrapolated !== energy ? [["energy_sigma0", extrapolated]] : [],
  };
}

/** A number, or an array of one; NaN where Python's is none, null where there is nothing. */
function number(value: unknown): number | null {
  const [own] = Array.isArray(value) ? value : [value];
  if (typeof own === "number") return own;
  return own === null ? NaN : null;
}
