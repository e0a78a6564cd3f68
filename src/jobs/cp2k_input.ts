import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import { atomicNumber, chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { type JobTemplate, requirePeriodic, rowsOf } from "./template.ts";

const INPUT = "cp2k.inp";

export function isCp2kInput(text: string): boolean {
  return /^\s*&FORCE_EVAL\b/im.test(text) && /^\s*&SUBSYS\b/im.test(text);
}

/** A template of CP2K.
 * @throws {ParseError} where it does not compute or print forces, or is more than one input can be followed in */
export function cp2kTemplate(path: string): JobTemplate {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const lines = sectioned(text);
  const bare = lines.map(({ words }) => words.join(" ").toUpperCase());
  const run = bare.find((line) => line.startsWith("RUN_TYPE "))?.split(" ")[1] ?? "none";
  if (run !== "ENERGY_FORCE") {
    throw new ParseError(path, `its RUN_TYPE is ${run}, expected ENERGY_FORCE: one label a frame`);
  }
  if (!bare.some((line) => line.startsWith("&FORCES"))) {
    throw new ParseError(path, "it does not print forces: add &PRINT, &FORCES ON to &FORCE_EVAL");
  }
  if (bare.filter((line) => line.startsWith("&FORCE_EVAL")).length > 1) {
    throw new ParseError(
      path,
      "it has two &FORCE_EVAL: the structure of one alone can be replaced",
    );
  }
  const unclear = bare.find((line) => /^@|^MULTIPLE_UNIT_CELL/.test(line));
  if (unclear) {
    throw new ParseError(path, `it says "${unclear}", which is not followed: write it out`);
  }
  const kinds = lines.flatMap(({ words: [key, kind = ""] }) =>
    key.toUpperCase() === "&KIND" ? [atomicNumber(capitalised(kind))] : []
  );
  return {
    ...{ code: "CP2K", command: `cp2k -i ${INPUT} > cp2k.out`, output: "cp2k.out", notes: [] },
    ...{ done: "PROGRAM ENDED", failed: "SCF run NOT converged" },
    files(frame) {
      requirePeriodic(frame, "a template of CP2K");
      const missing = distinctElements(frame.species).filter((z) => !kinds.includes(z));
      if (missing.length > 0) {
        throw new RequestError(
          `Cannot make a job of ${frame.id}: "${path}" has no &KIND ${
            missing.map(chemicalSymbol).join(", ")
          }`,
        );
      }
      return new Map([[INPUT, withStructure(lines, frame)]]);
    },
  };
}

/** What all jobs must have in common. */
export function cp2kSettings(folder: string): string {
  const lines = sectioned(readFileSync(join(folder, INPUT), "utf8").replaceAll("\r\n", "\n"));
  return lines.filter((line) => !isStructure(line)).map(({ words }) => words.join(" ")).join("\n");
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

/** A line, its words without a comment, and the sections that it stands in; a heading stands in its own. */
interface Line {
  readonly text: string;
  readonly words: readonly string[];
  readonly path: string;
}

function sectioned(text: string): Line[] {
  const open: string[] = [];
  return text.split("\n").map((line): Line => {
    const words = line.replace(/[!#].*/, "").trim().split(/\s+/);
    const [first] = words;
    const ends = /^&END$/i.test(first);
    if (first.startsWith("&") && !ends) open.push(first.slice(1).toUpperCase());
    const path = open.join("/");
    if (ends) open.pop();
    return { text: line, words, path };
  });
}

const SUBSYS = "FORCE_EVAL/SUBSYS";
const CELL_KEYS = /^(ABC|A|B|C|ALPHA_BETA_GAMMA|SYMMETRY|CELL_FILE_NAME|CELL_FILE_FORMAT)$/i;

/** Whether a line gives the cell or the atoms. */
function isStructure({ words: [key], path }: Line): boolean {
  if (path === `${SUBSYS}/COORD`) return true;
  if (path === `${SUBSYS}/CELL`) return CELL_KEYS.test(key);
  return path === `${SUBSYS}/TOPOLOGY` && /^COORD_FILE_(NAME|FORMAT)$/i.test(key);
}

function withStructure(lines: readonly Line[], { species, positions, cell }: Frame): string {
  const vectors = rowsOf(cell).map((row, k) => `      ${"ABC"[k]} ${row}`);
  const atoms = rowsOf(positions).map((row, n) =>
    `      ${chemicalSymbol(species[n]).padEnd(3)} ${row}`
  );
  const hasCell = lines.some(({ path }) => path === `${SUBSYS}/CELL`);
  return lines.filter((line) => !isStructure(line)).flatMap(({ text, words: [key], path }) => {
    const opens = key.startsWith("&") && !/^&END$/i.test(key);
    if (opens && path === `${SUBSYS}/CELL`) return [text, ...vectors];
    if (!opens || path !== SUBSYS) return [text];
    const box = hasCell ? [] : ["    &CELL", ...vectors, "    &END CELL"];
    return [text, ...box, "    &COORD", ...atoms, "    &END COORD"];
  }).join("\n");
}
