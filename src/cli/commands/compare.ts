import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { deviation, formatComparison, methodCurves, panel } from "../../report/comparison.ts";
import { textTable } from "../../report/text_table.ts";
import { contrasts, type Curve, verdict } from "../../compare/verdict.ts";
import {
  compare,
  type ComparePool,
  type Comparison,
  countTrials,
  MOST_FITTED,
  seedsOf,
} from "../../compare/compare.ts";
import { InterruptedError } from "../../errors.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import { csvLine } from "../../io/table.ts";
import type { Matrix } from "../../matrix.ts";
import type { Method } from "../../select/method.ts";
import { autoStrata } from "../../select/strata.ts";
import { describePool } from "../input/describe_pool.ts";
import { readFeatures } from "./distill.ts";
import { isInterrupted } from "../interrupt.ts";
import { energiesOf, groupsOf, valuesOf } from "../input/labels.ts";
import { withoutIsolatedAtoms } from "../input/isolated_atoms.ts";
import {
  loadOptions,
  loadPool,
  openModel,
  type PoolOfFrames,
  sourcesOf,
} from "../input/load_pool.ts";
import { openBackend } from "../open_backend.ts";
import { checkOutput, publish } from "../output/output_folder.ts";
import type { CompareCommand } from "../syntax/options.ts";
import { Console } from "../output/output.ts";
import { VERSION } from "../syntax/version.ts";

