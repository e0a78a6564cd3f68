import { BOHR, HARTREE } from "../../units.ts";
import { elementOf } from "./elements.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf } from "./lines.ts";

/** One atomic unit of time in fs (CODATA 2018). */
const ATOMIC_TIME = 0.02418884326585747;
const ROW = /^(.*?)\s*<--\s*(\w+)\s*$/;
const ATOM = /^\s*([A-Za-z]\S*)\s+\d+\s+(.*)$/;

export function isCastep(head: string): boolean {
  return /^\s*BEGIN header\b/.test(head) && /<-- [ERh]\s*$/m.test(head);
}

/** Rows of a record by their marks: E energies, h cell, S stress; of each atom R, V and F. */
type Rows = Map<string, string[]>;

/**
 * Steps of a .md or .geom file of CASTEP, in atomic units. The first energy is the free energy, to which the forces
 * belong. The stress has ASE's sign; where there are velocities it holds the motion of the nuclei and is not read.
 */
export async function* readCastep(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let [rows, step, begun, stressed] = [new Map() as Rows, 0, false, false];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (/^\s*END header/.test(line ?? "")) begun = true;
    if (!begun && line !== null) continue;
    const [, text, mark] = ROW.exec(line ?? "") ?? [];
    if (mark !== undefined && mark !== "c") {
      const own = rows.get(mark) ?? [];
      own.push(text);
      rows.set(mark, own);
      continue;
    }
    if (rows.size > 0) {
      const record = recordOf(rows, step + 1, `${file}:${lines.number}`);
      if (record) {
        step++;
        stressed ||= rows.has("S") && record.stress === null;
        yield record;
      } else note(`step ${step + 1} is cut short at line ${lines.number} and left out`, true);
      rows = new Map();
    }
    if (line === null) break;
  }
  if (stressed) note("its stress is not read: it holds the motion of the nuclei");
}

/** Null where the record is not whole. */
function recordOf(rows: Rows, step: number, where: string): FrameRecord | null {
  const numbers = (mark: string, factor: number) =>
    Float64Array.from((rows.get(mark) ?? []).flatMap(numbersOf), (x) => x * factor);
  const labels = (rows.get("R") ?? []).map((row) => ATOM.exec(row)?.[1] ?? "");
  const vectors = (mark: string, factor: number) => {
    const own = (rows.get(mark) ?? []).map((row) => numbersOf(ATOM.exec(row)?.[2] ?? ""));
    return own.length === labels.length && own.every(({ length }) => length === 3)
      ? Float64Array.from(own.flat(), (x) => x * factor)
      : null;
  };
  const [positions, forces] = [vectors("R", BOHR), vectors("F", HARTREE / BOHR)];
  const [cell, [energy]] = [numbers("h", BOHR), numbers("E", HARTREE)];
  if (labels.length === 0 || !positions || !forces || cell.length !== 9) return null;
  const species = Uint8Array.from(labels, (label) => elementOf(label, where));
  const stress = numbers("S", HARTREE / BOHR ** 3);
  return {
    ...{ species, positions, cell, pbc: [true, true, true], forces },
    energy: energy ?? null,
    stress: stress.length === 9 && !rows.has("V") ? stress : null,
    velocities: rows.has("V") ? vectors("V", BOHR / ATOMIC_TIME) : null,
    info: [["step", step]],
  };
}
