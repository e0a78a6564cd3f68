import { atomicNumber } from "../../frame.ts";
import { ParseError } from "../../errors.ts";
import { GPA } from "../../units.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

/** One eV/Å³ in kB. */
const KILOBAR = 10 * GPA;
/** Beginnings of the lines that say something: of the run, and of a step. */
const SETTING = beginning(
  "   VRHFIN",
  " POTCAR:",
  "   ions per type",
  "   NELM  ",
  "   ISIF  ",
  ".*NIONS =",
);
const MARK = beginning(
  ...[" {1,2}POSITION", "  in kB", "  free  energy", "  energy  without", "  ML energy"],
  ...["      direct lattice v", "-{10,}.*(?:Iteration|aborting)"],
);

function beginning(...texts: readonly string[]): RegExp {
  return new RegExp(`^(?:${texts.join("|")})`);
}

/** What is known of the step that is being read. */
interface Step {
  cell: Float64Array | null;
  stress: Float64Array | null;
  positions: Float64Array | null;
  forces: Float64Array | null;
  /** Number of the ionic step, and electronic steps that it took. */
  ionic: number | null;
  electronic: number;
  reached: boolean;
  /** eV. */
  free: number | null;
}

function emptyStep(cell: Float64Array | null): Step {
  return {
    ...{ cell, stress: null, positions: null, forces: null },
    ...{ ionic: null, electronic: 0, reached: false, free: null },
  };
}

export function isOutcar(head: string): boolean {
  return /^ ?vasp\.\d/.test(head);
}

/** What is said once. */
interface Run {
  readonly potentials: string[];
  readonly elements: string[];
  species: Uint8Array | null;
  nIons: number;
  nelm: number;
  isif: number;
}

/**
 * Ionic steps of a VASP OUTCAR. The energy is the free energy TOTEN, which the forces belong to; energy(sigma->0) is
 * kept beside it. Steps of a machine-learned force field have no labels, and say `ml=T`. A step that used all NELM
 * electronic steps without reaching EDIFF is not converged.
 *
 * @throws {ParseError} if it does not say which atoms there are
 */
export async function* readOutcar(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const run: Run = {
    ...{ potentials: [], elements: [], species: null, nIons: NaN, nelm: Infinity, isif: 2 },
  };
  let step = emptyStep(null);
  let [learned, begun] = [0, false];
  // A step of both kinds is told twice, first by the force field.
  let waiting: FrameRecord | null = null;
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    // Settings stand before the first step, and most lines behind it are no mark at all.
    if (!begun && SETTING.test(line)) await noteSetting(run, line, lines, file);
    if (!mayBeMark(line) || !MARK.test(line)) continue;
    begun = true;
    if (!/^ {2}(?:energy|ML energy)/.test(line)) {
      if (!await noteStep(step, run, line, lines, file)) break;
      continue;
    }
    const record = recordOf(step, run, line);
    step = emptyStep(step.cell);
    if (record === null) continue;
    if (waiting && !samePlaces(waiting, record)) {
      learned++;
      yield waiting;
    }
    waiting = record.energy === null ? record : null;
    if (!waiting) yield record;
  }
  if (waiting) {
    learned++;
    yield waiting;
  }
  if (step.positions !== null || step.electronic > 0) {
    note(
      `it ends within step ${
        step.ionic ?? "?"
      }, at line ${lines.number}; the steps before are read`,
      true,
    );
  }
  if (learned > 0) {
    note(`${learned} steps of a machine-learned force field: they have no labels, and ml=T`);
  }
}

async function noteSetting(run: Run, line: string, lines: Lines, file: string): Promise<void> {
  const number = () => Number(/=\s*(\d+)/.exec(line)?.[1]);
  if (line.startsWith("   VRHFIN")) {
    run.elements.push(/=\s*([A-Z][a-z]?)/.exec(line)?.[1] ?? "");
  } else if (line.startsWith(" POTCAR:")) run.potentials.push(symbolOf(line));
  else if (line.startsWith("   NELM")) run.nelm = number();
  else if (line.startsWith("   ISIF")) run.isif = number();
  else if (/NIONS =/.test(line)) run.nIons = Number(/NIONS =\s*(\d+)/.exec(line)?.[1]);
  else {
    const counts = await countsOf(line, lines, run.nIons, file);
    run.species = atomsOf(run.potentials, run.elements, counts, file);
  }
}