/** `cpd compare`: methods at several sizes, on several splits, side by side. */
export async function runCompare(command: CompareCommand): Promise<void> {
  const console = new Console(command.quiet);
  checkOutput(command.output, command.force, sourcesOf(command));
  const pool = await loadPool(command.inputs, await loadOptions(command, false), console);
  const backend = await openBackend(command, console);
  try {
    const { features, entries } = await featuresOf(command, pool, backend, console);
    const input = comparePool(command, entries, features, console);
    const total = countTrials(input, command);
    const report = console.progress("Selections", total, "done");
    const options = { ...command, stratified: command.stratify !== null };
    const found = await compare(input, options, backend, (done) => {
      report(done);
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
    });
    const summary = summarise(command, input, found);
    await write(command, found, summary);
    if (input.energy && summary.verdict.length === 0) {
      console.warn("no verdict: random is not among the methods, or there is nothing beside it");
    }
    for (const line of summary.verdict) console.say(line);
    if (command.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    else process.stdout.write(terminalTable(summary));
    console.say(`Compared ${total} selections; wrote ${command.output}/`);
  } finally {
    await backend.close();
    await pool.dispose();
  }
}

/** The frames that are no isolated atoms, and their features. */
async function featuresOf(
  command: CompareCommand,
  pool: PoolOfFrames,
  backend: Awaited<ReturnType<typeof openBackend>>,
  console: Console,
): Promise<{ features: Matrix; entries: readonly FrameEntry[] }> {
  const opened = command.features === null ? openModel(command, pool, console) : null;
  const left = withoutIsolatedAtoms(pool, "left out", console);
  const features = opened
    ? await describePool(left, opened.model, opened.bytes, command, backend, console)
    : readFeatures(command.features!, pool, left);
  return { features, entries: left.entries };
}

/** Labels, strata and groups of the frames, said on the console. */
function comparePool(
  { stratify, groupBy, energyKey }: CompareCommand,
  entries: readonly FrameEntry[],
  features: Matrix,
  console: Console,
): ComparePool {
  const volume = Float64Array.from(entries, (entry) => entry.volume);
  const strata = stratify === null || stratify === "auto"
    ? autoStrata(entries.map(({ formula }) => formula), volume)
    : valuesOf(stratify, "--stratify", entries);
  const energy = energiesOf(energyKey, entries, console);
  if (!energy) {
    console.warn(
      "no energies in every frame (names of cpd help units; --energy-key takes another name): " +
        "coverage only, nothing is fitted",
    );
  }
  return { frames: entries, features, volume, strata, energy, groups: groupsOf(groupBy, entries) };
}

type Summary = ReturnType<typeof summarise>;

/** Means over splits and seeds, and what they say about each method. */
function summarise(command: CompareCommand, input: ComparePool, { trials, splits }: Comparison) {
  const mean = (values: readonly number[]) => values.reduce((s, v) => s + v, 0) / values.length;
  const rows = command.methods.flatMap((method) =>
    command.sizes.map((size) => {
      const own = trials.filter((trial) => trial.method === method && trial.size === size);
      const perSplit = (value: (trial: typeof own[number]) => number) =>
        splits.map((_, s) => mean(own.filter(({ split }) => split === s).map(value)));
      // What the seed alone does, where there are several.
      const perSeed = (value: (trial: typeof own[number]) => number) =>
        splits.map((_, s) => deviation(own.filter(({ split }) => split === s).map(value)));
      const errors = input.energy && {
        krr_rmse: perSplit(({ errors }) => errors!.krr.rmse),
        krr_within: perSplit(({ errors }) => errors!.krr.within),
        ridge_rmse: perSplit(({ errors }) => errors!.ridge.rmse),
        ridge_within: perSplit(({ errors }) => errors!.ridge.within),
        krr_seed_deviation: perSeed(({ errors }) => errors!.krr.rmse),
      };
      return {
        method,
        size,
        errors,
        covering_radius: perSplit(({ coverage }) => coverage.coveringRadius),
        mean_distance: perSplit(({ coverage }) => coverage.meanDistance),
        feature_coverage: perSplit(({ coverage }) => coverage.featureCoverage),
        energy_distance: perSplit(({ coverage }) => coverage.energyDistance),
        test_distance: splits.some(({ test }) => test.length > 0)
          ? perSplit(({ leakage }) => leakage!.median)
          : null,
      };
    })
  );
  const curves: Curve[] = rows.flatMap(({ method, size, errors }) =>
    errors ? [{ method, size, errors: errors.krr_rmse }] : []
  );
  const testShare = mean(splits.map(({ pool, test }) => test.length / pool.length));
  const names = Object.keys(splits[0].fromPool);
  return {
    program: "cpd",
    version: VERSION,
    options: { ...command, seed: Number(command.seed) },
    n_frames: input.frames.length,
    n_pool: splits[0].pool.length,
    n_test: splits.map(({ test }) => test.length),
    decided_by: "logarithm of the RMSE of energies per atom by Gaussian kernel ridge regression, " +
      "mean over the sizes, paired with random",
    rows,
    from_pool: names.map((name) => ({
      name,
      rmse: splits.map(({ fromPool }) => fromPool[name]?.rmse ?? null),
      within: splits.map(({ fromPool }) => fromPool[name]?.within ?? null),
    })),
    contrasts: contrasts(curves, "random", testShare),
    verdict: verdict(curves, testShare),
  };
}

function terminalTable({ rows, from_pool, n_pool, options }: Summary): string {
  const mean = (values: readonly (number | null)[]) =>
    values.reduce((s: number, v) => s + (v ?? NaN), 0) / values.length;
  const meV = (values: readonly (number | null)[] | undefined) =>
    values ? (1000 * mean(values)).toFixed(1) : "";
  const seedDeviation = (method: Method, errors: Summary["rows"][number]["errors"]) =>
    errors && seedsOf(method, options.seeds) > 1 ? `±${meV(errors.krr_seed_deviation)}` : "";
  const head = [
    ...["method", "N", "krr", "seeds", "within", "ridge", "within"],
    ...["cov. radius", "feature cov."],
  ];
  const body = [
    ...rows.map(({ method, size, errors, covering_radius, feature_coverage }) => [
      ...[method, String(size), meV(errors?.krr_rmse)],
      ...[seedDeviation(method, errors), meV(errors?.krr_within)],
      ...[meV(errors?.ridge_rmse), meV(errors?.ridge_within)],
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
    ? "Errors of energies on held-out frames, meV/atom; seeds: deviation over the seeds\n"
    : "";
  return `${note}${textTable([head, ...body]).join("\n")}\n`;
}

/** One line per selection. */
function trialsTable({ trials }: Comparison): string {
  const columns = Object.keys(trials[0].coverage) as (keyof typeof trials[0]["coverage"])[];
  const errors = ["krr_rmse", "krr_within", "ridge_rmse", "ridge_within"];
  const lines = trials.map(({ split, seed, method, size, coverage, leakage, errors: e }) => {
    const found = e ? [e.krr.rmse, e.krr.within, e.ridge.rmse, e.ridge.within] : ["", "", "", ""];
    const near = leakage ? [leakage.least, leakage.median] : ["", ""];
    const covered = columns.map((c) => coverage[c]);
    return csvLine([split, seed, method, size, ...found, ...covered, ...near]);
  });
  const snake = columns.map((c) => c.replace(/([A-Z]|\d+)/g, (part) => `_${part.toLowerCase()}`));
  const near = ["test_distance_least", "test_distance_median"];
  const head = csvLine(["split", "seed", "method", "size", ...errors, ...snake, ...near]);
  return head + lines.join("");
}

/** Figures by the name of their file: learning curves, coverage, and what each method chose. */
function drawFigures({ rows }: Summary, { panels }: Comparison) {
  const measured = (value: (row: Summary["rows"][number]) => readonly number[]) =>
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
  return {
    curves: [
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
const OPTIONAL = /^(panel_.*|learning_curves)\.svg$/;

function write(command: CompareCommand, found: Comparison, summary: Summary): Promise<void> {
  return publish(command.output, OPTIONAL, (folder) => {
    const save = (name: string, content: string) => writeFileSync(join(folder, name), content);
    save("compare.csv", trialsTable(found));
    save("compare.json", `${JSON.stringify(summary, null, 2)}\n`);
    const { curves, panels } = drawFigures(summary, found);
    for (const [file, , svg] of [...curves, ...panels]) save(`${file}.svg`, svg);
    const captioned = (list: typeof curves) =>
      list.map(([, caption, svg]): [string, string] => [caption, svg]);
    const { verdict } = summary;
    const table = terminalTable(summary);
    save("report.html", formatComparison(verdict, table, captioned(curves), captioned(panels)));
  });
}
