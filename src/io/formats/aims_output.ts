import { ParseError } from "../../errors.ts";
import { elementOf } from "./elements.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

const MARKS = new RegExp(
  [
    ...["Invoking FHI-aims", "The structure contains", "\\| Unit cell:", "\\| Atomic structure:"],
    ...[
      "Begin self-consistency loop",
      "Self-consistency cycle converged",
      "^ *Total atomic forces",
    ],
    ...["\\| Electronic free energy {2,}", "\\| Total energy corrected", "Have a nice day"],
    ...["Analytical stress tensor - Symmetrized", "Updated atomic structure:"],
    ...["Atomic structure .*preceding time step", "Molecular dynamics:"],
  ].join("|"),
);

export function isAimsOutput(head: string): boolean {
  return /Invoking FHI-aims/.test(head);
}

/** What a run has said so far. */
interface Run {
  nAtoms: number;
  cell: number[];
  species: number[];
  positions: number[];
  energy: number | null;
  corrected: number | null;
  forces: Float64Array | null;
  stress: Float64Array | null;
  /** Whether a cycle was begun, and whether it converged. */
  begun: boolean;
  converged: boolean;
  /** Whether the atoms move on, and their places, which are printed behind the forces then, have not come yet. */
  waits: boolean;
  step: number;
  /** Steps whose forces are not those of the energy. */
  constrained: number;
}

function newRun(): Run {
  return {
    ...{ nAtoms: NaN, cell: [], species: [], positions: [], energy: null, corrected: null },
    ...{ forces: null, stress: null, begun: false, converged: false, waits: false },
    ...{ step: 0, constrained: 0 },
  };
}

/**
 * Steps of an output of FHI-aims. The energy is the electronic free energy, to which the forces belong; that of zero
 * broadening is kept as `energy_sigma0`. Forces on which constraints were applied are no derivatives and are left out.
 * The stress has ASE's sign.
 */
export async function* readAimsOutput(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let run = newRun();
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line !== null && !MARKS.test(line)) continue;
    const where = `${file}:${lines.number}`;
    if (line === null || /Invoking FHI-aims/.test(line)) {
      if (run.begun) note(cut(run, lines), true);
      if (run.constrained > 0) {
        note(`forces of ${run.constrained} steps are not read: constraints were applied to them`);
      }
      if (line === null) return;
      run = newRun();
    } else if (/Begin self|Updated atomic|nice day|preceding time step/.test(line)) {
      // These close a step: places of dynamics stand behind their labels, those of a relaxation are the next.
      if (/preceding/.test(line)) await noteStructure(run, lines, where);
      if (run.begun && run.waits) note(cut(run, lines), true);
      else yield* finished(run);
      Object.assign(run, { ...NOTHING, begun: /Begin self/.test(line) });
      if (/Updated/.test(line)) await noteStructure(run, lines, where);
    } else await noteLine(run, line, lines, where);
  }
}

function cut({ step }: Run, { number }: Lines): string {
  return `step ${step + 1} is left out: the run is cut short at line ${number}`;
}

/** What begins anew with every step. */
const NOTHING = {
  ...{ energy: null, corrected: null, forces: null, stress: null },
  ...{ begun: false, converged: false, waits: false },
};

/** Takes in what a line says. */
async function noteLine(run: Run, line: string, lines: Lines, where: string): Promise<void> {
  if (/structure contains/.test(line)) run.nAtoms = Number(/(\d+) atoms/.exec(line)?.[1]);
  else if (/Unit cell:/.test(line)) run.cell = (await lines.rows(3)).flatMap(behindBar);
  else if (/\| Atomic structure/.test(line)) await noteInput(run, lines, where);
  else if (/Molecular dynamics:/.test(line)) run.waits = true;
  else if (/cycle converged/.test(line)) run.converged = true;
  else if (/free energy/.test(line)) run.energy = energyOf(line);
  else if (/corrected/.test(line)) run.corrected = energyOf(line);
  else if (/Analytical stress/.test(line)) run.stress = await stressTable(lines);
  else {
    const rows = await lines.rows(run.species.length, (row) => /^ *\| *[\d*]+ /.test(row));
    const vectors = rows.map((row) => numbersOf(row.replace(/^ *\| *[\d*]+ /, "")));
    if (/constraints/.test(line)) run.constrained++;
    else if (rows.length === run.species.length) {
      run.forces = Float64Array.from(
        vectors.flatMap((vector) => vector.length === 3 ? vector : [NaN, NaN, NaN]),
      );
    } else run.waits = true;
  }
}

