import { Buffer } from "node:buffer";
import { ParseError } from "../errors.ts";
import { findKey, parseCommentLine } from "./comment_line.ts";
import type { RawFrame } from "./frame_ranges.ts";
import { parseProperties } from "./properties.ts";

/** What is added to a frame: keys of its comment line, and a column of vectors. */
export interface Additions {
  readonly values: readonly (readonly [key: string, value: string])[];
  readonly column: { readonly name: string; readonly vectors: Float64Array };
}

/** Columns of a file that does not name them. */
const PLAIN = "species:S:1:pos:R:3";
const PLAIN_WORDS = 4;

/**
 * A frame of extended XYZ with keys and a column more; all else stays as it is written. Rows without
 * `Properties` keep the species and the position.
 *
 * @throws {ParseError} if it has one of the keys or the column already
 */
export function annotate(
  { bytes, nAtoms, commentStart, commentEnd, rowsStart }: RawFrame,
  id: string,
  { values, column }: Additions,
): string {
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("utf8");
  const comment = text(commentStart, commentEnd).trimEnd();
  const info = parseCommentLine(comment);
  const propertiesKey = findKey(info, "Properties");
  const columns = propertiesKey === undefined ? PLAIN : info.get(propertiesKey)!;
  const names = [...info.keys(), ...(parseProperties(columns) ?? []).map(({ name }) => name)];
  for (const key of [...values.map(([key]) => key), column.name]) {
    if (names.includes(key)) {
      throw new ParseError(id, `it has "${key}" already; use another --prefix`);
    }
  }
  const added = `Properties=${columns}:${column.name}:R:3`;
  const rest = propertiesKey === undefined ? comment : withoutProperties(comment, info);
  const pairs = values.map(([key, value]) => `${key}=${/\s/.test(value) ? `"${value}"` : value}`);
  const lines = text(rowsStart, bytes.length).split("\n", nAtoms);
  const rows = lines.map((line, n) => {
    const own = propertiesKey === undefined
      ? line.trim().split(/\s+/).slice(0, PLAIN_WORDS).join(" ")
      : line.trimEnd();
    return `${own} ${[0, 1, 2].map((k) => digits(column.vectors[3 * n + k])).join(" ")}\n`;
  });
  // Ahead of what the file says, where a quote may be open.
  const head = [added, ...pairs, rest].filter((part) => part !== "").join(" ");
  return `${nAtoms}\n${head}\n${rows.join("")}`;
}

/** A number as it is written. */
export function digits(x: number): string {
  return String(Number(x.toPrecision(12)));
}

/** The comment line without its Properties; written anew where they cannot be cut out of it. */
function withoutProperties(comment: string, info: ReadonlyMap<string, string>): string {
  const cut = comment.replace(/(^|\s+)properties\s*=\s*("[^"]*"|'[^']*'|\S+)/i, "").trim();
  const kept = [...info].filter(([key]) => key.toLowerCase() !== "properties");
  const left = [...parseCommentLine(cut)];
  if (JSON.stringify(left) === JSON.stringify(kept)) return cut;
  return kept.map(([key, value]) => `${key}="${value.replaceAll('"', '\\"')}"`).join(" ");
}
