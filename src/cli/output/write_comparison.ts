import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Comparison, MOST_FITTED, seedsOf } from "../../compare/compare.ts";
import { csvLine } from "../../io/table.ts";
import { formatComparison, methodCurves, panel } from "../../report/comparison.ts";
import { textTable } from "../../report/text_table.ts";
import type { Method } from "../../select/method.ts";
import type { CompareCommand } from "../syntax/options.ts";
import { type ComparisonSummary, verdictLines } from "./comparison_summary.ts";
import { jsonText } from "./json_text.ts";
import { publish } from "./output_folder.ts";

/** What goes to the terminal: coverage and cheap regressors, then fine-tuned models. */
export function terminalTables(summary: ComparisonSummary): string {
  return proxyTable(summary) + trainedTable(summary);
}

function mean(values: readonly (number | null)[]): number {
  return values.reduce((s: number, v) => s + (v ?? NaN), 0) / values.length;
}

/** Thousandths of the mean. */
function meV(values: readonly (number | null)[] | undefined): string {
  return values ? (1000 * mean(values)).toFixed(1) : "";
}

function proxyTable(
  { rows, from_pool, n_pool, options, readout_forces }: ComparisonSummary,
): string {
  const seedDeviation = (method: Method, errors: ComparisonSummary["rows"][number]["errors"]) =>
    errors && seedsOf(method, options.seeds, false) > 1 ? `±${meV(errors.krr_seed_deviation)}` : "";
  const head = [
    ...["method", "N", "krr", "seeds", "within", "ridge", "within"],
    ...(readout_forces ? ["forces"] : []),
    ...["cov. radius", "feature cov."],
  ];
  const body = [
    ...rows.map((
      { method, size, errors, readout_forces_rmse, covering_radius, feature_coverage },
    ) => [
      ...[method, String(size), meV(errors?.krr_rmse)],
      ...[seedDeviation(method, errors), meV(errors?.krr_within)],
      ...[meV(errors?.ridge_rmse), meV(errors?.ridge_within)],
      ...(readout_forces_rmse ? [meV(readout_forces_rmse)] : []),
      ...[mean(covering_radius).toPrecision(3), `${(100 * mean(feature_coverage)).toFixed(0)} %`],
    ]),
    ...from_pool.map(({ name, rmse, within }) => {
      const cells = name === "ridge"
        ? ["", "", "", meV(rmse), meV(within)]
        : [meV(rmse), "", meV(within)];
      const fitted = name === "ridge" || name === "krr" ? Math.min(n_pool, MOST_FITTED) : n_pool;
      return [`whole pool: ${name}`, String(fitted), ...cells];
    }),
  ];
  const note = rows[0].errors
    ? `Errors of energies on held-out frames, meV/atom; seeds: deviation over the seeds${
      readout_forces ? "; forces: of ridge regression, meV/Å" : ""
    }\n`
    : "";
  return `${note}${textTable([head, ...body]).join("\n")}\n`;
}

function trainedTable({ rows, fine_tuning, n_pool, options }: ComparisonSummary): string {
  if (!fine_tuning) return "";
  const { before, whole_pool } = fine_tuning;
  const head = ["method", "N", "energies", "seeds", "forces", "seeds"];
  const spread = (values: readonly number[]) => options.seeds > 1 ? `±${meV(values)}` : "";
  const body = rows.map(({ method, size, trained }) => [
    ...[method, String(size), meV(trained!.energy_rmse), spread(trained!.energy_seed_deviation)],
    ...[meV(trained!.forces_rmse), spread(trained!.forces_seed_deviation)],
  ]);
  const others = [["whole pool", String(n_pool), whole_pool], [
    "before, with the energies of atoms of the pool",
    String(n_pool),
    before,
  ]] as const;
  const rest = others.map(([name, n, errors]) => [
    ...[name, n, meV(errors.energy_rmse), "", meV(errors.forces_rmse)],
  ]);
  return "\nA model fine-tuned on the chosen frames, errors on held-out frames, meV/atom and meV/Å\n" +
    `${textTable([head, ...body, ...rest]).join("\n")}\n`;
}

