import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ParseError } from "../../errors.ts";
import { BOHR, HARTREE } from "../../units.ts";
import { type Block, blocks, JoinedBlocks } from "./cp_blocks.ts";
import { columnsAsRows } from "./cp_output.ts";
import { structureOf } from "./cp_structure.ts";
import type { FrameRecord, Note } from "./frame_record.ts";

const NAME = /^(.*)\.pos(?:\.(?:gz|zst|xz|bz2))?$/;
const BLOCK = /^\s*\d+\s+\d+\.\d+(?:E[-+]\d+)?\s*\r?\n(?:\s*[-+]?\d+\.\d+(?:E[-+]\d+)?){3}\s*\r?\n/;

/** Whether a file of places of cp.x begins so. */
export function isCpTrajectory(head: string, path: string): boolean {
  return NAME.test(basename(path)) && BLOCK.test(head);
}

/**
 * Steps of a trajectory of Quantum ESPRESSO's cp.x: places from PREFIX.pos, and beside it forces from PREFIX.for,
 * energies (etot) from PREFIX.evp and cells from PREFIX.cel, joined by the number of the step. Which element a row is
 * stands in the text output or in the input. PREFIX.str holds the motion of the nuclei and is not read.
 *
 * @throws {ParseError} where elements or the cell are not known
 */
export async function* readCpTrajectory(
  path: string,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const [, prefix] = NAME.exec(basename(path))!;
  const { species, cell: fixed, source } = await structureOf(path, prefix, file);
  const opened = (kind: string, rows: number) => {
    const found = ["", ".gz", ".zst", ".xz", ".bz2"]
      .map((more) => join(dirname(path), `${prefix}.${kind}${more}`)).find((own) =>
        existsSync(own)
      );
    return found === undefined ? null : new JoinedBlocks(found, rows);
  };
  const [forces, cells, energies] = [
    opened("for", species.length),
    opened("cel", 3),
    opened("evp", 0),
  ];
  if (!cells && !fixed) {
    throw new ParseError(
      file,
      `${prefix}.cel is not beside it, and ${source} does not say the cell`,
    );
  }
  if (!cells) note(`the cell of all steps is that of ${source}: ${prefix}.cel is not beside it`);
  let [cellless, forceless, energyless] = [0, 0, 0];
  for await (const step of blocks(path, species.length, note)) {
    const columns = cells && (await cells.at(step))?.values;
    const cell = cells ? columns && columnsAsRows([...columns]).map((x) => BOHR * x) : fixed;
    if (!cell) {
      cellless++;
      continue;
    }
    const push = await forces?.at(step);
    const energy = energyOf((await energies?.at(step)) ?? null, step, energies?.names ?? []);
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
  const tell = (n: number, what: string, joined: JoinedBlocks | null) => {
    if (n > 0) note(`${n} steps ${what}`, joined!.ended);
  };
  tell(cellless, `are left out: ${prefix}.cel has no cell for them`, cells);
  tell(forceless, `have no forces in ${prefix}.for`, forces);
  tell(energyless, `have no energy in ${prefix}.evp`, energies);
}

/** The energy of the electrons of a line of .evp, Hartree: by the names of its columns, or by where the time stands,
 * which was the last column once and is the second now. */
function energyOf(
  own: Block | null,
  { head: [, time] }: Block,
  names: readonly string[],
): number | null {
  if (own === null) return null;
  const { head } = own;
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
