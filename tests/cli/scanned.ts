import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./program.ts";

export interface Report {
  readonly problems: { kind: string; frame: string; text: string }[];
  readonly files: {
    labels: { key: string; assumed: string }[];
    unread: { name: string; kind: string }[];
    energy: { low: number; high: number } | null;
    max_force: { low: number; high: number } | null;
    pressure: { low: number; high: number } | null;
    n_isolated_atoms: number;
  }[];
}

export async function scan(folder: string, text: string, ...args: string[]): Promise<Report> {
  writeFileSync(join(folder, "x.xyz"), text);
  const run = await runProgram(["scan", "x.xyz", "--json", ...args], { cwd: folder });
  assert.equal(run.code, 0, run.stderr);
  return JSON.parse(run.stdout);
}

export const told = ({ problems }: Report) =>
  problems.map(({ kind, frame, text }) => `${kind}, ${frame}: ${text}`);

export const cubic = (side: number) => `Lattice="${side} 0 0 0 ${side} 0 0 0 ${side}" pbc="T T T"`;
export const POSITIONS = "Properties=species:S:1:pos:R:3";

/** A hydrogen molecule of bond `d` in a box, with what its comment line says besides. */
export const molecule = (
  d: number,
  info: string,
  columns = "",
  rows: readonly string[] = ["", ""],
) => `2\n${cubic(6)} ${POSITIONS}${columns} ${info}\nH 1 1 1${rows[0]}\nH 1 1 ${1 + d}${rows[1]}\n`;

/** A crystal of four atoms about a cubic cell of the given side. */
export function crystal(side: number, info: string): string {
  const sites = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]];
  const rows = sites.map((site) => `Al ${site.map((s) => (s * side).toFixed(8)).join(" ")}`);
  return `4\n${cubic(side)} ${POSITIONS} ${info}\n${rows.join("\n")}\n`;
}

export const diagonal = (x: number) => `"${x} 0 0 0 ${x} 0 0 0 ${x}"`;
