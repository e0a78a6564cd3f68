import { ParseError } from "../../errors.ts";
import { BOHR, HARTREE } from "../../units.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";
import { speciesNumber } from "./qe_input.ts";

const MARKS =
  /Program CP\b|^ *a[123] +=|Physical Quantities at step|total energy =|^ *CELL_PARAMETERS|^ *ATOMIC_POSITIONS|Forces acting|Total stress/;
const ROW = /^\s*[A-Za-z]\S*(?:\s+[-+\d.*]\S*){3}\s*$/;

export function isCpOutput(head: string): boolean {
  return /Program CP v/.test(head);
}

/** The step that is being read. */
interface Step {
  readonly number: number;
  energy: number | null;
  atoms: Pick<FrameRecord, "species" | "positions"> | null;
  forces: Float64Array | null;
}

/**
 * Steps that the text output of Quantum ESPRESSO's cp.x prints; PREFIX.pos has many more. The energy is that of the
 * electrons at the places of the nuclei, without fictitious or other kinetic energy. The stress holds that of the moving
 * nuclei and is not read.
 */
export async function* readCpOutput(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let [cell, step, stressed] = [[] as number[], null as Step | null, false];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    if (!MARKS.test(line)) continue;
    if (/Program CP/.test(line)) cell = [];
    else if (/^ *a[123] +=/.test(line)) {
      // A later run in the same file says them again.
      cell = [...(cell.length < 9 ? cell : []), ...scaled([line.split("=")[1]], BOHR)];
    } else if (/Physical Quantities/.test(line)) {
      if (step) yield* finished(step, cell);
      step = { number: readNumber(line.split(":")[1].trim()), ...NOTHING };
    } else if (/Total stress/.test(line)) stressed = true;
    else if (/CELL_PARAMETERS/.test(line)) cell = transposed(scaled(await lines.rows(3), BOHR));
    else if (step === null) continue;
    else if (/total energy/.test(line)) {
      step.energy ??= HARTREE * readNumber(/=\s*(\S+)/.exec(line)?.[1] ?? "");
    } else if (/ATOMIC_POSITIONS/.test(line)) {
      step.atoms = atomsOf(await rowsOf(lines), `${file}:${lines.number}`);
    } else {
      const rows = (await rowsOf(lines)).map((row) => row.trim().replace(/^\S+/, ""));
      step.forces = Float64Array.from(scaled(rows, HARTREE / BOHR));
    }
  }
  if (step && step.forces?.length !== step.atoms?.positions.length) {
    note(`step ${step.number} is cut short at line ${lines.number} and left out`, true);
  } else if (step) yield* finished(step, cell);
  if (stressed) note("its stress is not read: it holds the motion of the nuclei");
}

const NOTHING = { energy: null, atoms: null, forces: null };

function* finished({ number, energy, atoms, forces }: Step, cell: number[]) {
  if (atoms === null || cell.length !== 9) return;
  yield {
    ...{ ...atoms, cell: Float64Array.from(cell), pbc: [true, true, true] as const },
    ...{ energy, forces, stress: null },
    info: [["step", number] as const],
  };
}

/** Rows that a name begins. */
async function rowsOf(lines: Lines): Promise<string[]> {
  return await lines.rows(Infinity, (line) => ROW.test(line));
}

function atomsOf(rows: readonly string[], where: string) {
  const species = Uint8Array.from(rows, (row) => {
    const [label] = row.trim().split(/\s+/);
    const z = speciesNumber(label);
    if (z === 0) throw new ParseError(where, `"${label}" names no element`);
    return z;
  });
  const positions = scaled(rows.map((row) => row.trim().replace(/^\S+/, "")), BOHR);
  return { species, positions: Float64Array.from(positions) };
}

function scaled(rows: readonly string[], factor: number): number[] {
  return rows.flatMap((row) => numbersOf(row).slice(0, 3)).map((x) => factor * x);
}

/** cp.x prints its cell with the vectors as columns. */
export function transposed(matrix: readonly number[]): number[] {
  return matrix.map((_, i) => matrix[3 * (i % 3) + Math.floor(i / 3)]);
}