/** One line per selection. */
function trialsTable({ trials }: Comparison): string {
  const columns = Object.keys(trials[0].coverage) as (keyof typeof trials[0]["coverage"])[];
  const errors = ["krr_rmse", "krr_within", "ridge_rmse", "ridge_within"];
  const tuned = [
    ...(trials[0].readoutForces === null ? [] : ["readout_forces_rmse"]),
    ...(trials[0].trained === null ? [] : ["trained_energy_rmse", "trained_forces_rmse"]),
  ];
  const lines = trials.map((trial) => {
    const { split, seed, method, size, coverage, leakage, errors: e, readoutForces, trained } =
      trial;
    const found = e ? [e.krr.rmse, e.krr.within, e.ridge.rmse, e.ridge.within] : ["", "", "", ""];
    const near = leakage ? [leakage.least, leakage.median] : ["", ""];
    const covered = columns.map((c) => coverage[c]);
    const after = [
      ...(readoutForces === null ? [] : [readoutForces]),
      ...(trained ? [trained.energy, trained.forces] : []),
    ];
    return csvLine([split, seed, method, size, ...found, ...covered, ...near, ...after]);
  });
  const snake = columns.map((c) => c.replace(/([A-Z]|\d+)/g, (part) => `_${part.toLowerCase()}`));
  const near = ["test_distance_least", "test_distance_median"];
  const head = csvLine(["split", "seed", "method", "size", ...errors, ...snake, ...near, ...tuned]);
  return head + lines.join("");
}

/** Figures by the name of their file: learning curves, coverage, and what each method chose. */
function drawFigures({ rows }: ComparisonSummary, { panels }: Comparison) {
  const measured = (value: (row: ComparisonSummary["rows"][number]) => readonly number[]) =>
    rows.map((row) => ({ method: row.method, size: row.size, values: value(row) }));
  const learning = rows[0].errors && methodCurves(
    measured(({ errors }) => errors!.krr_rmse.map((e) => 1000 * e)),
    { title: "Error of held-out energies", label: "error, meV/atom" },
  );
  const coverage = methodCurves(measured(({ mean_distance }) => mean_distance), {
    title: "Mean distance of a frame to the nearest chosen one",
    label: "mean distance to chosen",
  });
  const covering = methodCurves(measured(({ covering_radius }) => covering_radius), {
    title: "Largest distance of a frame to the nearest chosen one",
    label: "covering radius",
  });
  const trained = (key: "energy_rmse" | "forces_rmse", title: string, label: string) =>
    methodCurves(measured((row) => row.trained![key].map((e) => 1000 * e)), { title, label });
  return {
    curves: [
      ...(rows[0].trained
        ? [
          [
            "trained_forces",
            "Fine-tuned models: errors of forces on held-out frames",
            trained("forces_rmse", "Error of held-out forces", "error, meV/Å"),
          ],
          [
            "trained_energies",
            "Fine-tuned models: errors of energies on held-out frames",
            trained("energy_rmse", "Error of held-out energies", "error, meV/atom"),
          ],
        ]
        : []),
      ...(learning ? [["learning_curves", "Errors of energies on held-out frames", learning]] : []),
      ["coverage", "Coverage of the pool: mean distance to the chosen frames", coverage],
      ["covering_radius", "Coverage of the pool: covering radius", covering],
    ] as [file: string, caption: string, svg: string][],
    panels: panels.map(({ method, points, chosen }): [string, string, string] => [
      `panel_${method}`,
      `${method}, ${chosen.length} frames`,
      panel(method, points, chosen),
    ]),
  };
}

/** Files that not every run writes. */
const OPTIONAL = /^(panel_.*|learning_curves|trained_.*)\.svg$/;

/** Writes every file of a comparison. */
export function writeComparison(
  { output }: CompareCommand,
  found: Comparison,
  summary: ComparisonSummary,
): Promise<void> {
  return publish(output, OPTIONAL, (folder) => {
    const save = (name: string, content: string) => writeFileSync(join(folder, name), content);
    save("compare.csv", trialsTable(found));
    save("compare.json", jsonText(summary));
    const { curves, panels } = drawFigures(summary, found);
    for (const [file, , svg] of [...curves, ...panels]) save(`${file}.svg`, svg);
    const captioned = (list: typeof curves) =>
      list.map(([, caption, svg]): [string, string] => [caption, svg]);
    const tables = terminalTables(summary);
    const lines = verdictLines(summary);
    save("report.html", formatComparison(lines, tables, captioned(curves), captioned(panels)));
  });
}
