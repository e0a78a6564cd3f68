import { ParseError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { isNumeric, type Lines, numbersOf, readNumber, type Wanted } from "./lines.ts";
import { LEARNED, stressOfSix } from "./vasp.ts";

/** Beginnings of the lines that say something: of the run, and of a step. */
const SETTING = beginning(
  ...[
    "   VRHFIN",
    " POTCAR:",
    "   ions per type",
    "   NELM  ",
    "   EDIFF  ",
    "   ISIF  ",
    ".*NIONS =",
  ],
);
/** Beginnings of the lines that say something of a step, by their third letter; rules may hold a word. */
const MARKS = byThirdLetter(
  ...[" POSITION", "  POSITION", "  in kB", "  free  energy", "  energy  without", "  ML energy"],
  ...["  total energy-change", "      direct lattice v", "----------", " General timing", " vasp."],
  "vasp.",
);

function byThirdLetter(...texts: readonly string[]): readonly (readonly string[] | undefined)[] {
  const marks: string[][] = [];
  for (const text of texts) (marks[text.charCodeAt(2)] ??= []).push(text);
  return marks;
}
/** Columns of three places, as they are written. */
const PLACES = 40;

function beginning(...texts: readonly string[]): RegExp {
  return new RegExp(`^(?:${texts.join("|")})`);
}

/** Whether a line begins with a mark. */
const isMark: Wanted = (text, at) => {
  const marks = MARKS[text.charCodeAt(at + 2)];
  if (marks === undefined) return false;
  for (const mark of marks) {
    if (text.startsWith(mark, at)) return true;
  }
  return false;
};

/** What is said once. */
interface Run {
  readonly potentials: string[];
  readonly elements: string[];
  species: Uint8Array | null;
  nIons: number;
  nelm: number;
  ediff: number;
  isif: number;
  ended: boolean;
}

function newRun(): Run {
  return {
    ...{ potentials: [], elements: [], species: null, nIons: NaN },
    ...{ nelm: Infinity, ediff: 0, isif: 2, ended: false },
  };
}

/** What is known of the step that is being read. */
interface Step {
  cell: Float64Array | null;
  stress: Float64Array | null;
  positions: Float64Array | null;
  forces: Float64Array | null;
  /** Number of the ionic step, electronic steps that it took, and what the last of them changed, eV. */
  ionic: number | null;
  electronic: number;
  change: number;
  reached: boolean;
  /** Free energy, eV, and the line that closes the table of energies. */
  free: number | null;
  energies: string | null;
}

function newStep(cell: Float64Array | null): Step {
  return {
    ...{ cell, stress: null, positions: null, forces: null, free: null, energies: null },
    ...{ ionic: null, electronic: 0, change: NaN, reached: false },
  };
}

/** What was left out, to be told at the end. */
interface Tally {
  learned: number;
  placeless: number;
}

export function isOutcar(head: string): boolean {
  return /^ ?vasp\.\d/m.test(head);
}

/**
 * Ionic steps of a VASP OUTCAR, or of several one after another. The energy is the free energy TOTEN, which the forces
 * belong to; energy(sigma->0) is kept beside it. Steps of a machine-learned force field have no labels, and say `ml=T`.
 * A step that used all NELM electronic steps and changed by more than EDIFF in the last one is not converged.
 *
 * @throws {ParseError} if it does not say which atoms there are
 */
export async function* readOutcar(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let [run, step, begun] = [newRun(), newStep(null), false];
  const tally: Tally = { learned: 0, placeless: 0 };
  // A step of both kinds is told twice, first by the force field.
  let waiting: FrameRecord | null = null;
  for (;;) {
    // Settings stand before the first step.
    const wanted = begun ? isMark : undefined;
    const line = lines.take(wanted) ?? await lines.more(wanted);
    const restarts = line !== null && begun && /^ ?vasp\.\d/.test(line);
    if (line === null || restarts) {
      if (waiting) yield counted(waiting, tally);
      waiting = null;
      tellCut(step, run, lines.number, note);
      if (line === null) break;
      [run, step, begun] = [newRun(), newStep(null), false];
      continue;
    }
    if (!begun && SETTING.test(line)) await noteSetting(run, line, lines, file);
    if (!isMark(line, 0) || (line.startsWith("-") && !/Iteration|aborting/.test(line))) continue;
    begun ||= !/^ ?vasp/.test(line);
    step = await noteStep(step, run, line, { lines, file, note, tally });
    if (step.positions === null || step.energies === null) continue;
    const record = recordOf(step, run);
    step = newStep(step.cell);
    if (record === null) continue;
    if (waiting && !samePlaces(waiting, record)) yield counted(waiting, tally);
    waiting = isLearned(record) ? record : null;
    if (!waiting) yield record;
  }
  const { learned, placeless } = tally;
  if (placeless > 0) note(`${placeless} steps have no places (NWRITE = 0?): read vasprun.xml`);
  if (learned > 0) {
    note(`${learned} ${LEARNED}`);
  }
}

function counted(record: FrameRecord, tally: Tally): FrameRecord {
  tally.learned++;
  return record;
}

function isLearned({ info }: FrameRecord): boolean {
  return info!.some(([key]) => key === "ml");
}

/** Says that a run ended within a step. */
function tellCut(step: Step, run: Run, line: number, note: Note): void {
  if (run.ended || (step.positions === null && step.electronic === 0)) return;
  note(`step ${step.ionic ?? "?"} is cut short at line ${line} and left out`, true);
}

async function noteSetting(run: Run, line: string, lines: Lines, file: string): Promise<void> {
  const value = () => readNumber(/=\s*(\S+)/.exec(line)?.[1].replace(/;$/, "") ?? "");
  if (line.startsWith("   VRHFIN")) {
    run.elements.push(/=\s*([A-Z][a-z]?)/.exec(line)?.[1] ?? "");
  } else if (line.startsWith(" POTCAR:")) run.potentials.push(symbolOf(line));
  else if (line.startsWith("   NELM")) run.nelm = value();
  else if (line.startsWith("   EDIFF")) run.ediff = value();
  else if (line.startsWith("   ISIF")) run.isif = value();
  else if (/NIONS =/.test(line)) run.nIons = Number(/NIONS =\s*(\d+)/.exec(line)?.[1]);
  else {
    const counts = await countsOf(line, lines, run.nIons, file);
    run.species = atomsOf(run.potentials, run.elements, counts, file);
  }
}

interface Reading {
  readonly lines: Lines;
  readonly file: string;
  readonly note: Note;
  readonly tally: Tally;
}

/** The step with what a line says of it, or the one that the line begins. */
async function noteStep(step: Step, run: Run, line: string, reading: Reading): Promise<Step> {
  const { lines, file, note, tally } = reading;
  if (line.startsWith("  in kB")) return { ...step, stress: stressOf(line, run.isif) };
  if (line.startsWith("      direct lattice")) {
    const rows = await lines.rows(3);
    const cell = Float64Array.from(rows.flatMap((row) => numbersOf(row).slice(0, 3)));
    return { ...step, cell: cell.length === 9 ? cell : null };
  }
  if (/^ {1,2}POSITION/.test(line)) {
    const { length } = run.species ?? noSpecies(run.potentials, run.elements, file);
    const table = await forcesTable(lines, length);
    if (table) return { ...step, ...table };
    note(`step ${step.ionic ?? "?"} is cut short at line ${lines.number} and left out`, true);
    return newStep(step.cell);
  }
  if (line.startsWith("  free  energy")) {
    return { ...step, free: readNumber(/TOTEN\s*=\s*(\S+)/.exec(line)?.[1] ?? "") };
  }
  if (/^ {2}(?:energy|ML energy)/.test(line)) return { ...step, energies: line };
  if (line.startsWith("  total energy-change")) {
    return { ...step, change: readNumber(/:\s*([^\s(]+)/.exec(line)?.[1] ?? "") };
  }
  if (line.includes("aborting")) return { ...step, reached: /EDIFF is reached/.test(line) };
  if (line.startsWith(" General")) run.ended = true;
  const [, ionic, electronic] = /Iteration\s+(\d+)\(\s*(\d+)\)/.exec(line) ?? [];
  if (ionic === undefined) return step;
  const own = { ionic: Number(ionic), electronic: Number(electronic) };
  if (own.electronic > 1) return { ...step, ...own };
  if (step.energies !== null) tally.placeless++;
  return { ...newStep(step.cell), ...own };
}

/** XX YY ZZ XY YZ ZX in kB; stars that have grown together leave none of them. */
function stressOf(line: string, isif: number): Float64Array | null {
  // With ISIF = 1 only the pressure is computed.
  if (isif === 1) return null;
  const numbers = numbersOf(line.slice(7));
  return stressOfSix(numbers.length === 6 ? numbers : new Array<number>(6).fill(NaN));
}

function samePlaces({ positions: a }: FrameRecord, { positions: b }: FrameRecord): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** ` POTCAR:    PAW_PBE Ga_d 06Jul2010` → Ga. */
function symbolOf(line: string): string {
  return /POTCAR:\s+\S+\s+([A-Z][a-z]?)/.exec(line)?.[1] ?? "";
}

function noSpecies(
  potentials: readonly string[],
  elements: readonly string[],
  file: string,
): never {
  const found = [...new Set([...potentials, ...elements])].join(", ") || "none";
  throw new ParseError(
    file,
    `it does not say how many ions of each type there are (types: ${found})`,
  );
}

/** Ions of each type, which may take several lines.
 * @throws {ParseError} if they are not as many as the file says */
async function countsOf(
  line: string,
  lines: Lines,
  nIons: number,
  file: string,
): Promise<number[]> {
  const counts = numbersOf(line.split("=")[1]);
  const total = () => counts.reduce((sum, n) => sum + n, 0);
  while (total() < nIons) {
    const [more = ""] = await lines.rows(1);
    const numbers = numbersOf(more);
    if (numbers.length === 0 || numbers.some(Number.isNaN)) break;
    counts.push(...numbers);
  }
  if (Number.isNaN(nIons) || total() === nIons) return counts;
  throw new ParseError(
    file,
    `its types have ${total()} ions together, and NIONS is ${nIons}: older VASP prints ten types only; read vasprun.xml`,
  );
}

/** Atomic numbers in the order of the file. The names of the potentials and what is said of their valence have to
 * agree.
 * @throws {ParseError} where they do not, or do not fit the numbers of ions */
function atomsOf(
  potentials: readonly string[],
  elements: readonly string[],
  counts: readonly number[],
  file: string,
): Uint8Array {
  // All potentials are listed before the first is described.
  const named = potentials.slice(0, counts.length);
  const types = elements.length === counts.length ? elements : named;
  if (types.length !== counts.length || types.some((type) => atomicNumber(type) === 0)) {
    throw new ParseError(
      file,
      `it has ${counts.length} types of ions and ${types.length} elements: ${
        types.join(", ") || "none"
      }`,
    );
  }
  const clash = named.findIndex((name, i) => atomicNumber(name) > 0 && name !== types[i]);
  if (clash >= 0) {
    throw new ParseError(
      file,
      `its type ${clash + 1} is ${named[clash]} by the POTCAR and ${types[clash]} by VRHFIN`,
    );
  }
  return Uint8Array.from(
    counts.flatMap((n, i) => new Array<number>(n).fill(atomicNumber(types[i]))),
  );
}

/** Positions and total forces; columns beyond the sixth, forces without van der Waals, are not wanted. Null where the
 * table is not one of so many atoms. */
async function forcesTable(
  lines: Lines,
  nAtoms: number,
): Promise<{ positions: Float64Array; forces: Float64Array } | null> {
  await lines.rows(1);
  const rows = await lines.rows(nAtoms, (line) => isNumeric(line) && !/^ ?-{5}/.test(line));
  const [close] = rows.length === nAtoms ? await lines.rows(1, (line) => /^ ?-{5}/.test(line)) : [];
  if (close === undefined) return null;
  const read = rows.map((row) => {
    const numbers = numbersOf(row);
    if (numbers.length >= 6) return numbers;
    return [...numbersOf(row.slice(0, PLACES)).slice(0, 3), NaN, NaN, NaN];
  });
  return {
    positions: Float64Array.from(read.flatMap((row) => row.slice(0, 3))),
    forces: Float64Array.from(read.flatMap((row) => row.slice(3, 6))),
  };
}

/** A step that has places and energies; null where there is no cell for it. */
function recordOf(step: Step, { species, nelm, ediff }: Run): FrameRecord | null {
  const { cell, positions, forces, stress, ionic, electronic, reached, change, free } = step;
  if (!species || !positions || !cell) return null;
  const atoms = { species, positions, cell, pbc: [true, true, true] as const };
  if (step.energies!.startsWith("  ML")) {
    return { ...atoms, energy: null, forces: null, stress: null, info: [["ml", "T"]] };
  }
  const sigma = readNumber(/sigma->0\)\s*=\s*(\S+)/.exec(step.energies!)?.[1] ?? "");
  // VASP 5 says that EDIFF is reached where NELM ran out, too.
  const converged = electronic < nelm || (reached && !(Math.abs(change) > ediff));
  return {
    ...{ ...atoms, energy: free, forces, stress, converged },
    info: [...(ionic === null ? [] : [["step", ionic] as const]), ["energy_sigma0", sigma]],
  };
}
