import { atomicNumber } from "../../frame.ts";
import { BOHR, GPA, HARTREE } from "../../units.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf, readNumber } from "./lines.ts";

const MARKS =
  /^ CELL\| Vector|PROGRAM ENDED|POISSON\| Periodicity|CELL\| Period|ATOMIC COORDINATES IN ANGSTROM|SCF run (?:NOT )?converged|ENERGY\| Total FORCE_EVAL|ATOMIC FORCES in|FORCES\| Atomic forces|^ ?STRESS(?: TENSOR|\| Analytical stress tensor)/i;

/** Factors of what stands in brackets to eV/Å and eV/Å³. */
const FORCES: Readonly<Record<string, number>> = {
  ...{ "a.u.": HARTREE / BOHR, "hartree/bohr": HARTREE / BOHR },
  ...{ "ev/angstrom": 1, "ev/ang": 1 },
};
const STRESSES: Readonly<Record<string, number>> = {
  ...{ "gpa": 1 / GPA, "kbar": 0.1 / GPA, "bar": 1e-4 / GPA },
};

export function isCp2kOutput(head: string): boolean {
  return /^ CP2K\| version string/m.test(head) ||
    /^ (?:CELL|GLOBAL)\| /m.test(head) && /CP2K/.test(head);
}

/** What is known of the point that is being read. */
interface Point {
  species: Uint8Array | null;
  positions: Float64Array | null;
  energy: number | null;
  forces: Float64Array | null;
  stress: Float64Array | null;
  converged: boolean;
}

function newPoint(): Point {
  return {
    ...{ species: null, positions: null, energy: null, forces: null, stress: null },
    converged: true,
  };
}

/**
 * Single points of a CP2K output: forces and stress where the input asked to print them. The output gives the places of
 * the first step only, and directions of the cell to three decimals; trajectories are read from PROJECT-pos-1.xyz.
 */
export async function* readCp2kOutput(
  lines: Lines,
  _file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const cell: number[] = [];
  let [periodic, ended] = [true, false];
  const unknown = new Set<string>();
  let point = newPoint();
  let placeless = 0;
  function* finished(): Generator<FrameRecord> {
    const { species, positions, ...labels } = point;
    if (labels.energy !== null && species && positions && cell.length === 9) {
      const pbc = [periodic, periodic, periodic] as const;
      yield {
        ...labels,
        energy: labels.energy,
        species,
        positions,
        cell: Float64Array.from(cell),
        pbc,
      };
    } else if (labels.energy !== null) placeless++;
    point = newPoint();
  }
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    if (!MARKS.test(line)) continue;
    if (/Period/.test(line)) periodic = !/NONE/.test(line);
    else if (line.startsWith(" CELL|")) {
      // The same cell may be told for every grid.
      if (cell.length < 9) cell.push(...vectorOf(line));
    } else if (/PROGRAM ENDED/.test(line)) ended = true;
    else if (/COORDINATES/i.test(line)) {
      yield* finished();
      Object.assign(point, await coordinates(lines));
    } else if (/SCF run/.test(line)) point.converged = !/NOT/.test(line);
    else if (/ENERGY\|/.test(line)) {
      if (point.energy !== null) yield* finished();
      point.energy = HARTREE * readNumber(line.trim().split(/\s+/).at(-1) ?? "");
    } else await noteLabel(point, line, lines, unknown);
  }
  if (point.energy !== null && !ended) {
    note(`its last point is left out: the run is cut short at line ${lines.number}`, true);
    point = newPoint();
  }
  yield* finished();
  for (const what of unknown) note(`${what} are not read: the unit is not known`);
  if (placeless > 0) {
    note(
      `${placeless} steps have no places in it: give PROJECT-pos-1.xyz, with -frc-1.xyz and -1.cell beside it`,
    );
  }
}

