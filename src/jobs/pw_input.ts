import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import { atomicNumber, chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { cellOf, parseQeInput, type QeInput, setting } from "../io/formats/qe_input.ts";
import { addLabel, type JobTemplate, requirePeriodic, rowsOf, scaledMesh } from "./template.ts";

const STRUCTURE = "ibrav|nat|celldm\\s*\\(\\s*\\d\\s*\\)|A|B|C|cosAB|cosAC|cosBC";
const INPUT = "pw.in";
/** Cards that are written anew, or belong to other atoms. */
const MOVED = /^(ATOMIC_POSITIONS|CELL_PARAMETERS|ATOMIC_VELOCITIES|ATOMIC_FORCES)$/;

export function isPwInput(text: string): boolean {
  return /^\s*&SYSTEM\b/im.test(text) && /^\s*ATOMIC_SPECIES\b/im.test(text);
}

/** A template of pw.x; forces and stress are asked for where it does not.
 * @throws {ParseError} where it is no single point, or its jobs would write over each other */
export function pwTemplate(path: string): JobTemplate {
  const input = parseQeInput(readFileSync(path, "utf8"), path);
  const control = input.namelists.get("CONTROL") ?? "";
  const calculation = setting(control, "calculation") ?? "scf";
  if (calculation !== "scf") {
    throw new ParseError(
      path,
      `its calculation is ${calculation}, expected scf: one label a frame`,
    );
  }
  for (const key of ["outdir", "wfcdir"]) {
    const given = setting(control, key);
    if (given === null || !isAbsolute(given)) continue;
    throw new ParseError(
      path,
      `its ${key} "${given}" is absolute: all jobs would write there; make it relative`,
    );
  }
  const added = ["tprnfor", "tstress"].filter((key) => !/^\.t/i.test(setting(control, key) ?? ""));
  const species = speciesOf(input, path);
  const own = cellOf(input);
  const notes = [
    ...(added.length > 0
      ? [`${added.join(" and ")} set to .true.: labels need forces and stress`]
      : []),
    ...(own === null && mesh(input)
      ? ["the k-mesh stays as it is: the cell of the template is not read (ibrav = 0 or 1 is)"]
      : []),
  ];
  return {
    ...{ code: "Quantum ESPRESSO", notes, output: "pw.out" },
    ...{ done: "JOB DONE", failed: "convergence NOT achieved" },
    command: `pw.x -in ${INPUT} > pw.out`,
    files: (frame, folder) =>
      new Map([[INPUT, write(input, frame, { path, folder, species, own, added })]]),
  };
}

/** What all jobs must have in common: all but the structure and the divisions of a mesh, which follow the cell. */
export function pwSettings(folder: string): string {
  const path = join(folder, INPUT);
  const { namelists, cards } = parseQeInput(readFileSync(path, "utf8"), path);
  const lists = [...namelists].map(([name, body]) => `${name} ${withoutStructure(name, body)}`);
  const others = [...cards].filter(([name]) => !MOVED.test(name)).map(([name, { head, rows }]) =>
    name === "K_POINTS" && /automatic/i.test(head)
      ? `${head} ${rows[0]?.trim().split(/\s+/).slice(3)}`
      : [head, ...rows].join("\n")
  );
  return [...lists, ...others].join("\n").replace(/\s+/g, " ");
}

function withoutKeys(body: string, keys: string): string {
  return body.replace(
    new RegExp(`(^|[\\s,])(?:${keys})\\s*=\\s*('[^']*'|"[^"]*"|[^,\\s!]+)[ \\t]*,?`, "gim"),
    "$1",
  );
}

function withoutStructure(name: string, body: string): string {
  if (name === "SYSTEM") return withoutKeys(body, STRUCTURE);
  return name === "CONTROL" ? withoutKeys(body, "pseudo_dir") : body;
}

/** Label of each element.
 * @throws {ParseError} where an element has two */
function speciesOf({ cards }: QeInput, path: string): Map<number, string> {
  const labels = new Map<number, string>();
  for (const row of cards.get("ATOMIC_SPECIES")?.rows ?? []) {
    const [label] = row.trim().split(/\s+/);
    const [, two, one] = /^(([A-Za-z])[a-z]?)/.exec(label) ?? ["", "", ""];
    const z = atomicNumber(two) || atomicNumber(one.toUpperCase());
    if (z === 0) throw new ParseError(path, `its species "${label}" is no element`);
    addLabel(labels, z, label, path);
  }
  return labels;
}

/** Divisions and shifts of the k-mesh of a job, or null. */
export function pwMesh(folder: string): string | null {
  const path = join(folder, INPUT);
  return mesh(parseQeInput(readFileSync(path, "utf8"), path))?.join(" ") ?? null;
}

/** Divisions and shifts of an automatic mesh, or null. */
function mesh({ cards }: QeInput): number[] | null {
  const card = cards.get("K_POINTS");
  if (!card || !/automatic/i.test(card.head)) return null;
  return card.rows[0]?.trim().split(/\s+/).slice(0, 6).map(Number) ?? null;
}

function write(
  input: QeInput,
  frame: Frame,
  { path, folder, species, own, added }: {
    path: string;
    folder: string;
    species: ReadonlyMap<number, string>;
    own: Float64Array | null;
    added: readonly string[];
  },
): string {
  const { cell, positions } = frame;
  const missing = distinctElements(frame.species).filter((z) => !species.has(z));
  if (missing.length > 0) {
    throw new RequestError(
      `Cannot make a job of ${frame.id}: ATOMIC_SPECIES of "${path}" lacks ${
        missing.map(chemicalSymbol).join(", ")
      }`,
    );
  }
  requirePeriodic(frame, "pw.x");
  const lists = [...input.namelists].map(([name, body]) => {
    let own = withoutStructure(name, body);
    if (name === "SYSTEM") own = `  ibrav = 0, nat = ${frame.species.length},\n${own}`;
    if (name === "CONTROL") {
      own = withoutKeys(own, added.join("|") || "tprnfor_is_there");
      own = added.map((key) => `  ${key} = .true.,\n`).join("") + pseudo(body, path, folder) + own;
    }
    return `&${name}\n${own.split("\n").filter((line) => !/^[\s,]*$/.test(line)).join("\n")}\n/`;
  });
  const cards = [...input.cards].filter(([name]) => !MOVED.test(name))
    .map(([name, { head, rows }]) => {
      const points = name === "K_POINTS" ? mesh(input) : null;
      if (!points || own === null) return [head, ...rows].join("\n");
      return `${head}\n  ${
        [...scaledMesh(points.slice(0, 3), own, cell), ...points.slice(3)].join(" ")
      }`;
    });
  const atoms = rowsOf(positions).map((row, n) =>
    `${species.get(frame.species[n])!.padEnd(4)} ${row}`
  );
  return [
    ...[...lists, ...cards],
    ...["CELL_PARAMETERS angstrom", ...rowsOf(cell), "ATOMIC_POSITIONS angstrom", ...atoms, ""],
  ].join("\n");
}

/** The folder of the pseudopotentials, seen from that of the job. */
function pseudo(control: string, path: string, folder: string): string {
  const given = setting(control, "pseudo_dir");
  if (given === null) return "";
  const place = isAbsolute(given)
    ? given
    : relative(resolve(folder), resolve(dirname(path), given)) || ".";
  return `  pseudo_dir = '${place}',\n`;
}
