import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { averagesOf } from "../../analyze/averages.ts";
import { COLUMNS, type FrameFacts } from "../../analyze/frame_facts.ts";
import type { PairSums, PairTable } from "../../analyze/pair_sums.ts";
import type { Measured, Transport } from "../../analyze/transport.ts";
import { csvLine } from "../../io/table.ts";
import { analysisFigures, type AnalyzedGroup } from "../../report/analysis_figures.ts";
import { analysisPage, averageTable, diffusionLines } from "../../report/analysis.ts";
import { textTable } from "../../report/text_table.ts";
import type { PoolOfFrames } from "../input/load_pool.ts";
import type { OverlayPoint } from "../input/overlay.ts";
import type { AnalyzeCommand } from "../syntax/analyze_options.ts";
import { jsonText } from "./json_text.ts";
import type { Stopwatch } from "./output.ts";
import { programFacts } from "./run_facts.ts";

/** A finished analysis and all that led to it. */
export interface AnalysisFiles {
  readonly command: AnalyzeCommand;
  readonly pool: PoolOfFrames;
  readonly facts: readonly FrameFacts[];
  readonly pairs: ReadonlyMap<string, PairSums>;
  readonly transports: readonly Transport[];
  readonly overlay: readonly OverlayPoint[];
}

/** Writes every file of an analysis; returns what goes to the terminal. */
export function writeAnalysis(
  files: AnalysisFiles,
  folder: string,
  { watch, warnings }: { readonly watch: Stopwatch; readonly warnings: readonly string[] },
): string {
  const { command, pool, facts, pairs, transports, overlay } = files;
  const save = (name: string, content: string) => writeFileSync(join(folder, name), content);
  const groups: AnalyzedGroup[] = [...Map.groupBy(facts, ({ group }) => group)].map((
    [name, frames],
  ) => ({
    ...{ name, frames, averages: averagesOf(frames) },
    pairs: pairs.get(name)?.table() ?? null,
  }));
  save("frames.csv", framesTable(facts));
  const tables = groups.flatMap(({ name, pairs }) => pairs ? [[name, pairs] as const] : []);
  if (tables.length > 0) save("rdf.csv", pairsTable(tables, command.groupBy !== null));
  if (transports.length > 0) save("motion.csv", motionTable(transports));
  const vibrating = transports.filter(({ vibrations }) => vibrations !== null);
  if (vibrating.length > 0) save("vibrations.csv", vibrationsTable(vibrating));
  const summary = summaryOf(files, groups);
  save("analyze.json", jsonText(summary));
  const told = programFacts(pool);
  watch.lap("write");
  save(
    "report.json",
    jsonText({
      ...told,
      options: command,
      n_frames: facts.length,
      left_out: pool.leftOut,
      ...(pool.filter !== null && { filter: pool.filter }),
      analysis: summary,
      warnings,
      seconds: watch.seconds,
    }),
  );
  const figures = analysisFigures(groups, transports, overlay, command.groupBy);
  mkdirSync(join(folder, "figures"));
  for (const { name, figure: [, svg] } of figures) save(`figures/${name}.svg`, svg);
  const all = averagesOf(facts);
  const rows = averageTable(all, facts.length, command.groupBy === null ? [] : groups);
  const lines = diffusionLines(transports);
  const run: [string, string][] = [
    ["frames", String(facts.length)],
    ["command", told.command],
    ...told.inputs.map(({ file, sha256 }): [string, string] => [file, `SHA-256 ${sha256}`]),
  ];
  save(
    "report.html",
    analysisPage(run, rows, [...lines, ...warnings], figures.map(({ figure }) => figure)),
  );
  return command.json ? jsonText(summary) : [...textTable(rows), ...lines, ""].join("\n");
}

function summaryOf(
  { command: { groupBy }, facts, transports }: AnalysisFiles,
  groups: readonly AnalyzedGroup[],
) {
  const of = (frames: readonly FrameFacts[], averages: AnalyzedGroup["averages"]) => ({
    frames: frames.length,
    columns: averages,
  });
  const measured = (coefficient: Measured | null) => coefficient ?? undefined;
  return {
    all: of(facts, averagesOf(facts)),
    groups: groupBy === null ? {} : {
      [groupBy]: Object.fromEntries(
        groups.map(({ name, frames, averages }) => [name, of(frames, averages)]),
      ),
    },
    trajectories: transports.map(({ file, group, frames, diffusion }) => ({
      ...{ file, ...(groupBy !== null && { group }), frames },
      diffusion_msd: measured(diffusion.msd),
      diffusion_vacf: measured(diffusion.vacf),
    })),
  };
}

/** Numbers that do not apply are left empty. */
function cell(value: number): string | number {
  return Number.isNaN(value) ? "" : value;
}

function framesTable(facts: readonly FrameFacts[]): string {
  const head = ["id", "file", "index", "n_atoms", "formula", ...Object.keys(COLUMNS)];
  const rows = facts.map((frame) =>
    csvLine([
      ...[frame.id, frame.file, frame.index, frame.nAtoms, frame.formula],
      ...Object.values(COLUMNS).map((key) => cell(frame[key])),
    ])
  );
  return csvLine(head) + rows.join("");
}

function pairsTable(tables: readonly (readonly [string, PairTable])[], grouped: boolean): string {
  const names = [...tables[0][1].pairs.keys()];
  const head = ["r", "g", "coordination", ...names.map((name) => `g_${name}`)];
  const rows = tables.flatMap(([group, { r, g, coordination, pairs }]) =>
    Array.from(r, (x, k) =>
      csvLine([
        ...(grouped ? [group] : []),
        ...[Number(x.toFixed(6)), cell(g[k]), coordination[k]],
        ...names.map((name) => cell(pairs.get(name)![k])),
      ]))
  );
  return csvLine([...(grouped ? ["group"] : []), ...head]) + rows.join("");
}

function motionTable(transports: readonly Transport[]): string {
  const rows = transports.flatMap(({ file, group, times, msd, vacf }) =>
    Array.from(times, (time, t) => csvLine([file, group, time, msd[t], vacf ? vacf[t] : ""]))
  );
  return csvLine(["file", "group", "time", "msd", "vacf"]) + rows.join("");
}

function vibrationsTable(transports: readonly Transport[]): string {
  const rows = transports.flatMap(({ file, group, vibrations }) =>
    Array.from(vibrations!.wavenumbers, (x, k) => csvLine([file, group, x, vibrations!.density[k]]))
  );
  return csvLine(["file", "group", "wavenumber", "density_of_states"]) + rows.join("");
}
