import { ParseError } from "../../errors.ts";
import { type Matrix, takeRows } from "../../matrix.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { Console } from "../output/output.ts";

/**
 * The pool without single atoms that meet no other: they carry the energy of an atom, and there is
 * nothing in them to describe or to fit. How many are set aside is said.
 *
 * @param fate what becomes of them, in words
 */
export function withoutIsolatedAtoms(
  pool: PoolOfFrames,
  fate: string,
  console: Console,
): PoolOfFrames {
  const others = pool.entries.filter((entry) => !entry.isolated);
  // Where there is nothing else they are what is asked for.
  const entries = others.length > 0 ? others : pool.entries;
  const [n, files] = [entries.length, pool.files.length];
  const isolated = pool.entries.length - n;
  console.say(`Frames: ${n} in ${files} file${files > 1 ? "s" : ""}`);
  if (isolated > 0) console.say(`Isolated atoms: ${isolated} frames are ${fate}`);
  return { ...pool, entries };
}

/**
 * Rows of a file of features for the frames that are left: one for each of them, or one for every frame
 * of the inputs, of which those of isolated atoms are dropped.
 *
 * @throws {ParseError} if the number of rows is neither
 */
export function matchRows(
  rows: Matrix,
  path: string,
  all: PoolOfFrames,
  left: PoolOfFrames,
): Matrix {
  if (rows.rows === left.entries.length) return rows;
  if (rows.rows === all.entries.length) {
    const kept = new Set(left.entries);
    return takeRows(rows, all.entries.flatMap((entry, row) => (kept.has(entry) ? [row] : [])));
  }
  const isolated = all.entries.length - left.entries.length;
  const among = isolated > 0 ? ` (${isolated} of them isolated atoms)` : "";
  throw new ParseError(
    path,
    `it holds ${rows.rows} rows for ${all.entries.length} frames${among}`,
  );
}
