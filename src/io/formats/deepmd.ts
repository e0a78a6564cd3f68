import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ParseError } from "../../errors.ts";
import { cellVolume, labelledNumber } from "../../frame.ts";
import { readChunks } from "../files.ts";
import { readNpy } from "../npy.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { Lines, numbersOf } from "./lines.ts";

/** Whether a file stands for a folder of DeePMD, whose other files are arrays. */
export function isDeepmd(path: string): boolean {
  return basename(path) === "type.raw";
}

/**
 * Frames of a DeePMD system, one set of arrays after another, or of its .raw files where it has no set: Å, eV, eV/Å, and
 * virials in eV, which are minus the volume times the stress.
 *
 * @param elements symbols of types 0, 1, … where there is no type_map.raw, or null
 * @throws {ParseError} where elements or arrays are missing
 */
export async function* readDeepmd(
  path: string,
  file: string,
  note: Note,
  elements: readonly string[] | null,
): AsyncGenerator<FrameRecord> {
  const folder = dirname(path);
  if (readdirSync(folder).some((set) => existsSync(join(folder, set, "real_atom_types.npy")))) {
    throw new ParseError(
      file,
      "its frames have types of their own (real_atom_types.npy), which are not read",
    );
  }
  const species = speciesOf(path, file, elements);
  const periodic = !existsSync(join(folder, "nopbc"));
  const sets = readdirSync(folder).filter((name) => /^set\.\d+$/.test(name)).sort();
  if (sets.length === 0) {
    yield* readRaw(folder, { species, periodic }, file, note);
    return;
  }
  for (const set of sets) {
    const array = (name: string, width: number) => arrayOf(join(folder, set, `${name}.npy`), width);
    const n = 3 * species.length;
    const [coord, box] = [array("coord", n), array("box", 9)];
    if (!coord || (periodic && !box)) {
      throw new ParseError(join(folder, set), "coord.npy or box.npy is missing");
    }
    const [energy, force, virial] = [array("energy", 1), array("force", n), array("virial", 9)];
    const frames = coord.length / n;
    const own = {
      box: [box, 9],
      energy: [energy, 1],
      force: [force, n],
      virial: [virial, 9],
    } as const;
    for (const [name, [data, width]] of Object.entries(own)) {
      if (data === null || data.length === frames * width) continue;
      throw new ParseError(
        join(folder, set, `${name}.npy`),
        `it has ${data.length / width} rows, and coord.npy has ${frames}`,
      );
    }
    for (let f = 0; f < frames; f++) {
      const row = (data: Float64Array | null, width: number) =>
        data?.slice(f * width, (f + 1) * width) ?? null;
      yield recordOf({ species, periodic }, {
        ...{ coord: row(coord, n)!, box: row(box, 9), force: row(force, n) },
        ...{ energy: row(energy, 1), virial: row(virial, 9) },
      });
    }
  }
}

/** What all frames have in common. */
interface System {
  readonly species: Uint8Array;
  readonly periodic: boolean;
}

const NAMES = ["coord", "box", "energy", "force", "virial"] as const;

/** Numbers of a frame by the names of their files. */
type Rows = Readonly<Record<typeof NAMES[number], Float64Array | null>>;

function recordOf({ species, periodic }: System, rows: Rows): FrameRecord {
  const { coord, box, energy, force, virial } = rows;
  const cell = periodic ? box! : new Float64Array(9);
  return {
    ...{ species, positions: coord!, cell, pbc: [periodic, periodic, periodic] },
    ...{ energy: energy && energy[0], forces: force },
    stress: periodic && virial ? virial.map((w) => -w / cellVolume(cell)) : null,
  };
}

/** Frames of coord.raw and the files beside it, one row each.
 * @throws {ParseError} where files are missing or rows are of another width */
async function* readRaw(
  folder: string,
  system: System,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const path = (name: string) => join(folder, `${name}.raw`);
  if (!existsSync(path("coord"))) {
    throw new ParseError(file, "neither set.000 with arrays nor coord.raw stands beside it");
  }
  if (system.periodic && !existsSync(path("box"))) throw new ParseError(file, "box.raw is missing");
  const n = 3 * system.species.length;
  const widths = { coord: n, box: 9, energy: 1, force: n, virial: 9 };
  const files = NAMES.filter((name) => existsSync(path(name)));
  const lines = new Map(files.map((name) => [name, new Lines(readChunks(path(name)))]));
  for (let frames = 0;; frames++) {
    const rows: Record<typeof NAMES[number], Float64Array | null> = {
      ...{ coord: null, box: null, energy: null, force: null, virial: null },
    };
    for (const [name, own] of lines) rows[name] = await rowOf(own, path(name), widths[name]);
    const ended = files.filter((name) => rows[name] === null);
    if (ended.length > 0) {
      if (ended.length === files.length) return;
      note(
        `${ended.map((name) => `${name}.raw`).join(", ")} ends within row ${
          frames + 1
        }; ${frames} frames are read`,
        true,
      );
      return;
    }
    yield recordOf(system, rows);
  }
}

/** Numbers of the next row that is no comment; null at the end. */
async function rowOf(lines: Lines, path: string, width: number): Promise<Float64Array | null> {
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return null;
    if (/^\s*(#|$)/.test(line)) continue;
    const numbers = numbersOf(line);
    if (numbers.length === width) return Float64Array.from(numbers);
    throw new ParseError(
      `${path}:${lines.number}`,
      `it has ${numbers.length} numbers, expected ${width}`,
    );
  }
}

function speciesOf(path: string, file: string, elements: readonly string[] | null): Uint8Array {
  const map = join(dirname(path), "type_map.raw");
  const names = existsSync(map) ? readFileSync(map, "utf8").trim().split(/\s+/) : elements;
  if (names === null) {
    throw new ParseError(
      file,
      "there is no type_map.raw: name the elements of types 0, 1, ... with --species",
    );
  }
  const types = readFileSync(path, "utf8").trim().split(/\s+/).map(Number);
  return Uint8Array.from(types, (type) => {
    const z = labelledNumber(names[type] ?? "");
    if (z > 0) return z;
    throw new ParseError(file, `type ${type} is "${names[type] ?? ""}", which is no element`);
  });
}

/** @throws {ParseError} where its rows are of another width */
function arrayOf(path: string, width: number): Float64Array | null {
  if (!existsSync(path)) return null;
  const { data } = readNpy(readFileSync(path), path, true);
  if (data.length % width === 0) return data;
  throw new ParseError(path, `it holds ${data.length} numbers, expected ${width} for every frame`);
}
