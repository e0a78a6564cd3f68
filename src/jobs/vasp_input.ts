import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import { atomicNumber, chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { type JobTemplate, rowsOf, scaledMesh } from "./template.ts";

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
  const nsw = Number(/^\s*NSW\s*=\s*(\d+)/im.exec(incar)?.[1] ?? 0);
  if (nsw > 1) {
    throw new ParseError(join(folder, "INCAR"), `its NSW is ${nsw}, expected 0: one label a frame`);
  }
  if (!existsSync(join(folder, "POTCAR"))) {
    throw new ParseError(folder, "there is no POTCAR beside the INCAR");
  }
  const potentials = potentialsOf(read("POTCAR"), join(folder, "POTCAR"));
  const kpoints = existsSync(join(folder, "KPOINTS")) ? read("KPOINTS") : null;
  const own = existsSync(join(folder, "POSCAR")) ? cellOf(read("POSCAR")) : null;
  const notes = kpoints !== null && meshOf(kpoints) !== null && own === null
    ? ["KPOINTS stays as it is: there is no POSCAR whose cell it belongs to"]
    : [];
  return {
    ...{ code: "VASP", command: "vasp_std > vasp.out", output: "OUTCAR", notes },
    done: "General timing and accounting",
    files(frame) {
      const order = ordered(frame, potentials, folder);
      return new Map([
        ["INCAR", incar],
        ["POTCAR", order.map(({ text }) => text).join("")],
        ["POSCAR", poscar(frame, order)],
        ...(kpoints === null ? [] : [["KPOINTS", meshFor(kpoints, own, frame)] as const]),
      ]);
    },
  };
}

/** What all jobs must have in common. */
export function vaspSettings(folder: string): string {
  return readFileSync(join(folder, "INCAR"), "utf8").replace(/\s+/g, " ");
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
  const scale = Number(lines[1]);
  const cell = Float64Array.from(
    lines.slice(2, 5).flatMap((row) => row.trim().split(/\s+/).slice(0, 3).map(Number)),
  );
  if (cell.length !== 9 || !cell.every(Number.isFinite) || !(scale > 0)) return null;
  return cell.map((x) => scale * x);
}

/** Divisions of an automatic mesh, or null. */
function meshOf(kpoints: string): number[] | null {
  const lines = kpoints.split("\n");
  if (Number(lines[1]) !== 0 || !/^\s*[gm]/i.test(lines[2] ?? "")) return null;
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
