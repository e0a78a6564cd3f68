import { gapsToChosen, gapsToRandom, type Occupancy } from "../../compare/coverage.ts";
import type { Frame } from "../../frame.ts";
import { readFrames } from "../../io/inputs.ts";
import { commonEnergyKey } from "../../io/labels.ts";
import {
  coverageFigure,
  densityFigure,
  mapFigure,
  occupancyFigure,
  radiusFigure,
  type ReportFigure,
  varianceFigure,
} from "../../report/figures.ts";
import { formatPage } from "../../report/page.ts";
import { CLOSE } from "../../select/close_calls.ts";
import { placesToShow, reportData } from "../../report/report_data.ts";
import { CITATIONS, citationsOf, METHOD_SENTENCES } from "../../report/texts.ts";
import { everyObjective } from "../../select/cutoff_radius.ts";
import type { RunReport } from "./run_report.ts";
import { type Results, uniqueFrames } from "./results.ts";

/** Every figure of a run. */
export function drawFigures(results: Results, report: RunReport): ReportFigure[] {
  const { command, result } = results;
  const { points, chosen } = uniqueFrames(results);
  const strata = Object.entries(report.occupancy).flatMap(([name, rows]) =>
    rows && rows.length > 1 ? [occupancyFigure(name, rows.map(named))] : []
  );
  const radius = result.search.radii[result.search.chosen];
  return [
    mapFigure(result),
    densityFigure(result),
    radiusFigure(result, everyObjective(result.search, command.isolationWeight), command.objective),
    varianceFigure(result),
    coverageFigure(gapsToChosen(points, chosen), gapsToRandom(points, chosen.length), radius),
    ...strata,
  ];
}

function named(row: { stratum: string; n_frames: number; n_chosen: number }): Occupancy {
  return { stratum: row.stratum, nFrames: row.n_frames, nChosen: row.n_chosen };
}

/** The page for people, with the structures that it has room for. */
export async function htmlReport(
  { pool, entries, input, result, command, model }: Results,
  report: RunReport,
  figures: readonly ReportFigure[],
): Promise<string> {
  const places = placesToShow(entries, result.rank);
  const structures: { place: number; frame: Frame }[] = [];
  for (const { name, path } of pool.files) {
    const own = places.filter((i) => entries[i].file === name);
    const placeOf = new Map(own.map((i) => [entries[i].index, i]));
    for await (const frame of readFrames(name, path, new Set(placeOf.keys()))) {
      structures.push({ place: placeOf.get(frame.index)!, frame });
    }
  }
  const options = {
    energyKey: command.energyKey ?? commonEnergyKey(entries),
    strata: input.strata,
  };
  const keys = citationsOf(command.method, model?.kind ?? null);
  return formatPage({
    title: `${report.n_selected} of ${report.n_frames} configurations`,
    facts: facts(report),
    warnings: report.warnings,
    figures,
    coverage: coverageRows(report),
    methods: methodsText(report, command.method),
    citations: keys.map((key) => CITATIONS[key]).join("\n\n"),
    command: report.command,
  }, reportData(entries, result, options, structures));
}

const DESCRIPTORS = { mace: "MACE", schnet: "SchNet", ace: "Atomic cluster expansion" } as const;

/** What was done, in sentences for a paper. */
function methodsText(report: RunReport, method: Results["command"]["method"]): string {
  const { options, model } = report;
  const explained = 100 * report.explained_variance.reduce((sum, v) => sum + v, 0);
  const described = model
    ? `${DESCRIPTORS[model.kind]} descriptors (${model.name}) of the atoms were ` +
      `pooled to one vector per configuration (${options.pooling})`
    : "Vectors from a file described the configurations";
  const search = options.radius === null
    ? `which maximises the objective ${report.radius_objective}`
    : "which was given";
  return `${report.n_selected} of ${report.n_frames} configurations were chosen with cpd ` +
    `${report.version}. ${described}, standardised (${options.standardization}) and reduced to ` +
    `${report.n_components} principal components (${
      explained.toFixed(1)
    } % of the variance). The ` +
    `density of a configuration is the number of others within r_c = ${
      report.radius.toPrecision(4)
    }, ${search}. ${METHOD_SENTENCES[method]} The seed was ${report.seed}.`;
}

function coverageRows({ coverage: { chosen, random } }: RunReport): [string, string, string][] {
  const row = (label: string, key: keyof typeof chosen): [string, string, string] => [
    label,
    chosen[key].toPrecision(3),
    random[key].toPrecision(3),
  ];
  return [
    row("covering radius (largest distance to a chosen frame)", "covering_radius"),
    row("mean distance to a chosen frame", "mean_distance"),
    row("95th percentile of that distance", "distance_95"),
    row("feature coverage (DIRECT, 100 bins)", "feature_coverage"),
    row("energy distance to the pool", "energy_distance"),
    row("entropy (QUESTS)", "entropy"),
    row("diversity (QUESTS)", "diversity"),
    row("overlap (QUESTS)", "overlap"),
  ];
}

/** Decisions that another backend, whose descriptors differ in their last digits, may take otherwise. */
function closeCalls({ close_calls }: RunReport): string {
  const named = close_calls.slice(0, NAMED).map(({ kind, frame }) => `${frame} (${kind})`);
  const more = close_calls.length > NAMED ? ", ..." : "";
  return close_calls.length === 0
    ? `none: no decision by less than ${CLOSE}`
    : `${close_calls.length} decisions by less than ${CLOSE}: ${named.join(", ")}${more}`;
}

/** Close calls named on the page; report.json names them all. */
const NAMED = 5;

function facts(report: RunReport): [string, string][] {
  const explained = report.explained_variance.reduce((sum, v) => sum + v, 0);
  const { central, peripheral } = report.pool_sizes;
  return [
    ["Method", report.method],
    ["Frames", `${report.n_selected} chosen of ${report.n_frames}`],
    ...(report.size_search
      ? [["Number of frames", report.size_search.reason] as [string, string]]
      : []),
    ...(report.filter ? [["Filter", report.filter] as [string, string]] : []),
    ["Duplicates left out", String(report.n_duplicates)],
    ["Useless frames left out", String(report.left_out.length)],
    ["Density radius r_c", `${report.radius.toPrecision(5)} (${report.radius_objective})`],
    ["Components", `${report.n_components}, ${(100 * explained).toFixed(2)} % of the variance`],
    ["Pools", `${central} central, ${peripheral} peripheral`],
    [
      "Model",
      report.model ? `${report.model.name}, sha256 ${report.model.sha256}` : "features file",
    ],
    ["Backend", `${report.backend}: ${report.backend_description}`],
    ["Seed", String(report.seed)],
    ["Close calls", closeCalls(report)],
    ["Program", `cpd ${report.version}, ${report.runtime}, ${report.platform}`],
    ...report.inputs.map((
      { file, sha256 },
    ): [string, string] => [`Input ${file}`, `sha256 ${sha256}`]),
  ];
}