/** Takes in what a line says of the step; false where the file ends within it. */
async function noteStep(
  step: Step,
  run: Run,
  line: string,
  lines: Lines,
  file: string,
): Promise<boolean> {
  if (line.startsWith("  in kB")) {
    // With ISIF = 1 only the pressure is computed.
    if (run.isif === 1) return true;
    const [xx, yy, zz, xy, yz, zx] = numbersOf(line.slice(7)).map((x) => -x / KILOBAR);
    step.stress = Float64Array.of(xx, xy, zx, xy, yy, yz, zx, yz, zz);
  } else if (line.startsWith("      direct lattice")) {
    const rows = await lines.rows(3);
    step.cell = Float64Array.from(rows.flatMap((row) => numbersOf(row).slice(0, 3)));
  } else if (/^ {1,2}POSITION/.test(line)) {
    const { length } = run.species ?? noSpecies(run.potentials, run.elements, file);
    const table = await forcesTable(lines, length);
    if (table === null) return false;
    Object.assign(step, table);
  } else if (line.startsWith("  free  energy")) {
    step.free = readNumber(/TOTEN\s*=\s*(\S+)/.exec(line)?.[1] ?? "");
  } else if (line.includes("Iteration")) {
    const [, ionic, electronic] = /Iteration\s+(\d+)\(\s*(\d+)\)/.exec(line) ?? [];
    [step.ionic, step.electronic] = [Number(ionic), Number(electronic)];
  } else step.reached = /EDIFF is reached/.test(line);
  return true;
}

/** Third letters of the marks that begin with one or two blanks. */
const THIRD = new Set([..."OPMefi"].map((letter) => letter.charCodeAt(0)));
const [BLANK, MINUS, LOWER_D] = [..." -d"].map((letter) => letter.charCodeAt(0));

/** Whether the first characters of a line are those of a mark. */
function mayBeMark(line: string): boolean {
  const first = line.charCodeAt(0);
  if (first !== BLANK) return first === MINUS;
  const third = line.charCodeAt(2);
  return third === BLANK ? line.charCodeAt(6) === LOWER_D : THIRD.has(third);
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

/** Positions and total forces; columns beyond the sixth, forces without van der Waals, are not wanted. */
async function forcesTable(
  lines: Lines,
  nAtoms: number,
): Promise<{ positions: Float64Array; forces: Float64Array } | null> {
  await lines.rows(1);
  const rows = (await lines.rows(nAtoms)).map(numbersOf);
  if (rows.length < nAtoms || rows.some((row) => row.length < 6)) return null;
  return {
    positions: Float64Array.from(rows.flatMap((row) => row.slice(0, 3))),
    forces: Float64Array.from(rows.flatMap((row) => row.slice(3, 6))),
  };
}

/** The step that a line with its energies ends; null where it has no places. */
function recordOf(step: Step, { species, nelm }: Run, line: string): FrameRecord | null {
  const { cell, positions, forces, stress, ionic, electronic, reached, free: energy } = step;
  if (!species || !positions || !cell) return null;
  const atoms = { species, positions, cell, pbc: [true, true, true] as const };
  if (line.startsWith("  ML")) {
    return { ...atoms, energy: null, forces: null, stress: null, info: [["ml", "T"]] };
  }
  const sigma = readNumber(/sigma->0\)\s*=\s*(\S+)/.exec(line)?.[1] ?? "");
  return {
    ...{ ...atoms, energy, forces, stress, converged: reached || electronic < nelm },
    info: [...(ionic === null ? [] : [["step", ionic] as const]), ["energy_sigma0", sigma]],
  };
}
