import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ParseError } from "../../errors.ts";
import { BOHR, HARTREE } from "../../units.ts";
import { readChunks } from "../files.ts";
import { beginsAs, filesBeside } from "./beside.ts";
import { isCpOutput, readCpOutput, transposed } from "./cp_output.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { Lines, numbersOf } from "./lines.ts";
import { cellOf, parseQeInput, speciesNumber } from "./qe_input.ts";

const NAME = /^(.*)\.pos(\.(?:gz|zst|xz|bz2))?$/;
const BLOCK = /^\s*\d+\s+\d+\.\d+(?:E[-+]\d+)?\s*\r?\n(?:\s*[-+]?\d+\.\d+(?:E[-+]\d+)?){3}\s*\r?\n/;
/** Bohr; rows are those of the same atoms where places are so near. */
const SAME = 1e-6;

/** Whether a file of places of cp.x begins so. */
export function isCpTrajectory(head: string, path: string): boolean {
  return NAME.test(basename(path)) && BLOCK.test(head);
}

/**
 * Steps of a trajectory of Quantum ESPRESSO's cp.x: places from PREFIX.pos, and beside it forces from PREFIX.for,
 * energies (etot) from PREFIX.evp and cells from PREFIX.cel, joined by the number of the step. Which element a row is
 * stands in the text output or in the input. PREFIX.str holds the motion of the nuclei and is not read.
 *
 * @throws {ParseError} where elements or the cell are not known, or steps begin anew in the middle
 */
export async function* readCpTrajectory(
  path: string,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const [, prefix, more = ""] = NAME.exec(basename(path))!;
  const beside = (kind: string) => join(dirname(path), `${prefix}.${kind}${more}`);
  const { species, cell: fixed, source } = await structureOf(path, prefix, file);
  const opened = (kind: string, rows: number) =>
    existsSync(beside(kind)) ? new Joined(beside(kind), rows) : null;
  const [forces, cells] = [opened("for", species.length), opened("cel", 3)];
  if (!cells && !fixed) {
    throw new ParseError(
      file,
      `${prefix}.cel is not beside it, and ${source} does not say the cell`,
    );
  }
  if (!cells) note(`the cell of all steps is that of ${source}: ${prefix}.cel is not beside it`);
  const energies = existsSync(beside("evp")) ? new Joined(beside("evp"), 0) : null;
  let [cellless, forceless, energyless] = [0, 0, 0];
  for await (const step of blocks(path, species.length, file, note)) {
    const columns = cells && (await cells.at(step.number))?.values;
    const cell = cells ? columns && transposed([...columns]).map((x) => BOHR * x) : fixed;
    if (!cell) {
      cellless++;
      continue;
    }
    const push = await forces?.at(step.number);
    const energy = energyOf((await energies?.at(step.number)) ?? null, step.time, energies?.names);
    if (forces && !push) forceless++;
    if (energies && energy === null) energyless++;
    yield {
      species,
      positions: step.values.map((x) => BOHR * x),
      ...{ cell: Float64Array.from(cell), pbc: [true, true, true], stress: null },
      energy: energy === null ? null : HARTREE * energy,
      forces: push ? push.values.map((f) => f * HARTREE / BOHR) : null,
      info: [["step", step.number]],
    };
  }
  for (const joined of [forces, cells, energies]) await joined?.close();
  if (cellless > 0) note(`${cellless} steps are left out: ${prefix}.cel has no cell for them`);
  if (forceless > 0) note(`${forceless} steps have no forces in ${prefix}.for`);
  if (energyless > 0) note(`${energyless} steps have no energy in ${prefix}.evp`);
}

/** A heading of numbers, and rows of three. */
interface Block {
  readonly number: number;
  /** The second number of the heading: ps in all files but old .evp. */
  readonly time: number;
  readonly head: readonly number[];
  readonly values: Float64Array;
}

/**
 * Blocks of a file of cp.x.
 *
 * @param note told of a block that is cut short
 * @param onNames told of lines that name columns
 */
async function* blocks(
  path: string,
  rows: number,
  file: string,
  note?: Note,
  onNames?: (names: string[]) => void,
): AsyncGenerator<Block, void> {
  const lines = new Lines(readChunks(path));
  let last = -1;
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null || line.trim() === "") return;
    if (line.startsWith("#")) {
      onNames?.(line.slice(1).trim().split(/\s+/));
      continue;
    }
    const head = numbersOf(line);
    const [number, time] = head;
    if (!Number.isInteger(number)) {
      throw new ParseError(`${file}:${lines.number}`, "it is no step of cp.x: expected its number");
    }
    if (number <= last) {
      throw new ParseError(
        `${file}:${lines.number}`,
        `step ${number} follows step ${last}: another run was appended; divide the files of both`,
      );
    }
    last = number;
    const values = Float64Array.from((await lines.rows(rows)).flatMap(numbersOf));
    if (values.length !== 3 * rows) {
      note?.(`step ${number} is cut short at line ${lines.number} and left out`, true);
      return;
    }
    yield { number, time, head, values };
  }
}

