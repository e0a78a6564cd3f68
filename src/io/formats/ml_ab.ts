import { ParseError } from "../../errors.ts";
import { repeated } from "./elements.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { type Lines, numbersOf } from "./lines.ts";
import { stressOfSix } from "./vasp.ts";

const RULE = /^\s*[*=-]{20,}\s*$/;
/** Headings of a configuration whose rows are read. */
const TITLES = new RegExp(
  `^\\s*(${
    [
      ...["System name", "Atom types and atom numbers", "Primitive lattice vectors"],
      ...["Atomic positions", "Total energy", "Forces", "Stress", "XX YY ZZ", "XY YZ ZX"],
    ].join("|")
  })\\b`,
);

export function isMlAb(head: string): boolean {
  return /^\s*\*{20,}\s*\n\s*The number of configurations\s*\n/m.test(head);
}

/** Rows of a configuration under their headings. */
interface Configuration {
  readonly number: number;
  readonly rows: Map<string, string[]>;
}

/**
 * Configurations of VASP's ML_AB and ML_ABN, which a machine-learned force field is trained on. Places are Cartesian; the
 * stress has the sign and the order of `in kB` in OUTCAR, and nine zeros, which scripts write that know none, are
 * absent. The energy is what stands there; VASP does not document which of its energies that is.
 *
 * @throws {ParseError} where the numbers of atoms of one configuration differ
 */
export async function* readMlAb(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let own: Configuration | null = null;
  let [stressless, stressed] = [0, true];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    const [, number] = /^\s*Configuration num\.\s*(\d+)/.exec(line ?? "") ?? [];
    if (own && (line === null || number !== undefined)) {
      const record = recordOf(own, `${file}:${lines.number}`);
      // VASP writes a stress always; scripts may write none.
      const isCut = line === null && stressed && !own.rows.has("XY YZ ZX");
      if (record && !isCut) {
        stressed = own.rows.has("Stress");
        if (record.stress === null) stressless++;
        yield record;
      } else if (line === null) {
        note(`configuration ${own.number} is cut short at line ${lines.number} and left out`, true);
      } else {
        throw new ParseError(`${file}:${lines.number}`, `configuration ${own.number} is not whole`);
      }
    }
    if (line === null) break;
    if (number !== undefined) own = { number: Number(number), rows: new Map() };
    else if (own) await noteRows(own, line, lines);
  }
  if (stressless > 0) note(`${stressless} configurations have no stress, or nine zeros`);
}

/** Takes in the rows under a heading, which a rule follows and another ends. */
async function noteRows({ rows }: Configuration, line: string, lines: Lines): Promise<void> {
  const [, title] = TITLES.exec(line) ?? [];
  if (title === undefined) return;
  await lines.rows(1, (row) => RULE.test(row));
  // Its own rows are headings.
  rows.set(title, title === "Stress" ? [] : await lines.rows(Infinity, (row) => !RULE.test(row)));
}

/** Null where the configuration is not whole. */
function recordOf({ number, rows }: Configuration, where: string): FrameRecord | null {
  const numbers = (title: string) => Float64Array.from((rows.get(title) ?? []).flatMap(numbersOf));
  const [cell, positions, forces] = ["Primitive lattice vectors", "Atomic positions", "Forces"].map(
    numbers,
  );
  const [energy] = numbers("Total energy");
  const [diagonal, others] = ["XX YY ZZ", "XY YZ ZX"].map(numbers);
  const types = (rows.get("Atom types and atom numbers") ?? []).map((row) =>
    row.trim().split(/\s+/)
  );
  const species = repeated(types.map(([label]) => label), types.map(([, n]) => Number(n)), where);
  if (cell.length !== 9 || energy === undefined || forces.length < positions.length) return null;
  if (species.length !== positions.length / 3 || forces.length !== positions.length) {
    throw new ParseError(
      where,
      `configuration ${number}, which ends here, names ${species.length} atoms and has ${
        positions.length / 3
      } positions and ${forces.length / 3} forces`,
    );
  }
  const six = [...diagonal, ...others];
  const stress = stressOfSix(six.length === 6 ? six : new Array<number>(6).fill(NaN));
  const [name = ""] = rows.get("System name") ?? [];
  return {
    ...{ species, positions, cell, pbc: [true, true, true] },
    ...{ energy, forces },
    stress: six.length === 0 || stress.every((x) => x === 0) ? null : stress,
    info: [
      ["configuration", number],
      ...(name.trim() === "" ? [] : [["system", name.trim()] as const]),
    ],
  };
}
