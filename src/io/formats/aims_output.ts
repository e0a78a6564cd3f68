import { ParseError } from "../../errors.ts";
import { labelledNumber } from "../../frame.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

const MARKS =
  /Invoking FHI-aims|\| Unit cell:|\| Atomic structure:|Begin self-consistency loop|Self-consistency cycle converged|\| Electronic free energy {2,}|\| Total energy corrected|^ *Total atomic forces|Analytical stress tensor - Symmetrized|Updated atomic structure:|Atomic structure .*preceding time step|Have a nice day/;

export function isAimsOutput(head: string): boolean {
  return /Invoking FHI-aims/.test(head);
}

/** What a run has said so far. */
interface Run {
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
  /** Whether forces were computed before, and it came to its end. */
  forced: boolean;
  done: boolean;
  step: number;
  /** Steps whose forces are not those of the energy. */
  constrained: number;
}

function newRun(): Run {
  return {
    ...{ cell: [], species: [], positions: [], energy: null, corrected: null },
    ...{ forces: null, stress: null, begun: false, converged: false },
    ...{ forced: false, done: false, step: 0, constrained: 0 },
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
    if (line === null || /Invoking FHI-aims/.test(line)) {
      if (
        run.begun && !run.done &&
        (run.energy === null || !run.converged || run.forced !== hasForces(run))
      ) {
        note(
          `step ${run.step + 1} is left out: the run is cut short at line ${lines.number}`,
          true,
        );
      } else yield* finished(run);
      if (run.constrained > 0) {
        note(`forces of ${run.constrained} steps are not read: constraints were applied to them`);
      }
      if (line === null) return;
      run = newRun();
    } else if (!MARKS.test(line)) continue;
    else if (/Begin self-consistency loop/.test(line)) {
      yield* finished(run);
      run.begun = true;
    } else if (/Updated atomic structure/.test(line)) {
      yield* finished(run);
      await noteStructure(run, lines, `${file}:${lines.number}`);
    } else await noteLine(run, line, lines, `${file}:${lines.number}`);
  }
}

function hasForces({ forces, constrained }: Run): boolean {
  return forces !== null || constrained > 0;
}

/** Takes in what a line says. */
async function noteLine(run: Run, line: string, lines: Lines, where: string): Promise<void> {
  if (/Unit cell:/.test(line)) run.cell = (await lines.rows(3)).flatMap(behindBar);
  else if (/\| Atomic structure/.test(line)) await noteInput(run, lines, where);
  else if (/preceding time step/.test(line)) await noteStructure(run, lines, where);
  else if (/cycle converged/.test(line)) run.converged = true;
  else if (/free energy/.test(line)) run.energy = energyOf(line);
  else if (/corrected/.test(line)) run.corrected = energyOf(line);
  else if (/Analytical stress/.test(line)) run.stress = await stressTable(lines);
  else if (/Have a nice day/.test(line)) run.done = true;
  else {
    run.forced = true;
    const rows = await lines.rows(run.species.length, (row) => /^ *\| +\d+ /.test(row));
    const vectors = rows.flatMap((row) => numbersOf(row.replace(/^ *\| +\d+ /, "")));
    if (/constraints/.test(line)) run.constrained++;
    else if (vectors.length === 3 * run.species.length) run.forces = Float64Array.from(vectors);
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
  Object.assign(run, { energy: null, corrected: null, forces: null, stress: null });
  Object.assign(run, { begun: false, converged: false });
}

/** Electronvolts, which stand last. */
function energyOf(line: string): number {
  return readNumber(/(\S+) eV/.exec(line)?.[1] ?? "");
}

function behindBar(row: string): number[] {
  return numbersOf(row.replace(/^ *\|/, "")).slice(0, 3);
}

/** The first structure: rows `| 1: Species Si x y z`. */
async function noteInput(run: Run, lines: Lines, where: string): Promise<void> {
  await lines.rows(1);
  const rows = await lines.rows(Infinity, (row) => /^ *\| *\d+: *Species /.test(row));
  const words = rows.map((row) => row.replace(/^.*Species +/, "").trim().split(/\s+/));
  run.species = words.map(([label]) => elementOf(label, where));
  run.positions = words.flatMap((row) => row.slice(1, 4).map(readNumber));
}

/** Rows `lattice_vector x y z`, `atom x y z Si` and `velocity x y z` of a later structure. */
async function noteStructure(run: Run, lines: Lines, where: string): Promise<void> {
  const own = /^ *(?:lattice_vector|atom|velocity|x \[A\].*|constrain_relaxation)\b.*$|^ *$/;
  const rows = (await lines.rows(Infinity, (row) => own.test(row))).map((row) =>
    row.trim().split(/\s+/)
  );
  const vectors = (name: string) =>
    rows.filter(([first]) => first === name).map((row) => row.slice(1, 4).map(readNumber));
  const atoms = rows.filter(([first]) => first === "atom");
  if (atoms.length !== run.species.length) return;
  const cell = vectors("lattice_vector").flat();
  if (cell.length === 9) run.cell = cell;
  run.species = atoms.map((row) => elementOf(row[4] ?? "", where));
  run.positions = vectors("atom").flat();
}

function elementOf(label: string, where: string): number {
  const z = labelledNumber(label);
  if (z === 0) throw new ParseError(where, `"${label}" names no element`);
  return z;
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
