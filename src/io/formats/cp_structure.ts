import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { ParseError } from "../../errors.ts";
import { BOHR } from "../../units.ts";
import { readChunks } from "../files.ts";
import { beginsAs, filesBeside } from "./beside.ts";
import { blocks } from "./cp_blocks.ts";
import { isCpOutput, readCpOutput } from "./cp_output.ts";
import { Lines } from "./lines.ts";
import { cellOf, parseQeInput, setting, speciesNumber } from "./qe_input.ts";

/** Å; rows are those of the same atoms where places are so near. */
const SAME = 1e-6;

/** What a file beside a trajectory of cp.x says of its rows. */
export interface Structure {
  readonly species: Uint8Array;
  /** Rows, Å; null where it is not known. */
  readonly cell: Float64Array | null;
  /** Name of the file that says so. */
  readonly source: string;
}

/**
 * Elements of the rows of PREFIX.pos, and the cell: of a text output that prints one of its steps; else of PREFIX.* or
 * the input that names this prefix, if its atoms of one element stand together, so that no version of cp.x (6.5 and
 * older sorted them) orders them otherwise.
 *
 * @throws {ParseError} where no file says it, or two say other things
 */
export async function structureOf(path: string, prefix: string, file: string): Promise<Structure> {
  const beside = filesBeside(path);
  const nRows = await rowsOf(path);
  const guesses: Structure[] = [];
  for (const text of beside) {
    if (!await beginsAs(text, isCpOutput)) continue;
    const { printed, agrees } = await compare(text, path, nRows);
    if (printed && agrees === true) return printed;
    if (agrees === false && basename(text).startsWith(`${prefix}.`)) {
      throw new ParseError(
        file,
        `its places are not those that ${basename(text)} prints of the same step`,
      );
    }
    if (printed && agrees === null && basename(text).startsWith(`${prefix}.`)) {
      guesses.push(printed);
    }
  }
  guesses.push(...beside.map((text) => inputStructure(text, prefix)).filter((one) => one !== null));
  const [first, ...others] = guesses.filter(({ species }) =>
    species.length === nRows && isGrouped(species)
  );
  const other = others.find(({ species }) => species.some((z, i) => z !== first.species[i]));
  if (other) {
    throw new ParseError(
      file,
      `${first.source} and ${other.source} name other elements for its rows`,
    );
  }
  if (first) return first;
  throw new ParseError(
    file,
    "which elements its rows are is not known: put the text output of cp.x that prints one of its steps, or its " +
      "input with the atoms sorted by element, beside it",
  );
}

/** Whether a text output prints a step of a trajectory. */
export async function printsStepOf(output: string, path: string): Promise<boolean> {
  return (await compare(output, path, await rowsOf(path))).agrees === true;
}

/** Rows of the first step. */
async function rowsOf(path: string): Promise<number> {
  const lines = new Lines(readChunks(path));
  await lines.more();
  return (await lines.rows(Infinity, (line) => line.trim().split(/\s+/).length === 3)).length;
}

/** The structure that an output prints, and whether its places are those of the trajectory; null where no step is common
 * to both. */
async function compare(
  output: string,
  path: string,
  nRows: number,
): Promise<{ printed: Structure | null; agrees: boolean | null }> {
  const steps = new Map<number, Float64Array>();
  let [printed, agrees] = [null as Structure | null, null as boolean | null];
  for await (const record of readCpOutput(new Lines(readChunks(output)), output, () => {})) {
    const { species, positions, cell } = record;
    if (species.length !== nRows) continue;
    printed ??= { species, cell, source: basename(output) };
    steps.set(Number(record.info![0][1]), positions);
  }
  if (steps.size === 0) return { printed, agrees };
  for await (const { number, values } of blocks(path, nRows)) {
    const places = steps.get(number);
    if (!places) continue;
    if (values.every((x, i) => Math.abs(BOHR * x - places[i]) < SAME)) {
      return { printed, agrees: true };
    }
    agrees = false;
  }
  return { printed, agrees };
}

/** The structure of the input of this run; null where it is another file, or says it in a way that is not read. */
function inputStructure(path: string, prefix: string): Structure | null {
  if (!/\.(in|inp|cp)$/i.test(path)) return null;
  try {
    const input = parseQeInput(readFileSync(path, "utf8"), path);
    const named = setting(input.namelists.get("CONTROL") ?? "", "prefix");
    if (named !== prefix && !basename(path).startsWith(`${prefix}.`)) return null;
    const rows = input.cards.get("ATOMIC_POSITIONS")?.rows ?? [];
    const species = Uint8Array.from(rows, (row) => speciesNumber(row.trim().split(/\s+/)[0]));
    return species.includes(0) ? null : { species, cell: cellOf(input), source: basename(path) };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

function isGrouped(species: Uint8Array): boolean {
  const changes = species.filter((z, i) => i > 0 && z !== species[i - 1]).length;
  return changes + 1 === new Set(species).size;
}
