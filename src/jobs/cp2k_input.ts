import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError, RequestError } from "../errors.ts";
import { atomicNumber, chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { type JobTemplate, rowsOf } from "./template.ts";

const INPUT = "cp2k.inp";

export function isCp2kInput(text: string): boolean {
  return /^\s*&FORCE_EVAL\b/im.test(text) && /^\s*&SUBSYS\b/im.test(text);
}

/** A template of CP2K.
 * @throws {ParseError} where it does not compute or print forces */
export function cp2kTemplate(path: string): JobTemplate {
  const text = readFileSync(path, "utf8");
  const run = /^\s*RUN_TYPE\s+(\S+)/im.exec(text)?.[1] ?? "none";
  if (!/^energy_force$/i.test(run)) {
    throw new ParseError(path, `its RUN_TYPE is ${run}, expected ENERGY_FORCE: one label a frame`);
  }
  if (!/^\s*&FORCES\b/im.test(text)) {
    throw new ParseError(path, "it does not print forces: add &PRINT, &FORCES ON to &FORCE_EVAL");
  }
  const kinds = [...text.matchAll(/^\s*&KIND\s+(\S+)/gim)].map(([, kind]) => atomicNumber(kind));
  return {
    ...{ code: "CP2K", command: `cp2k -i ${INPUT} > cp2k.out`, output: "cp2k.out", notes: [] },
    done: "PROGRAM ENDED",
    files(frame) {
      const missing = distinctElements(frame.species).filter((z) => !kinds.includes(z));
      if (missing.length > 0) {
        throw new RequestError(
          `Cannot make a job of ${frame.id}: "${path}" has no &KIND ${
            missing.map(chemicalSymbol).join(", ")
          }`,
        );
      }
      return new Map([[INPUT, withStructure(text, frame)]]);
    },
  };
}

/** What all jobs must have in common. */
export function cp2kSettings(folder: string): string {
  const text = readFileSync(join(folder, INPUT), "utf8");
  return withoutCell(withoutSection(text, "COORD")).replace(/\s+/g, " ");
}

/** The text without a section of that name. */
function withoutSection(text: string, name: string): string {
  const section = new RegExp(
    `^[ \\t]*&${name}\\b[^]*?^[ \\t]*&END(?:[ \\t]+${name})?[ \\t]*\\r?\\n`,
    "im",
  );
  return text.replace(section, "");
}

const CELL_KEYS =
  /^[ \t]*(?:ABC|A|B|C|ALPHA_BETA_GAMMA|CELL_FILE_NAME|CELL_FILE_FORMAT)\b.*\r?\n/gim;

/** Takes what gives the cell out of &CELL; its other keys stay. */
function withoutCell(text: string): string {
  return text.replace(
    /^[ \t]*&CELL\b[^]*?^[ \t]*&END/im,
    (section) => section.replace(CELL_KEYS, ""),
  );
}

function withStructure(text: string, { species, positions, cell }: Frame): string {
  const vectors = rowsOf(cell).map((row, k) => `      ${"ABC"[k]} ${row}`);
  const atoms = rowsOf(positions).map((row, n) =>
    `      ${chemicalSymbol(species[n]).padEnd(3)} ${row}`
  );
  const bare = withoutCell(withoutSection(text, "COORD"))
    .replace(/^[ \t]*COORD_FILE_(?:NAME|FORMAT)\b.*\r?\n/gim, "");
  const celled = /^[ \t]*&CELL\b/im.test(bare)
    ? bare.replace(/^[ \t]*&CELL\b.*\n/im, (head) => `${head}${vectors.join("\n")}\n`)
    : bare.replace(
      /^[ \t]*&SUBSYS\b.*\n/im,
      (head) => `${head}    &CELL\n${vectors.join("\n")}\n    &END CELL\n`,
    );
  return celled.replace(
    /^[ \t]*&SUBSYS\b.*\n/im,
    (head) => `${head}    &COORD\n${atoms.join("\n")}\n    &END COORD\n`,
  );
}
