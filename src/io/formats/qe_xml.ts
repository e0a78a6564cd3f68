import { ParseError } from "../../errors.ts";
import { BOHR, HARTREE } from "../../units.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { numbersOf, readNumber } from "./lines.ts";
import { speciesNumber } from "./qe_input.ts";
import { type Tag, XmlTags } from "./xml_tags.ts";

export function isQeXml(head: string): boolean {
  return /<qes:espresso\b/.test(head);
}

/** Calculations whose energy is written as zero. */
const WITHOUT_ENERGY = /^(nscf|bands)$/;

/** What a `step`, or the `output`, has said so far; Hartree and Bohr. */
interface Point {
  readonly species: number[];
  readonly positions: number[];
  readonly cell: number[];
  energy: number | null;
  forces: number[] | null;
  stress: number[] | null;
  converged: boolean;
}

const newPoint = (): Point => ({
  ...{ species: [], positions: [], cell: [], energy: null, forces: null, stress: null },
  converged: true,
});

/**
 * Steps of a data-file-schema.xml of Quantum ESPRESSO's pw.x. Of a run that moves atoms the element `output` repeats
 * labels of the last step beside the places that come after it, so that its stress alone is taken; it is a point of its
 * own, `final_scf=T`, where its energy is another one.
 *
 * @throws {ParseError} if cp.x wrote it, whose forces and stress are in other units than it says
 */
export async function* readQeXml(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const tags = new XmlTags(chunks);
  let [point, within, scf, label] = [newPoint(), "", false, ""];
  let held: Point | null = null;
  let [steps, open, calculation] = [0, false, ""];
  const cut = () =>
    note(`it ends before its end, after step ${steps}; the steps before are read`, true);
  for (;;) {
    const tag = tags.take() ?? await tags.more();
    if (tag === null) break;
    const { name, attributes } = tag;
    if (name === "creator" && /NAME="CP"/.test(attributes)) {
      throw new ParseError(
        file,
        "it is of cp.x, whose forces are half of what it says: read PREFIX.pos",
      );
    }
    if (name === "step" || name === "output") [point, within] = [newPoint(), name];
    else if (name === "/step") {
      if (held) yield recordOf(held, ++steps, file);
      [held, within] = [point, ""];
    } else if (name === "/calculation") calculation = tag.text.trim();
    else if (name === "/output" && WITHOUT_ENERGY.test(calculation)) {
      note(`its calculation is ${calculation}, which has no energy of its own`);
      within = "";
    } else if (name === "/output") {
      const final = held !== null && held.energy !== point.energy;
      if (held) yield recordOf(final ? held : { ...held, stress: point.stress }, ++steps, file);
      if (held === null || final) yield recordOf(point, ++steps, file, final);
      [held, within] = [null, ""];
    } else if (name === "qes:espresso") {
      if (open) cut();
      [open, held, within] = [true, null, ""];
    } else if (name === "/qes:espresso") open = false;
    else if (name === "crystal_positions" || name === "wyckoff_positions") {
      throw new ParseError(
        file,
        `its places are ${name}, which are not read: atomic_positions are`,
      );
    } else if (name === "scf_conv") scf = true;
    else if (name === "/scf_conv") scf = false;
    else if (name === "atom") label = /name="([^"]*)"/.exec(attributes)?.[1] ?? "";
    else if (within !== "" && (scf || name !== "/convergence_achieved")) {
      take(point, tag, label, file);
    }
  }
  if (held) yield recordOf(held, ++steps, file);
  if (open) cut();
}

/** Takes in what an element says. */
function take(point: Point, { name, text }: Tag, label: string, file: string): void {
  if (name === "/atom") {
    const z = speciesNumber(label);
    if (z === 0) throw new ParseError(file, `its label "${label}" names no element`);
    point.species.push(z);
    point.positions.push(...numbersOf(text));
  } else if (name === "/a1" || name === "/a2" || name === "/a3") {
    point.cell.push(...numbersOf(text));
  } else if (name === "/etot") point.energy = readNumber(text.trim());
  else if (name === "/forces") point.forces = numbersOf(text);
  else if (name === "/stress") point.stress = numbersOf(text);
  else if (name === "/convergence_achieved") point.converged = text.trim() === "true";
}

function recordOf(point: Point, number: number, file: string, final = false): FrameRecord {
  const { species, positions, cell, energy, forces, stress, converged } = point;
  if (species.length === 0 || positions.length !== 3 * species.length || cell.length !== 9) {
    throw new ParseError(file, `its step ${number} has no atoms or no cell`);
  }
  if ((forces && forces.length !== positions.length) || (stress && stress.length !== 9)) {
    throw new ParseError(file, `its step ${number} has forces or a stress of another length`);
  }
  const scaled = (numbers: readonly number[], factor: number) =>
    Float64Array.from(numbers, (x) => factor * x);
  return {
    species: Uint8Array.from(species),
    positions: scaled(positions, BOHR),
    cell: scaled(cell, BOHR),
    ...{ pbc: [true, true, true], converged },
    energy: energy === null ? null : HARTREE * energy,
    forces: forces && scaled(forces, HARTREE / BOHR),
    // Positive where the cell is compressed.
    stress: stress && scaled(stress, -HARTREE / BOHR ** 3),
    info: [["step", number], ...(final ? [["final_scf", "T"] as const] : [])],
  };
}