/** What the output of a run of dynamics says at its beginning. */
export interface Cp2kRun {
  /** Rows, Å, or fewer than nine numbers where they are not said. */
  readonly cell: readonly number[];
  /** Such as NVT, or null where it is no dynamics. */
  readonly ensemble: string | null;
}

export async function readCp2kRun(lines: Lines): Promise<Cp2kRun> {
  const cell: number[] = [];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null || /ENERGY\| Total/.test(line)) return { cell, ensemble: null };
    if (/^ CELL\| Vector/.test(line) && cell.length < 9) cell.push(...vectorOf(line));
    const [, ensemble] = /^ MD(?:_PAR)?\| Ensemble [Tt]ype\s+(\S+)/.exec(line) ?? [];
    if (ensemble !== undefined) return { cell, ensemble };
  }
}

/** A vector of the cell: three decimals, and a length that may have more. */
function vectorOf(line: string): number[] {
  const vector = numbersOf(line.split("]:")[1] ?? "").slice(0, 3);
  const [, length] = /\|[abc]\|\s*=\s*(\d+\.\d{4,})/.exec(line) ?? [];
  return length === undefined
    ? vector
    : vector.map((x) => x * Number(length) / Math.hypot(...vector));
}

/** Takes in the table of forces or stress that a line heads, if its unit is known. */
async function noteLabel(
  point: Point,
  line: string,
  lines: Lines,
  unknown: Set<string>,
): Promise<void> {
  const unit = /\[([^\]]*)\]/.exec(line)?.[1].toLowerCase() ?? "no unit";
  const kind = /FORCES/.test(line) ? "forces" : "stress";
  const factor = (kind === "forces" ? FORCES : STRESSES)[unit];
  if (factor === undefined) unknown.add(`${kind} in ${unit}`);
  else if (kind === "forces") point.forces = await forcesTable(lines, factor);
  else point.stress = await stressTable(lines, factor);
}

/** Rows up to an empty line behind the first. */
async function table(
  lines: Lines,
  isRow: (words: readonly string[]) => boolean,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (let head = 0; head < 8;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) break;
    const words = line.trim().split(/\s+/);
    if (isRow(words)) rows.push(words);
    else if (rows.length > 0) break;
    else head++;
  }
  return rows;
}

/** Rows `1 1 Fe 26 x y z …`. */
async function coordinates(lines: Lines): Promise<Pick<Point, "species" | "positions">> {
  const rows = await table(
    lines,
    ([n, kind, symbol]) => /^\d+$/.test(n) && /^\d+$/.test(kind) && !!symbol,
  );
  return {
    species: Uint8Array.from(rows, ([, , symbol]) => atomicNumber(symbol)),
    positions: Float64Array.from(rows.flatMap((row) => row.slice(4, 7).map(readNumber))),
  };
}

/** Rows `1 1 Fe x y z`, since 2025 `FORCES| 1 x y z |f|`. */
async function forcesTable(lines: Lines, factor: number): Promise<Float64Array> {
  const rows = await table(
    lines,
    (words) =>
      words[0] === "FORCES|"
        ? /^\d+$/.test(words[1] ?? "")
        : words.length === 6 && /^\d+$/.test(words[0]),
  );
  const vectors = rows.map((row) => row[0] === "FORCES|" ? row.slice(2, 5) : row.slice(3, 6));
  return Float64Array.from(vectors.flat().map(readNumber), (x) => x * factor);
}

/** Positive where the cell is compressed. */
async function stressTable(lines: Lines, factor: number): Promise<Float64Array | null> {
  const rows = await table(
    lines,
    (words) =>
      /^[xyz]$/i.test(words[words[0] === "STRESS|" ? 1 : 0] ?? "") &&
      words.filter((word) => Number.isFinite(Number(word))).length === 3,
  );
  const numbers = rows.flatMap((row) => row.slice(-3).map(readNumber));
  return numbers.length === 9 ? Float64Array.from(numbers, (x) => -x * factor) : null;
}
