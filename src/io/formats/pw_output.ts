import { ParseError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import { BOHR, HARTREE } from "../../units.ts";
import { speciesElement } from "./qe_input.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

const RYDBERG = HARTREE / 2;
const MARKS =
  /Program PWSCF|lattice parameter \(alat\)|celldm\(1\)=|number of atoms\/cell|crystal axes:|site n\. |^CELL_PARAMETERS|^ATOMIC_POSITIONS|^!|convergence (?:has been|NOT) achieved|estimated scf accuracy|scf convergence threshold|new conv_thr|atomic species +valence|Forces acting|total\s+stress|(?:A f|F)inal scf calc|JOB DONE/;

export function isPwOutput(head: string): boolean {
  return /Program PWSCF/.test(head);
}

/** What a run has said so far. */
interface Run {
  alat: number;
  nAtoms: number;
  /** Elements by the labels of the species. */
  readonly elements: Map<string, number>;
  cell: Float64Array | null;
  species: Uint8Array | null;
  positions: Float64Array | null;
  energy: number | null;
  forces: Float64Array | null;
  stress: Float64Array | null;
  /** Whether its self-consistency was reached, by its own words and by its numbers, Ry. */
  reached: boolean;
  threshold: number;
  /** The threshold of the cycle that ended last: a new one is said before the next step. */
  needed: number;
  accuracy: number;
  /** Whether forces were computed before, it is the last cycle of a vc-relax, and it came to its end. */
  forced: boolean;
  final: boolean;
  done: boolean;
  step: number;
}

function newRun(): Run {
  return {
    ...{ alat: NaN, nAtoms: 0, elements: new Map(), cell: null, species: null, positions: null },
    ...{
      energy: null,
      forces: null,
      stress: null,
      reached: true,
      threshold: Infinity,
      needed: Infinity,
      accuracy: 0,
    },
    ...{ forced: false, final: false, done: false, step: 0 },
  };
}

/**
 * Steps of a text output of Quantum ESPRESSO's pw.x, one for every self-consistent cycle: scf, relax, vc-relax, md. The
 * energy is that after the exclamation mark, which is the free energy where electrons are smeared. A cycle that did not
 * converge says `converged=F`; the last one of a vc-relax, with a basis of its own, says `final_scf=T`.
 */
export async function* readPwOutput(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let run = newRun();
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null || /Program PWSCF/.test(line)) {
      const why = cutShort(run);
      if (why !== null) {
        note(`${why} at line ${lines.number}`, true);
        run.energy = null;
      }
      yield* finished(run);
      if (line === null) return;
      run = newRun();
      continue;
    }
    if (!MARKS.test(line)) continue;
    if (/^(?:CELL_PARAMETERS|ATOMIC_POSITIONS)|inal scf calc/.test(line)) yield* finished(run);
    await noteLine(run, line, lines, `${file}:${lines.number}`);
  }
}

/** Takes in what a line says. */
async function noteLine(run: Run, line: string, lines: Lines, where: string): Promise<void> {
  if (/lattice parameter/.test(line)) run.alat = BOHR * number(line);
  // The same with more digits.
  else if (/celldm\(1\)/.test(line)) run.alat = BOHR * number(line) || run.alat;
  else if (/number of atoms\/cell/.test(line)) run.nAtoms = number(line);
  else if (/atomic species/.test(line)) await noteElements(run, lines);
  else if (/crystal axes:/.test(line)) {
    run.cell = scaled((await lines.rows(3)).map((row) => inBrackets(row)), run.alat);
  } else if (/site n\. /.test(line)) {
    if (/alat/.test(line)) Object.assign(run, sites(await lines.rows(run.nAtoms), run, where));
  } else if (line.startsWith("CELL_PARAMETERS")) {
    run.cell = scaled((await lines.rows(3)).map(numbersOf), unitOf(line, run.alat, where));
  } else if (line.startsWith("ATOMIC_POSITIONS")) {
    Object.assign(run, places(line, await lines.rows(run.nAtoms), run, where));
  } else if (line.startsWith("!")) {
    [run.energy, run.needed] = [RYDBERG * number(line), run.threshold];
  } else if (/threshold|conv_thr/.test(line)) run.threshold = number(line);
  else if (/accuracy/.test(line)) run.accuracy = readNumber(/<\s*(\S+)/.exec(line)?.[1] ?? "");
  else if (/convergence/.test(line)) run.reached = /has been/.test(line);
  else if (/inal scf calc/.test(line)) run.final = true;
  else if (/JOB DONE/.test(line)) run.done = true;
  else if (/Forces acting/.test(line)) {
    run.forces = await forcesTable(lines, run.nAtoms);
    run.forced = true;
  } else run.stress = await stressTable(lines);
}

/** Why the step that is being read is not whole where the run ends, or null. */
function cutShort(run: Run): string | null {
  const { energy, forces, forced, final, done, step, positions } = run;
  if (energy === null && step === 0 && positions !== null) {
    return run.reached
      ? "no self-consistent cycle of it came to its end"
      : "its self-consistent cycle did not converge";
  }
  if (energy === null && final) return "its last self-consistent cycle did not come to its end";
  if (done || positions === null || (forced && forces !== null)) return null;
  return `cycle ${step + 1} is left out: the run is cut short`;
}