/** The step that is complete when others or the end follow. */
function* finished(run: Run): Generator<FrameRecord> {
  const { species, positions, cell, energy, corrected, forces, stress, converged } = run;
  if (run.begun && energy !== null && positions.length > 0) {
    run.step++;
    const periodic = cell.length === 9;
    yield {
      species: Uint8Array.from(species),
      positions: Float64Array.from(positions),
      cell: periodic ? Float64Array.from(cell) : new Float64Array(9),
      pbc: [periodic, periodic, periodic],
      ...{ energy, forces, stress, converged },
      info: [
        ["step", run.step],
        ...(corrected === null ? [] : [["energy_sigma0", corrected] as const]),
      ],
    };
  }
}

/** Electronvolts, which stand last. */
function energyOf(line: string): number {
  return readNumber(/(\S+) eV/.exec(line)?.[1] ?? "");
}

function behindBar(row: string): number[] {
  return numbersOf(row.replace(/^ *\|/, "")).slice(0, 3);
}

/** The first structure: rows `| 1: Species Si x y z`.
 * @throws {ParseError} where there are others, such as ghost atoms */
async function noteInput(run: Run, lines: Lines, where: string): Promise<void> {
  await lines.rows(1);
  const rows = await lines.rows(Infinity, (row) => /^ *\| *\d+: /.test(row));
  const words = rows.map((row) => row.replace(/^ *\| *\d+: */, "").trim().split(/\s+/));
  const other = words.find(([kind]) => kind !== "Species");
  if (other) {
    throw new ParseError(where, `"${other.slice(0, 2).join(" ")}" is no atom that is read`);
  }
  if (run.nAtoms > 0 && rows.length !== run.nAtoms) {
    throw new ParseError(where, `it lists ${rows.length} of its ${run.nAtoms} atoms`);
  }
  run.species = words.map(([, label]) => elementOf(label, where));
  run.positions = words.flatMap((row) => row.slice(2, 5).map(readNumber));
}

/**
 * Rows `lattice_vector x y z` and `atom x y z Si` of a later structure, and among them others.
 *
 * @throws {ParseError} where it has another number of atoms
 */
async function noteStructure(run: Run, lines: Lines, where: string): Promise<void> {
  const most = 8 * run.species.length + 16;
  const rows = (await lines.rows(most, (row) => !/^ *(-{5,}|Fractional coordinates)/.test(row)))
    .map((row) => row.trim().split(/\s+/));
  const vectors = (name: string) =>
    rows.filter(([first]) => first === name).map((row) => row.slice(1, 4).map(readNumber));
  const cell = vectors("lattice_vector").flat();
  if (cell.length === 9) run.cell = cell;
  const [atoms, fractional] = ["atom", "atom_frac"].map((name) =>
    rows.filter(([first]) => first === name)
  );
  const own = atoms.length > 0 ? atoms : fractional;
  if (own.length !== run.species.length) {
    throw new ParseError(
      where,
      `its structure has ${own.length} atoms, expected ${run.species.length}`,
    );
  }
  run.species = own.map((row) => elementOf(row[4] ?? "", where));
  run.positions = atoms.length > 0
    ? vectors("atom").flat()
    : [...cartesian(vectors("atom_frac").flat(), run.cell)];
  run.waits = false;
}

/** The box of the tensor, eV/Å³. */
async function stressTable(lines: Lines): Promise<Float64Array | null> {
  const rows = await lines.rows(8, (row) => /[|+]/.test(row));
  const numbers = rows.flatMap((row) => {
    const [, text] = /^ *\| +[xyz] +(-?[\d*].*?) *\|/.exec(row) ?? [];
    return text === undefined ? [] : numbersOf(text);
  });
  return numbers.length === 9 ? Float64Array.from(numbers) : null;
}
