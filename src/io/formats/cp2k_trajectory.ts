import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ParseError } from "../../errors.ts";
import { labelledNumber } from "../../frame.ts";
import { readChunks } from "../files.ts";
import { BOHR, HARTREE } from "../../units.ts";
import { beginsAs, filesBeside } from "./beside.ts";
import { isCp2kOutput, readCp2kRun } from "./cp2k_output.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { Lines, numbersOf, readNumber } from "./lines.ts";

const COMMENT = /^\s*i\s*=\s*(\d+)/;

/** What the name of a file of CP2K says of it, or null. */
const NAME = /^(.*)-(pos|frc|vel)-(\d+)\.xyz(\.\w+)?$/;

/** Whether a file holds forces or velocities, which go with places that stand elsewhere. */
export function goesWithPlaces(path: string): boolean {
  return /^(frc|vel)$/.test(NAME.exec(basename(path))?.[2] ?? "");
}

/** Files of the same run. */
function siblings(path: string): Record<"forces" | "cell" | "energies", string> {
  const [, project, , number, more] = NAME.exec(basename(path))!;
  const beside = (name: string) => join(dirname(path), name + (more ?? ""));
  return {
    forces: beside(`${project}-frc-${number}.xyz`),
    cell: beside(`${project}-${number}.cell`),
    energies: beside(`${project}-${number}.ener`),
  };
}

/** Whether a file of a CP2K run begins so. */
export function isCp2kTrajectory(head: string, path: string): boolean {
  return NAME.test(basename(path)) && COMMENT.test(head.split("\n", 2)[1] ?? "");
}

/** Ensembles in which the cell stays as it is. */
const FIXED_CELL = /^(NVE|NVT|LANGEVIN|ISOKIN|REFTRAJ)/;

/**
 * Steps of a CP2K run: places from PROJECT-pos-1.xyz, cells from PROJECT-1.cell, and forces from PROJECT-frc-1.xyz where
 * it is there, joined by the number of the step. Energies stand in the comment lines, else in PROJECT-1.ener. Where there
 * is no .cell it is that of the output in the same folder, if its ensemble keeps the cell.
 *
 * @throws {ParseError} if there are no cells, or steps begin anew in the middle
 */
export async function* readCp2kTrajectory(
  path: string,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const files = siblings(path);
  if (goesWithPlaces(path)) {
    throw new ParseError(
      file,
      "it holds forces or velocities of CP2K: give PROJECT-pos-1.xyz beside it",
    );
  }
  const cells = existsSync(files.cell) ? await readTable(files.cell, 2, 11) : null;
  const fixed = cells ? null : await fixedCell(path, basename(files.cell), file, note);
  const energies = existsSync(files.energies) ? await readTable(files.energies, 4, 5) : null;
  const forces = existsSync(files.forces) ? steps(files.forces, `${file}, forces`) : null;
  let pushed: Step | null = null;
  let [cellless, forceless] = [0, 0];
  for await (const step of steps(path, file, note)) {
    const cell = fixed ?? cells?.get(step.number);
    if (!cell) {
      cellless++;
      continue;
    }
    while (forces && (pushed === null || pushed.number < step.number)) {
      const next: IteratorResult<Step> = await forces.next();
      if (next.done) break;
      pushed = next.value;
    }
    const own = pushed?.number === step.number && pushed.vectors.length === step.vectors.length
      ? pushed.vectors
      : null;
    if (forces && own === null) forceless++;
    yield {
      ...{ species: step.species, positions: step.vectors, cell, pbc: [true, true, true] },
      energy: step.energy ?? hartree(energies?.get(step.number)?.[0]),
      stress: null,
      forces: own?.map((f) => f * HARTREE / BOHR) ?? null,
      info: [["step", step.number]],
    };
  }
  await forces?.return(undefined);
  if (cellless > 0) {
    note(`${cellless} steps are left out: ${basename(files.cell)} has no cell for them`);
  }
  if (forceless > 0) note(`${forceless} steps have no forces in ${basename(files.forces)}`);
}

interface Step {
  readonly number: number;
  readonly energy: number | null;
  readonly species: Uint8Array;
  readonly vectors: Float64Array;
}

async function* steps(path: string, file: string, note?: Note): AsyncGenerator<Step, void> {
  const lines = new Lines(readChunks(path));
  let last = -1;
  for (;;) {
    const count = await lines.more();
    if (count === null || count.trim() === "") return;
    const nAtoms = Number(count);
    const comment = await lines.more() ?? "";
    const rows = (await lines.rows(nAtoms)).map((row) => row.trim().split(/\s+/));
    const number = COMMENT.exec(comment)?.[1];
    if (!Number.isInteger(nAtoms) || number === undefined) {
      throw new ParseError(
        `${file}:${lines.number}`,
        "it is no step of CP2K: expected i = N, time = T, E = E",
      );
    }
    if (Number(number) <= last) {
      throw new ParseError(
        `${file}:${lines.number}`,
        `step ${number} follows step ${last}: another run was appended; divide the files of both`,
      );
    }
    last = Number(number);
    if (rows.length < nAtoms || rows.some((row) => row.length < 4)) {
      note?.(
        `step ${number} is cut short at line ${lines.number} and left out`,
        true,
      );
      return;
    }
    const [, energy] = /\bE\s*=\s*(\S+)/.exec(comment) ?? [];
    yield {
      number: Number(number),
      energy: energy === undefined ? null : HARTREE * readNumber(energy),
      species: Uint8Array.from(rows, ([label]) => labelledNumber(label)),
      vectors: Float64Array.from(rows.flatMap((row) => row.slice(1, 4).map(readNumber))),
    };
  }
}

function hartree(energy: number | undefined): number | null {
  return energy === undefined ? null : HARTREE * energy;
}

/**
 * Columns by the number of the step: of .cell, `step time Ax Ay Az Bx … volume`, the vectors; of .ener, `step time
 * kinetic temperature potential …`, the potential energy.
 */
async function readTable(
  path: string,
  from: number,
  to: number,
): Promise<Map<number, Float64Array>> {
  const lines = new Lines(readChunks(path));
  const rows = new Map<number, Float64Array>();
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return rows;
    const numbers = numbersOf(line);
    if (numbers.length >= to) rows.set(numbers[0], Float64Array.from(numbers.slice(from, to)));
  }
}

/** The cell of the output in the same folder.
 * @throws {ParseError} if there is none, or the cell moves */
async function fixedCell(
  path: string,
  missing: string,
  file: string,
  note: Note,
): Promise<Float64Array> {
  for (const output of filesBeside(path)) {
    if (!await beginsAs(output, isCp2kOutput)) continue;
    const name = basename(output);
    const { cell, ensemble } = await readCp2kRun(new Lines(readChunks(output)));
    if (cell.length !== 9 || ensemble === null) continue;
    if (!FIXED_CELL.test(ensemble)) {
      throw new ParseError(
        file,
        `${missing} is not beside it, and the cell moves in the ensemble ${ensemble} of ${name}`,
      );
    }
    note(
      `the cell of all steps is that of ${name}, whose directions have three decimals: ${missing} is not beside it`,
    );
    return Float64Array.from(cell);
  }
  throw new ParseError(
    file,
    `${missing} is not beside it (MOTION, PRINT, CELL), nor an output that says its cell: the places of CP2K come without`,
  );
}