/** The step that is complete when others or the end follow. */
function* finished(run: Run): Generator<FrameRecord> {
  const { species, positions, cell, energy, forces, stress, final } = run;
  if (energy !== null && species && positions && cell) {
    run.step++;
    // Where it may go on without, it says that it converged whatever the accuracy is.
    const converged = run.reached && !(run.accuracy > 1.01 * run.needed + 1e-8);
    yield {
      ...{ species, positions, cell, pbc: [true, true, true], energy, forces, stress, converged },
      info: [["step", run.step], ...(final ? [["final_scf", "T"] as const] : [])],
    };
  }
  Object.assign(run, { energy: null, forces: null, stress: null, reached: true, accuracy: 0 });
}

/** Rows `label valence mass El( 1.00)`: what a label means is said by its pseudopotential. */
async function noteElements({ elements }: Run, lines: Lines): Promise<void> {
  for (;;) {
    const [row] = await lines.rows(
      1,
      (line) => /^\s*\S+\s+[\d.]+\s+[\d.]+\s+[A-Z][a-z]?\s*\(/.test(line),
    );
    if (row === undefined) return;
    const [, label, symbol] = /^\s*(\S+)\s+\S+\s+\S+\s+([A-Z][a-z]?)/.exec(row)!;
    elements.set(label, atomicNumber(symbol));
  }
}

/** The number behind the first `=`. */
function number(line: string): number {
  return readNumber(/=\s*([^\s)]+)/.exec(line)?.[1] ?? "");
}

/** The numbers within the last brackets of a row. */
function inBrackets(row: string): number[] {
  return numbersOf(/\(([^()]*)\)\s*$/.exec(row.trimEnd())?.[1] ?? "");
}

function scaled(rows: readonly (readonly number[])[], factor: number): Float64Array {
  return Float64Array.from(rows.flatMap((row) => row.slice(0, 3)), (x) => factor * x);
}

/** Å of the unit behind a card; that of CELL_PARAMETERS may bring an alat of its own. */
function unitOf(line: string, alat: number, where: string): number {
  if (/angstrom/i.test(line)) return 1;
  if (/bohr/i.test(line)) return BOHR;
  if (/alat/i.test(line)) return /alat\s*=/.test(line) ? BOHR * number(line) : alat;
  throw new ParseError(where, `its unit is not known: "${line.trim()}"`);
}

/** A label such as Fe1 or fe_up. */
function elementOf(label: string, { elements }: Pick<Run, "elements">, where: string): number {
  return elements.get(label) || speciesElement(label, where);
}

/** The first positions, which stand in a table. */
function sites(
  rows: readonly string[],
  run: Run,
  where: string,
): Pick<Run, "species" | "positions"> {
  return {
    species: Uint8Array.from(
      rows,
      (row) => elementOf(row.trim().split(/\s+/)[1] ?? "", run, where),
    ),
    positions: scaled(rows.map(inBrackets), run.alat),
  };
}

/** Positions of a later step. */
function places(
  line: string,
  rows: readonly string[],
  run: Run,
  where: string,
): Pick<Run, "species" | "positions"> {
  const { alat, cell } = run;
  const words = rows.map((row) => row.trim().split(/\s+/));
  const vectors = words.map((row) => row.slice(1, 4).map(readNumber));
  return {
    species: Uint8Array.from(words, ([label]) => elementOf(label ?? "", run, where)),
    positions: /crystal/i.test(line)
      ? cartesian(vectors.flat(), cell!)
      : scaled(vectors, unitOf(line, alat, where)),
  };
}

/** Total forces; parts of them may follow in tables of the same form. Null where the table is not whole. */
async function forcesTable(lines: Lines, nAtoms: number): Promise<Float64Array | null> {
  const rows: number[] = [];
  while (rows.length < 3 * nAtoms) {
    const [line] = await lines.rows(1, (row) => row.trim() === "" || /force =/.test(row));
    if (line === undefined) return null;
    const [, text] = /force =(.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    const numbers = numbersOf(text);
    rows.push(...(numbers.length === 3 ? numbers : [NaN, NaN, NaN]));
  }
  return Float64Array.from(rows, (x) => x * RYDBERG / BOHR);
}

/** The tensor in Ry/Bohr³, which has more digits than that in kbar beside it; positive where the cell is compressed. */
async function stressTable(lines: Lines): Promise<Float64Array | null> {
  const rows: number[] = [];
  for (let tried = 0; rows.length < 9 && tried < 20; tried++) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return null;
    const numbers = numbersOf(line);
    if (numbers.length === 6) rows.push(...numbers.slice(0, 3));
  }
  if (rows.length < 9) return null;
  return Float64Array.from(rows, (x) => -x * RYDBERG / BOHR ** 3);
}
