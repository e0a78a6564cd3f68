import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ParseError } from "../../errors.ts";
import { cellVolume, labelledNumber } from "../../frame.ts";
import { readNpy } from "../npy.ts";
import type { FrameRecord } from "./frame_record.ts";
import { numbersOf } from "./lines.ts";

/** Whether a file stands for a folder of DeePMD, whose other files are arrays. */
export function isDeepmd(path: string): boolean {
  return basename(path) === "type.raw";
}

/**
 * Frames of a DeePMD system, one set of arrays after another, or of its .raw files where it has no set: Å, eV, eV/Å, and virials in eV, which are minus the volume times the
 * stress.
 *
 * @param elements symbols of types 0, 1, … where there is no type_map.raw, or null
 * @throws {ParseError} where elements or arrays are missing
 */
export async function* readDeepmd(
  path: string,
  file: string,
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
  if (sets.length === 0 && !existsSync(join(folder, "coord.raw"))) {
    throw new ParseError(file, "neither set.000 with arrays nor coord.raw stands beside it");
  }
  const [places, ending] = sets.length > 0 ? [sets, "npy"] : ([[""], "raw"] as const);
  for (const set of places) {
    const array = (name: string, width: number) =>
      arrayOf(join(folder, set, `${name}.${ending}`), width);
    const n = 3 * species.length;
    const [coord, box] = [array("coord", n), array("box", 9)];
    if (!coord || (periodic && !box)) {
      throw new ParseError(join(folder, set), `coord.${ending} or box.${ending} is missing`);
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
        join(folder, set, `${name}.${ending}`),
        `it has ${data.length / width} rows, and coord.${ending} has ${frames}`,
      );
    }
    for (let f = 0; f < frames; f++) {
      const row = (data: Float64Array | null, width: number) =>
        data?.slice(f * width, (f + 1) * width) ?? null;
      const cell = periodic ? row(box, 9)! : new Float64Array(9);
      const tensor = periodic ? row(virial, 9) : null;
      yield {
        ...{ species, positions: row(coord, n)!, cell, pbc: [periodic, periodic, periodic] },
        energy: energy ? energy[f] : null,
        forces: row(force, n),
        stress: tensor && tensor.map((w) => -w / cellVolume(cell)),
      };
    }
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
  const data = path.endsWith(".npy")
    ? readNpy(readFileSync(path), path, true).data
    : Float64Array.from(numbersOf(readFileSync(path, "utf8")));
  if (data.length % width === 0) return data;
  throw new ParseError(path, `it holds ${data.length} numbers, expected ${width} for every frame`);
}
