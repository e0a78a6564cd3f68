import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import {
  atomicNumber,
  cellVolume,
  chemicalSymbol,
  distinctElements,
  type Frame,
} from "../frame.ts";
import { type JobTemplate, requirePeriodic, rowsOf, scaledMesh } from "./template.ts";

/** A pseudopotential of a POTCAR. */
interface Potential {
  readonly element: number;
  readonly title: string;
  readonly text: string;
}

/** A folder of VASP as a template: INCAR, POTCAR, and KPOINTS and POSCAR where they are there.
 * @throws {ParseError} where it is no single point, or its POTCAR cannot be read */
export function vaspTemplate(folder: string): JobTemplate {
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const incar = read("INCAR");
  const tags = tagsOf(incar);
  const nsw = Number(tags.get("NSW") ?? 0);
  if (nsw > 1) {
    throw new ParseError(join(folder, "INCAR"), `its NSW is ${nsw}, expected 0: one label a frame`);
  }
  const own = PER_ATOM.filter((tag) => tags.has(tag));
  if (own.length > 0) {
    throw new ParseError(
      join(folder, "INCAR"),
      `it sets ${own.join(", ")}, which belong to one structure: leave them out`,
    );
  }
  if (!existsSync(join(folder, "POTCAR"))) {
    throw new ParseError(folder, "there is no POTCAR beside the INCAR");
  }
  const potentials = potentialsOf(read("POTCAR"), join(folder, "POTCAR"));
  const kpoints = existsSync(join(folder, "KPOINTS")) ? read("KPOINTS") : null;
  const cell = existsSync(join(folder, "POSCAR")) ? cellOf(read("POSCAR")) : null;
  const notes = kpoints !== null && meshOf(kpoints) !== null && cell === null
    ? ["KPOINTS stays as it is: no POSCAR is read whose cell it belongs to"]
    : [];
  return {
    ...{ code: "VASP", command: "vasp_std > vasp.out", output: "OUTCAR", notes },
    ...{ done: "General timing and accounting", failed: null },
    files(frame) {
      requirePeriodic(frame, "VASP");
      const order = ordered(frame, potentials, folder);
      const perType = PER_TYPE.filter((tag) => tags.has(tag));
      if (order.length < potentials.length && perType.length > 0) {
        throw new RequestError(
          `Cannot make a job of ${frame.id}: it has ${order.length} of the ${potentials.length} elements of the ` +
            `POTCAR, and the INCAR sets ${perType.join(", ")} for all of them`,
        );
      }
      return new Map([
        ["INCAR", incar],
        ["POTCAR", order.map(({ text }) => text).join("")],
        ["POSCAR", poscar(frame, order)],
        ...(kpoints === null ? [] : [["KPOINTS", meshFor(kpoints, cell, frame)] as const]),
      ]);
    },
  };
}

/** Tags of an INCAR that hold for the atoms of one structure, and those that have a number for each element. */
const PER_ATOM = ["MAGMOM", "M_CONSTR", "NELECT", "NBANDS", "FERWE", "FERDO"];
const PER_TYPE = ["LDAUL", "LDAUU", "LDAUJ", "ROPT", "RWIGS", "LANGEVIN_GAMMA", "POMASS", "ZVAL"];

