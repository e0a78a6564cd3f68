import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import { chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { readNumber } from "../io/formats/lines.ts";
import { addLabel, type JobTemplate, rowsOf, scaledMesh } from "./template.ts";

const [CONTROL, GEOMETRY] = ["control.in", "geometry.in"];
/** Keywords of a run that moves atoms. */
const MOVES = /^(relax_geometry|relax_unit_cell|md_run|run_neb|geometry_optimization)$/i;
const FORCES = /^compute_forces$/;
const STRESS = /^compute_(analytical|numerical)_stress$/;
/** What of a geometry.in is written anew for every frame. */
const STRUCTURE = /^(lattice_vector|atom|atom_frac|velocity)$/;

export function isAimsControl(text: string): boolean {
  return /^\s*xc\s+\S/m.test(text) && /^\s*species\s+\S/m.test(text);
}

/**
 * A template of FHI-aims: a control.in or the folder that holds it. Forces are asked for where it does not; a geometry.in
 * beside it says which cell its k-grid belongs to.
 *
 * @throws {ParseError} where it is no single point, or two of its species are of one element
 */
export function aimsTemplate(path: string): JobTemplate {
  const control = statSync(path).isDirectory() ? join(path, CONTROL) : path;
  const text = readFileSync(control, "utf8");
  const lines = keywordsOf(text);
  const moves = lines.find(([keyword, value]) => MOVES.test(keyword) && value !== "none");
  if (moves) {
    throw new ParseError(
      control,
      `it sets ${moves[0]}, expected a single point: one label a frame`,
    );
  }
  const species = speciesOf(lines, control);
  const place = join(dirname(control), GEOMETRY);
  const geometry = existsSync(place) ? keywordsOf(readFileSync(place, "utf8")) : [];
  const own = cellOf(geometry);
  const asks = (keyword: RegExp) =>
    lines.some(([own, value]) => keyword.test(own) && !/^\.f/i.test(value ?? ""));
  const forced = asks(FORCES) || asks(STRESS);
  const grid = lines.some(([keyword]) => keyword === "k_grid");
  const lost = new Set(
    geometry.map(([keyword]) => keyword).filter((word) => !STRUCTURE.test(word)),
  );
  const notes = [
    ...(forced ? [] : ["compute_forces set to .true.: labels need forces"]),
    ...(asks(STRESS) ? [] : ["no stress is asked for: compute_analytical_stress .true. would"]),
    ...(grid && own === null
      ? ["the k-grid stays as it is: no geometry.in is read whose cell it belongs to"]
      : []),
    ...(lost.size > 0
      ? [`of geometry.in ${[...lost].join(", ")} belong to its own atoms, and are not written`]
      : []),
  ];
  const unset = text.replace(/^[ \t]*compute_forces\b.*\n/gm, "");
  const written = forced ? text : `compute_forces .true.\n${unset}`;
  return {
    ...{ code: "FHI-aims", command: "aims.x > aims.out", output: "aims.out", notes },
    ...{ done: "Have a nice day", failed: "not converged" },
    files: (frame) =>
      new Map([
        [CONTROL, gridFor(written, own, frame)],
        [GEOMETRY, geometryOf(frame, species, control)],
      ]),
  };
}

/** What all jobs must have in common: all but the divisions of the grid, which follow the cell. */
export function aimsSettings(folder: string): string {
  const lines = keywordsOf(readFileSync(join(folder, CONTROL), "utf8"));
  return lines.filter(([keyword]) => keyword !== "k_grid").map((words) => words.join(" ")).join(
    "\n",
  );
}

/** Divisions of the k-grid of a job, or null. */
export function aimsMesh(folder: string): string | null {
  const lines = keywordsOf(readFileSync(join(folder, CONTROL), "utf8"));
  return lines.find(([keyword]) => keyword === "k_grid")?.slice(1).join(" ") ?? null;
}

/** Lines as words, without comments. */
function keywordsOf(text: string): string[][] {
  return text.split(/\r?\n/).map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "").map((line) => line.split(/\s+/));
}

/** Label of each element.
 * @throws {ParseError} where an element has two */
function speciesOf(lines: readonly (readonly string[])[], path: string): Map<number, string> {
  const labels = new Map<number, string>();
  let label = "";
  for (const [keyword, value] of lines) {
    if (keyword === "species") label = value;
    if (keyword !== "nucleus") continue;
    addLabel(labels, Math.round(readNumber(value)), label, path);
  }
  return labels;
}

/** Rows of the cell of a geometry.in, Å; null where it has none. */
function cellOf(lines: readonly (readonly string[])[]): Float64Array | null {
  const rows = lines.filter(([keyword]) => keyword === "lattice_vector");
  const cell = Float64Array.from(rows.flatMap((row) => row.slice(1, 4).map(readNumber)));
  return cell.length === 9 && cell.every(Number.isFinite) ? cell : null;
}

/** The control.in with a grid that is no coarser in the cell of the frame. */
function gridFor(text: string, own: Float64Array | null, { cell, pbc }: Frame): string {
  if (own === null || !pbc.every(Boolean)) return text;
  return text.replace(
    /^([ \t]*k_grid[ \t]+)(\d+)[ \t]+(\d+)[ \t]+(\d+)/m,
    (_, keyword, ...numbers) =>
      keyword + scaledMesh(numbers.slice(0, 3).map(Number), own, cell).join(" "),
  );
}

/** @throws {RequestError} where the control.in lacks an element, or the frame is periodic in part */
function geometryOf(frame: Frame, species: ReadonlyMap<number, string>, path: string): string {
  const missing = distinctElements(frame.species).filter((z) => !species.has(z));
  if (missing.length > 0) {
    throw new RequestError(
      `Cannot make a job of ${frame.id}: "${path}" lacks the species ${
        missing.map(chemicalSymbol).join(", ")
      }`,
    );
  }
  const periodic = frame.pbc.every(Boolean);
  if (!periodic && frame.pbc.some(Boolean)) {
    throw new RequestError(
      `Cannot make a job of ${frame.id}: it is periodic along some axes only, and FHI-aims along all or none`,
    );
  }
  const vectors = periodic ? rowsOf(frame.cell).map((row) => `lattice_vector ${row}`) : [];
  const atoms = rowsOf(frame.positions).map((row, n) =>
    `atom ${row} ${species.get(frame.species[n])}`
  );
  return [`# ${frame.id}`, ...vectors, ...atoms, ""].join("\n");
}
