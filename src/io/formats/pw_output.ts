import { ParseError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import { BOHR, HARTREE } from "../../units.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

const RYDBERG = HARTREE / 2;
const MARKS =
  /Program PWSCF|lattice parameter \(alat\)|celldm\(1\)=|number of atoms\/cell|crystal axes:|site n\. |^CELL_PARAMETERS|^ATOMIC_POSITIONS|^!|convergence (?:has been|NOT) achieved|Forces acting|total\s+stress|A final scf/;

export function isPwOutput(head: string): boolean {
  return /Program PWSCF/.test(head);
}

/** What a run has said so far. */
interface Run {
  alat: number;
  nAtoms: number;
  cell: Float64Array | null;
  species: Uint8Array | null;
  positions: Float64Array | null;
  energy: number | null;
  forces: Float64Array | null;
  stress: Float64Array | null;
  converged: boolean;
  final: boolean;
  step: number;
}

function newRun(): Run {
  return {
    ...{ alat: NaN, nAtoms: 0, cell: null, species: null, positions: null },
    ...{ energy: null, forces: null, stress: null, converged: true, final: false, step: 0 },
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
    if (line === null) break;
    if (!MARKS.test(line)) continue;
    const where = `${file}:${lines.number}`;
    if (/Program PWSCF/.test(line)) {
      yield* finished(run);
      run = newRun();
    } else if (/lattice parameter/.test(line)) run.alat = BOHR * number(line);
    // The same with more digits.
    else if (/celldm\(1\)/.test(line)) run.alat = BOHR * number(line) || run.alat;
    else if (/number of atoms\/cell/.test(line)) run.nAtoms = number(line);
    else if (/crystal axes:/.test(line)) {
      run.cell = scaled((await lines.rows(3)).map((row) => inBrackets(row)), run.alat);
    } else if (/site n\. /.test(line)) {
      if (/alat/.test(line)) {
        Object.assign(run, sites(await lines.rows(run.nAtoms), run.alat, where));
      }
    } else if (line.startsWith("CELL_PARAMETERS")) {
      yield* finished(run);
      run.cell = scaled((await lines.rows(3)).map(numbersOf), unitOf(line, run.alat, where));
    } else if (line.startsWith("ATOMIC_POSITIONS")) {
      yield* finished(run);
      Object.assign(run, places(line, await lines.rows(run.nAtoms), run, where));
    } else if (line.startsWith("!")) run.energy = RYDBERG * number(line);
    else if (/convergence/.test(line)) run.converged = /has been/.test(line);
    else if (/A final scf/.test(line)) {
      yield* finished(run);
      run.final = true;
    } else if (/Forces acting/.test(line)) run.forces = await forcesTable(lines, run.nAtoms);
    else if (/total\s+stress/.test(line)) run.stress = await stressTable(lines);
  }
  const unfinished = run.energy === null || run.forces === null && run.step > 0;
  yield* finished(run);
  if (run.step === 0 && unfinished) note("no self-consistent cycle of it came to its end", true);
}

/** The step that is complete when others or the end follow. */
function* finished(run: Run): Generator<FrameRecord> {
  const { species, positions, cell, energy, forces, stress, converged, final } = run;
  if (energy !== null && species && positions && cell) {
    run.step++;
    yield {
      ...{ species, positions, cell, pbc: [true, true, true], energy, forces, stress, converged },
      info: [["step", run.step], ...(final ? [["final_scf", "T"] as const] : [])],
    };
  }
  Object.assign(run, { energy: null, forces: null, stress: null, converged: true });
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

/** A label such as Fe1 or Fe_up. */
function elementOf(label: string, where: string): number {
  const [, two, one] = /^(([A-Za-z])[a-z]?)/.exec(label) ?? ["", "", ""];
  const z = atomicNumber(two) || atomicNumber(one.toUpperCase());
  if (z === 0) throw new ParseError(where, `"${label}" names no element`);
  return z;
}

/** The first positions, which stand in a table. */
function sites(
  rows: readonly string[],
  alat: number,
  where: string,
): Pick<Run, "species" | "positions"> {
  return {
    species: Uint8Array.from(rows, (row) => elementOf(row.trim().split(/\s+/)[1] ?? "", where)),
    positions: scaled(rows.map(inBrackets), alat),
  };
}

/** Positions of a later step. */
function places(
  line: string,
  rows: readonly string[],
  { alat, cell }: Run,
  where: string,
): Pick<Run, "species" | "positions"> {
  const words = rows.map((row) => row.trim().split(/\s+/));
  const vectors = words.map((row) => row.slice(1, 4).map(readNumber));
  return {
    species: Uint8Array.from(words, ([label]) => elementOf(label ?? "", where)),
    positions: /crystal/i.test(line)
      ? cartesian(vectors.flat(), cell!)
      : scaled(vectors, unitOf(line, alat, where)),
  };
}

/** Total forces; parts of them may follow in tables of the same form. */
async function forcesTable(lines: Lines, nAtoms: number): Promise<Float64Array | null> {
  const rows: number[] = [];
  while (rows.length < 3 * nAtoms) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return null;
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