/** Tags in capitals; comments are cut, and several may stand on a line. */
function tagsOf(incar: string): Map<string, string> {
  const parts = incar.split(/\r?\n/).flatMap((line) => line.replace(/[#!].*/, "").split(";"));
  return new Map(parts.flatMap((part) => {
    const [, tag, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    return tag === undefined ? [] : [[tag.toUpperCase(), value] as const];
  }));
}

/** What all jobs must have in common: tags, and KPOINTS but for the divisions of a mesh. */
export function vaspSettings(folder: string): string {
  const tags = [...tagsOf(readFileSync(join(folder, "INCAR"), "utf8"))].map(([tag, value]) =>
    `${tag}=${value}`
  );
  const path = join(folder, "KPOINTS");
  const kpoints = existsSync(path) ? readFileSync(path, "utf8").split(/\r?\n/) : [];
  const mesh = kpoints.length > 0 && meshOf(kpoints.join("\n")) !== null;
  return [...tags.sort(), ...kpoints.filter((_, i) => i > 0 && !(mesh && i === 3))].join("\n")
    .trim();
}

function potentialsOf(text: string, path: string): Potential[] {
  const parts = text.split(/(?<=End of Dataset[^\n]*\n)/).filter((part) => part.trim() !== "");
  return parts.map((part) => {
    const title = /TITEL\s*=\s*(.*)/.exec(part)?.[1].trim() ?? part.trim().split("\n")[0].trim();
    const element = atomicNumber(
      /\s([A-Z][a-z]?)/.exec(` ${title.split(/\s+/)[1] ?? ""}`)?.[1] ?? "",
    );
    if (element === 0) throw new ParseError(path, `it does not say of which element "${title}" is`);
    return { element, title, text: part.endsWith("\n") ? part : `${part}\n` };
  }).map((own, i, all) => {
    const other = all.slice(0, i).find(({ element }) => element === own.element);
    if (!other) return own;
    throw new ParseError(
      path,
      `"${other.title}" and "${own.title}" are of one element: frames cannot say which`,
    );
  });
}

/** The potentials of the elements of a frame, in the order of the POTCAR. */
function ordered(
  { id, species }: Frame,
  potentials: readonly Potential[],
  folder: string,
): Potential[] {
  const present = distinctElements(species);
  const missing = present.filter((z) => !potentials.some(({ element }) => element === z));
  if (missing.length > 0) {
    throw new RequestError(
      `Cannot make a job of ${id}: the POTCAR of "${folder}" lacks ${
        missing.map(chemicalSymbol).join(", ")
      }`,
    );
  }
  return potentials.filter(({ element }) => present.includes(element));
}

/** Atoms grouped by element in the order of the potentials. */
function poscar({ id, species, positions, cell }: Frame, order: readonly Potential[]): string {
  const rows = rowsOf(positions);
  const groups = order.map(({ element }) => rows.filter((_, n) => species[n] === element));
  return [
    ...[id, "1.0", ...rowsOf(cell)],
    order.map(({ element }) => chemicalSymbol(element)).join(" "),
    groups.map(({ length }) => length).join(" "),
    ...["Cartesian", ...groups.flat(), ""],
  ].join("\n");
}

/** Rows of the cell of a POSCAR, Å. */
function cellOf(text: string): Float64Array | null {
  const lines = text.split("\n");
  const scale = parseFloat(lines[1] ?? "");
  const cell = Float64Array.from(
    lines.slice(2, 5).flatMap((row) => row.trim().split(/\s+/).slice(0, 3).map(Number)),
  );
  if (cell.length !== 9 || !cell.every(Number.isFinite) || !scale) return null;
  const factor = scale > 0 ? scale : Math.cbrt(-scale / cellVolume(cell));
  return cell.map((x) => factor * x);
}

/** Divisions of the k-mesh of a job, or null. */
export function vaspMesh(folder: string): string | null {
  const path = join(folder, "KPOINTS");
  return existsSync(path) ? meshOf(readFileSync(path, "utf8"))?.join(" ") ?? null : null;
}

/** Divisions of an automatic mesh, or null. */
function meshOf(kpoints: string): number[] | null {
  const lines = kpoints.split("\n");
  if (parseInt(lines[1] ?? "", 10) !== 0 || !/^\s*[gm]/i.test(lines[2] ?? "")) return null;
  const mesh = (lines[3] ?? "").trim().split(/\s+/).slice(0, 3).map(Number);
  return mesh.length === 3 && mesh.every((n) => n > 0) ? mesh : null;
}

function meshFor(kpoints: string, own: Float64Array | null, { cell }: Frame): string {
  const mesh = meshOf(kpoints);
  if (mesh === null || own === null) return kpoints;
  const lines = kpoints.split("\n");
  lines[3] = scaledMesh(mesh, own, cell).join(" ");
  return lines.join("\n");
}
