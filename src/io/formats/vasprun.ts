import { ParseError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { numbersOf, readNumber } from "./lines.ts";
import { LEARNED, stressOfMatrix } from "./vasp.ts";
import { type Tag, XmlTags } from "./xml_tags.ts";

/** Long tables that nobody asks for. */
const SKIPPED = new Set(["dos", "eigenvalues", "projected", "dielectricfunction", "kpoints"]);
/** Tables of rows that are read. */
const TABLES = new Set(["basis", "positions", "forces", "stress"]);
const NAN = [NaN, NaN, NaN];

export function isVasprun(head: string): boolean {
  return /<modeling\b/.test(head);
}

/** What one `calculation`, or a `structure` outside of any, has said so far. */
interface Step {
  readonly tables: Map<string, number[]>;
  /** e_fr_energy of the step, and e_0_energy - e_fr_energy of its last electronic step. */
  free: number | null;
  entropy: number | null;
  electronic: number;
  /** Whether it stands within an electronic step, and whether its own energy has come: steps of a linear response
   * follow. */
  within: boolean;
  closed: boolean;
}

const emptyStep = (): Step => ({
  ...{ tables: new Map(), free: null, entropy: null, electronic: 0 },
  ...{ within: false, closed: false },
});

/** What is said once. */
interface Run {
  species: number[];
  nelm: number;
  isif: number;
}

/**
 * Ionic steps of a vasprun.xml; energies and kinds of steps as of `readOutcar`. The e_0_energy of a whole step is
 * wrong in VASP 5, so that of its last electronic step is taken, relative to the free energy.
 *
 * @throws {ParseError} if it does not say which atoms there are
 */
export async function* readVasprun(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const tags = new XmlTags(chunks);
  const run: Run = { species: [], nelm: Infinity, isif: 2 };
  let [step, within, table, key] = [emptyStep(), "", "", ""];
  let energies: Record<string, number> = {};
  let [steps, learned, placeless, whole] = [0, 0, 0, false];
  for (;;) {
    const tag = tags.take() ?? await tags.more();
    if (tag === null) break;
    const { name, text } = tag;
    if (name === "/v") {
      if (table !== "") step.tables.get(table)!.push(...vector(text));
    } else if (name === "i") key = nameOf(tag);
    else if (name === "/i") {
      if (key.startsWith("e_")) energies[key] = readNumber(text.trim());
      else noteSetting(run, key, text);
      key = "";
    } else if (name === "varray") {
      table = TABLES.has(nameOf(tag)) ? nameOf(tag) : "";
      if (table !== "") step.tables.set(table, []);
    } else if (name === "/varray") table = "";
    else if (name === "energy") energies = {};
    else if (name === "scstep") step.within = true;
    else if (name === "/scstep") {
      step.within = false;
      if (step.closed) continue;
      step.entropy = energies.e_0_energy - energies.e_fr_energy;
      step.electronic++;
    } else if (name === "/energy" && !step.within && !step.closed) {
      step.free = energies.e_fr_energy ?? null;
      step.closed = true;
    } else if (name === "atominfo") run.species = await atomsOf(tags, file);
    else if (name === "calculation") [step, within] = [emptyStep(), name];
    else if (name === "/calculation") {
      steps++;
      if (step.tables.has("positions")) yield labelled(step, run, steps, file);
      else placeless++;
      within = "";
    } else if (name === "structure" && within === "") {
      [step, within] = [emptyStep(), nameOf(tag) === "" ? "learned" : "named"];
    } else if (name === "/structure" && (within === "learned" || within === "named")) {
      if (within === "learned") {
        learned++;
        yield unlabelled(step, run, file);
      }
      within = "";
    } else if (name === "/modeling") whole = true;
    else if (SKIPPED.has(name) && !await tags.skip(name)) break;
  }
  if (!whole) {
    note(`it ends before its end, within step ${steps + 1}; the steps before are read`, true);
  }
  if (placeless > 0) note(`${placeless} calculations have no places, and are left out`);
  if (learned > 0) note(`${learned} ${LEARNED}`);
}

/** Elements of the atoms: cells of the array `atoms`, beside the numbers of their types. */
async function atomsOf(tags: XmlTags, file: string): Promise<number[]> {
  const species: number[] = [];
  for (let within = false;;) {
    const tag = tags.take() ?? await tags.more();
    if (tag === null || tag.name === "/atominfo") return species;
    const { name, text } = tag;
    if (name === "array") within = nameOf(tag) === "atoms";
    else if (name === "/c" && within && !/^\s*\d+\s*$/.test(text)) {
      species.push(elementOf(text.trim(), file));
    }
  }
}

function elementOf(word: string, file: string): number {
  const z = atomicNumber(word);
  if (z === 0) throw new ParseError(file, `its element "${word}" is not known`);
  return z;
}

function nameOf({ attributes }: Tag): string {
  return /name="([^"]*)"/.exec(attributes)?.[1] ?? "";
}

/** Three numbers; stars that have grown together are none of them. */
function vector(text: string): number[] {
  const numbers = numbersOf(text);
  return numbers.length === 3 ? numbers : NAN;
}

/** The first value of a setting is that of the run; others follow in tables of defaults. */
function noteSetting(run: Run, key: string, text: string): void {
  if (key === "NELM" && run.nelm === Infinity) run.nelm = Number(text);
  if (key === "ISIF") run.isif = Number(text);
}

function atoms({ tables }: Step, { species }: Run, file: string) {
  const [cell, fractional] = [tables.get("basis"), tables.get("positions")];
  if (species.length === 0 || !cell || fractional?.length !== 3 * species.length) {
    throw new ParseError(
      file,
      `a step has ${(fractional?.length ?? 0) / 3} positions for ${species.length} atoms`,
    );
  }
  return {
    species: Uint8Array.from(species),
    positions: cartesian(fractional, cell),
    cell: Float64Array.from(cell),
    pbc: [true, true, true] as const,
  };
}

function labelled(step: Step, run: Run, number: number, file: string): FrameRecord {
  const { tables, free, entropy, electronic } = step;
  const [forces, stress] = [tables.get("forces"), tables.get("stress")];
  return {
    ...atoms(step, run, file),
    energy: free,
    forces: forces ? Float64Array.from(forces) : null,
    // With ISIF = 1 only the pressure is computed.
    stress: stress && run.isif > 1 ? stressOfMatrix(stress) : null,
    converged: electronic < run.nelm,
    info: [
      ["step", number],
      ...(free !== null && entropy !== null ? [["energy_sigma0", free + entropy] as const] : []),
    ],
  };
}

function unlabelled(step: Step, run: Run, file: string): FrameRecord {
  return {
    ...atoms(step, run, file),
    energy: null,
    forces: null,
    stress: null,
    info: [["ml", "T"]],
  };
}
