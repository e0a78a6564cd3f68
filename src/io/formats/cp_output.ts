import { BOHR, HARTREE } from "../../units.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";
import { speciesElement } from "./qe_input.ts";

const MARKS = new RegExp(
  [
    ...["Program CP\\b", "^ *a[123] +=", "Physical Quantities at step", "total energy ="],
    ...["^ *CELL_PARAMETERS", "^ *ATOMIC_POSITIONS", "Forces acting", "Total stress", "JOB DONE"],
  ].join("|"),
);

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

/** What a run has said so far. */
interface Run {
  cell: number[];
  step: Step | null;
  /** Whether it printed forces, and came to its end. */
  forced: boolean;
  done: boolean;
}

const newRun = (): Run => ({ cell: [], step: null, forced: false, done: false });

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
  let [run, stressed] = [newRun(), false];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    const begins = line !== null && /Program CP/.test(line);
    if (line === null || begins || /Physical Quantities at step/.test(line)) {
      // A step is closed by the next, or by the end of its run.
      const closed = line === null || begins ? run.done : true;
      const record = run.step && recordOf(run.step, run, closed);
      if (record) yield record;
      else if (run.step) {
        note(`step ${run.step.number} is cut short at line ${lines.number} and left out`, true);
      }
      if (line === null) break;
      if (begins) run = newRun();
      else run.step = newStep(line);
    } else if (/Total stress/.test(line)) stressed = true;
    else if (MARKS.test(line)) await noteLine(run, line, lines, `${file}:${lines.number}`);
  }
  if (stressed) note("its stress is not read: it holds the motion of the nuclei");
}

function newStep(line: string): Step {
  return { number: readNumber(line.split(":")[1].trim()), energy: null, atoms: null, forces: null };
}

/** Takes in what a line says. */
async function noteLine(run: Run, line: string, lines: Lines, where: string): Promise<void> {
  const { step } = run;
  if (/JOB DONE/.test(line)) run.done = true;
  else if (/^ *a[123] +=/.test(line)) {
    if (run.cell.length < 9) run.cell.push(...vectorOf(line.split("=")[1]).map((x) => BOHR * x));
  } else if (/CELL_PARAMETERS/.test(line)) {
    run.cell = columnsAsRows((await lines.rows(3)).flatMap(vectorOf).map((x) => BOHR * x));
  } else if (step === null) return;
  else if (/total energy/.test(line)) {
    step.energy ??= HARTREE * readNumber(/=\s*(\S+)/.exec(line)?.[1] ?? "");
  } else if (/ATOMIC_POSITIONS/.test(line)) {
    const rows = await tableOf(lines);
    if (rows.length === 0) return;
    const species = Uint8Array.from(rows, ([label]) => speciesElement(label, where));
    step.atoms = { species, positions: vectorsOf(rows, BOHR) };
  } else if (/Forces acting/.test(line)) {
    run.forced = true;
    const rows = await tableOf(lines);
    if (rows.length > 0) step.forces = vectorsOf(rows, HARTREE / BOHR);
  }
}

/** Null where the step is not whole.
 * @param closed whether what follows it, or the end of the run, says that nothing of it is missing */
function recordOf(
  { number, energy, atoms, forces }: Step,
  { cell, forced }: Run,
  closed: boolean,
): FrameRecord | null {
  if (atoms === null || cell.length !== 9 || (forces === null && (forced || !closed))) return null;
  if (forces !== null && forces.length !== atoms.positions.length) return null;
  return {
    ...{ ...atoms, energy, forces, stress: null },
    ...{ cell: Float64Array.from(cell), pbc: [true, true, true] },
    info: [["step", number]],
  };
}

/** Rows of a name and numbers up to an empty line; none where that is missing. */
async function tableOf(lines: Lines): Promise<string[][]> {
  const rows = await lines.rows(Infinity, (line) => /^\s*[A-Za-z]/.test(line));
  const [end] = await lines.rows(1);
  return end === undefined ? [] : rows.map((row) => row.trim().split(/\s+/));
}

/** What grew together, such as stars, is not a number. */
function vectorsOf(rows: readonly (readonly string[])[], factor: number): Float64Array {
  return Float64Array.from(
    rows.flatMap((row) => {
      const vector = row.slice(1).map(readNumber);
      return vector.length === 3 ? vector : [NaN, NaN, NaN];
    }),
    (x) => factor * x,
  );
}

function vectorOf(text: string): number[] {
  return numbersOf(text).slice(0, 3);
}

/** cp.x prints its cell with the vectors as columns. */
export function columnsAsRows(matrix: readonly number[]): number[] {
  return matrix.map((_, i) => matrix[3 * (i % 3) + Math.floor(i / 3)]);
}
