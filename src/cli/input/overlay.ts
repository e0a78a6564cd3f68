import { readFileSync } from "node:fs";
import { ParseError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";

/** A point to draw beside means; NaN where the file leaves a number out. */
export interface OverlayPoint {
  /** Bohr. */
  readonly rs: number;
  /** GPa. */
  readonly pressure: number;
  readonly molecularFraction: number;
}

/** Reads points from a CSV file with the columns `rs` and one or both of `pressure` and `molecular_fraction`.
 * @throws {UsageError} if it cannot be read
 * @throws {ParseError} naming the line */
export function readOverlay(path: string): OverlayPoint[] {
  checkReadable(path);
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  const head = lines[0].split(",").map((name) => name.trim());
  const place = (name: string) => head.indexOf(name);
  if (place("rs") < 0 || (place("pressure") < 0 && place("molecular_fraction") < 0)) {
    throw new ParseError(
      `${path}:1`,
      "its head has not the columns rs and pressure or molecular_fraction",
    );
  }
  return lines.flatMap((line, i) => {
    if (i === 0 || line.trim() === "") return [];
    const cells = line.split(",");
    const read = (name: string) => {
      const cell = cells[place(name)]?.trim() ?? "";
      const value = Number(cell);
      if (cell === "") return NaN;
      if (Number.isFinite(value)) return value;
      throw new ParseError(`${path}:${i + 1}`, `its ${name} "${cell}" is not a number`);
    };
    const rs = read("rs");
    if (Number.isNaN(rs)) throw new ParseError(`${path}:${i + 1}`, "it has no rs");
    return [{ rs, pressure: read("pressure"), molecularFraction: read("molecular_fraction") }];
  });
}
