import type { BlockAverage } from "../analyze/block_average.ts";
import { lines, type NamedFigure, withError } from "./lines.ts";
import { type Captioned, drawn, list, plainPage, table } from "./plain_page.ts";

/** Columns of thermo.csv by their names. */
export type ThermoTable = ReadonlyMap<string, readonly number[]>;

/** What is told of a run. */
export interface MdSummary {
  readonly name: string;
  /** Steps that were made. */
  readonly steps: number;
  /** Why it stopped early, or null. */
  readonly stopped: string | null;
  /** Of temperature (K), pressure (GPa), potential (eV) and molecular fraction. */
  readonly averages: Readonly<Record<string, BlockAverage>>;
  /** Of the conserved energy, meV/atom/ps. */
  readonly drift: number;
}

/** Rows of a table of runs, the head first. */
export function runTable(summaries: readonly MdSummary[]): string[][] {
  const shown = [
    ["temperature", "T (K)"],
    ["pressure", "P (GPa)"],
    ["molecular_fraction", "molecular"],
  ].filter(([name]) => summaries.some(({ averages }) => name in averages));
  return [
    ["", "steps", ...shown.map(([, head]) => head), "drift (meV/atom/ps)"],
    ...summaries.map(({ name, steps, averages, drift }) => [
      ...[name, String(steps)],
      ...shown.map(([key]) => averages[key] ? withError(averages[key]) : ""),
      Number.isFinite(drift) ? drift.toFixed(3) : "",
    ]),
  ];
}

/** Figures of runs by the name of their file: what thermo.csv holds against time. */
export function runFigures(
  runs: readonly { readonly name: string; readonly columns: ThermoTable }[],
): NamedFigure[] {
  const against = (column: string, caption: string, label: string) =>
    lines(
      column,
      caption,
      ["time, ps", label],
      runs.filter(({ columns }) => (columns.get(column) ?? []).some(Number.isFinite))
        .map(({ name, columns }) => [
          name,
          columns.get(column)!.map((y, i) => [columns.get("time")![i] / 1000, y])
            .filter(([, y]) => Number.isFinite(y)),
        ]),
    );
  return [
    ...against("temperature", "Temperature", "K"),
    ...against("pressure", "Pressure, kinetic part included", "GPa"),
    ...against("conserved", "Conserved energy", "eV"),
    ...against("molecular_fraction", "Fraction of atoms in molecules", ""),
  ];
}

/** Dynamics for people: one page without scripts or outside resources. */
export function mdPage(
  facts: readonly (readonly [string, string])[],
  rows: readonly (readonly string[])[],
  notes: readonly string[],
  figures: readonly Captioned[],
): string {
  return plainPage("Molecular dynamics", [
    ...(notes.length > 0 ? [list(notes)] : []),
    table(rows),
    "<p>Means with standard errors of correlated blocks (Flyvbjerg and Petersen 1989).</p>",
    `<div class="panels">${figures.map(drawn).join("\n")}</div>`,
    "<h2>Run</h2>",
    table([["", ""], ...facts]),
  ]);
}
