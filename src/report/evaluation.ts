import { chemicalSymbol } from "../frame.ts";
import type { ErrorStats, Evaluation } from "../evaluate/evaluation.ts";
import { mae, relativeRmse, rmse } from "../evaluate/error_sums.ts";
import type { ParityPoints } from "../evaluate/parity.ts";
import { COLORS, curve, dots, figure, rangeOf } from "./figure.ts";
import { textTable } from "./text_table.ts";
import { type Captioned, drawn, list, plainPage, table } from "./plain_page.ts";

/** A frame that is among the worst, and why it may be. */
export interface WorstFrame {
  readonly quantity: "energy" | "forces" | "stress";
  readonly frame: string;
  /** With its unit. */
  readonly error: string;
  readonly cause: string | null;
}

const HEAD = [
  ...["frames", "RMSE E", "MAE E", "bias E", "RMSE F", "MAE F", "rel. F %", "RMSE S"],
];

/** Rows of the table of errors, its head first: all frames, groups, and the forces of elements.
 * @param key by which frames are grouped, or null */
export function errorTable({ all, groups, elements }: Evaluation, key: string | null): string[][] {
  const cell = (value: number | null, decimals = 1) =>
    // Nothing is negative by less than what is shown.
    value === null ? "" : value.toFixed(decimals).replace(/^-(?=[0.]*$)/, "");
  const row = (name: string, stats: ErrorStats) => [
    ...[name, String(stats.frames)],
    ...[stats.energy_rmse, stats.energy_mae, stats.energy_bias].map((x) => cell(x, 2)),
    ...[cell(stats.forces_rmse), cell(stats.forces_mae), cell(stats.forces_relative, 2)],
    cell(stats.stress_rmse, 2),
  ];
  const shown = groups.length > 1 ? groups : [];
  return [
    ["", ...HEAD],
    row("all", all),
    ...shown.map(({ name, stats }) => row(`${key} ${name}`, stats)),
    ...(elements.size > 1 ? [...elements] : []).map(([z, sums]) => [
      ...[`on ${chemicalSymbol(z)}`, "", "", "", ""],
      ...[cell(1000 * rmse(sums)), cell(1000 * mae(sums)), cell(relativeRmse(sums), 2), ""],
    ]),
  ];
}

/** The same for the terminal, and the worst frames below. */
export function formatEvaluation(
  rows: readonly (readonly string[])[],
  worst: readonly WorstFrame[],
  notes: readonly string[],
): string {
  const named = worst.map(({ quantity, frame, error, cause }) =>
    `  ${quantity.padEnd(6)}  ${frame}  ${error}${cause ? `: ${cause}` : ""}`
  );
  return [
    ...textTable(rows),
    "E in meV/atom, F in meV/Å, S in meV/Å³; model minus label",
    ...(named.length > 0 ? ["", "Worst frames", ...named] : []),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `Note: ${note}`)] : []),
    "",
  ].join("\n");
}

/** Figures by the name of their file: model against label. */
export function parityFigures(
  parities: Readonly<Record<"energy" | "forces" | "stress", ParityPoints>>,
): { name: string; figure: Captioned }[] {
  const words = {
    energy: ["Energies", "energy, eV/atom"],
    forces: ["Components of forces", "force, eV/Å"],
    stress: ["Components of stresses", "stress, eV/Å³"],
  } as const;
  return (["energy", "forces", "stress"] as const).flatMap((key) => {
    const { points, count } = parities[key];
    if (points.length === 0) return [];
    const [title, label] = words[key];
    const domain = rangeOf(points.flat());
    const axes = {
      title: `${title}, model against label`,
      x: { label: `label: ${label}`, domain },
      y: { label: "model", domain },
    };
    const svg = figure(axes, (x, y) => [
      curve([[domain[0], domain[0]], [domain[1], domain[1]]], x, y, "#8b949e", true),
      dots(points, x, y, COLORS[1], 2, 0.5),
    ]);
    const some = points.length < count ? `, ${points.length} of ${count} shown` : "";
    return [{ name: `parity_${key}`, figure: [`${title}: model against label${some}`, svg] }];
  });
}

/** The evaluation for people: one page without scripts or outside resources. */
export function evaluationPage(
  facts: readonly (readonly [string, string])[],
  rows: readonly (readonly string[])[],
  worst: readonly WorstFrame[],
  notes: readonly string[],
  figures: readonly Captioned[],
): string {
  const named = worst.map(({ quantity, frame, error, cause }) => [
    ...[quantity, frame, error, cause ?? "none found in the file"],
  ]);
  return plainPage("A model against labels", [
    ...(notes.length > 0 ? [list(notes)] : []),
    table(rows),
    "<p>E in meV/atom, F in meV/Å, S in meV/Å³; model minus label.</p>",
    `<div class="panels">${figures.map(drawn).join("\n")}</div>`,
    ...(named.length > 0
      ? ["<h2>Worst frames</h2>", table([["", "frame", "error", "probable cause"], ...named])]
      : []),
    "<h2>Run</h2>",
    table([["", ""], ...facts]),
    "<p>Relative errors are shares of the labels' root of the mean square.</p>",
  ]);
}