/** Another file of the run, asked for step after step. */
class Joined {
  /** Of the columns, where a line says them. */
  names: string[] = [];
  readonly #blocks: AsyncGenerator<Block, void>;
  #last: Block | null = null;

  constructor(path: string, rows: number) {
    this.#blocks = blocks(path, rows, path, undefined, (names) => this.names = names);
  }

  /** What it says of a step, or null. */
  async at(number: number): Promise<Block | null> {
    while (this.#last === null || this.#last.number < number) {
      const next = await this.#blocks.next();
      if (next.done) return null;
      this.#last = next.value;
    }
    return this.#last.number === number ? this.#last : null;
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}

/** The energy of the electrons of a line of .evp, Hartree: by the names of its columns, or by where the time stands,
 * which was the last column once and is the second now. */
function energyOf(block: Block | null, time: number, names: readonly string[] = []): number | null {
  if (block === null) return null;
  const { head } = block;
  const isTime = (x: number) => Math.abs(x - time) <= 1e-4 * time + 1e-7;
  const named = names.indexOf("etot");
  const at = named >= 0
    ? named
    : head.length > 10 && isTime(head[1])
    ? 5
    : isTime(head.at(-1)!)
    ? 4
    : -1;
  return Number.isFinite(head[at]) ? head[at] : null;
}

interface Structure {
  readonly species: Uint8Array;
  /** Rows, Å; null where it is not known. */
  readonly cell: Float64Array | null;
  /** Name of the file that says so. */
  readonly source: string;
}

/** Elements of the rows and the cell, from the text outputs in the folder, else from an input. */
async function structureOf(path: string, prefix: string, file: string): Promise<Structure> {
  const texts = filesBeside(path);
  const nRows = await rowsOf(path);
  for (const text of texts) {
    if (!await beginsAs(text, isCpOutput)) continue;
    const printed = await printedStructure(text, path, nRows);
    if (printed) return printed;
  }
  const inputs = texts.filter((text) => /\.(in|inp|cp)$/i.test(text));
  const own = inputs.filter((text) => basename(text).startsWith(`${prefix}.`));
  for (const input of own.length > 0 ? own : inputs) {
    const structure = inputStructure(input, nRows);
    if (structure) return structure;
  }
  throw new ParseError(
    file,
    "which elements its rows are is not known: put the text output of cp.x, or its input, beside it",
  );
}

/** Rows of the first step. */
async function rowsOf(path: string): Promise<number> {
  const lines = new Lines(readChunks(path));
  await lines.more();
  return (await lines.rows(Infinity, (line) => line.trim().split(/\s+/).length === 3)).length;
}

/** The structure of a text output that prints a step of the trajectory, whose rows are then those of the same atoms; or
 * whose atoms of one element stand together, so that no version of cp.x orders them otherwise. */
async function printedStructure(
  output: string,
  path: string,
  nRows: number,
): Promise<Structure | null> {
  let printed: FrameRecord | null = null;
  const places = new Joined(path, nRows);
  try {
    for await (const record of readCpOutput(new Lines(readChunks(output)), output, () => {})) {
      const { species, positions, cell } = record;
      if (species.length !== nRows) continue;
      printed = record;
      const step = await places.at(Number(record.info![0][1]));
      if (step?.values.every((x, i) => Math.abs(BOHR * x - positions[i]) < SAME)) {
        return { species, cell, source: basename(output) };
      }
    }
  } finally {
    await places.close();
  }
  return printed && isGrouped(printed.species) ? { ...printed, source: basename(output) } : null;
}

/** The structure of an input where it says it in a way that is read; its order is that of the rows where the atoms of one
 * element stand together: cp.x up to 6.5 sorted them. */
function inputStructure(path: string, nRows: number): Structure | null {
  try {
    const input = parseQeInput(readFileSync(path, "utf8"), path);
    const rows = input.cards.get("ATOMIC_POSITIONS")?.rows ?? [];
    const species = Uint8Array.from(rows, (row) => speciesNumber(row.trim().split(/\s+/)[0]));
    if (species.length !== nRows || species.includes(0) || !isGrouped(species)) return null;
    return { species, cell: cellOf(input), source: basename(path) };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

function isGrouped(species: Uint8Array): boolean {
  const changes = species.filter((z, i) => i > 0 && z !== species[i - 1]).length;
  return changes + 1 === new Set(species).size;
}
