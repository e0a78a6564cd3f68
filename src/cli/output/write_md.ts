import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "../../backend.ts";
import { mdPage, type MdSummary, runFigures, runTable, type ThermoTable } from "../../report/md.ts";
import { summaryOf } from "../../report/md_summary.ts";
import { textTable } from "../../report/text_table.ts";
import type { PoolOfFrames } from "../input/load_pool.ts";
import type { MdCommand } from "../syntax/md_options.ts";
import type { MdRun } from "./md_restart.ts";
import { jsonText } from "./json_text.ts";
import type { Stopwatch } from "./output.ts";
import { saveWhole } from "./restart_folder.ts";
import type { ModelUsed } from "./results.ts";
import { runFacts } from "./run_facts.ts";

/** Finished dynamics and all that led to it. */
export interface MdFiles {
  readonly command: MdCommand;
  readonly pool: PoolOfFrames;
  readonly backend: Backend;
  readonly model: ModelUsed;
  readonly runs: readonly MdRun[];
}

/** Writes the reports of dynamics; returns what goes to the terminal. */
export function writeMd(
  { command, pool, backend, model, runs }: MdFiles,
  watch: Stopwatch,
  warnings: readonly string[],
): string {
  const { output, equilibrate } = command;
  const tables = runs.map(({ name, folder }) => ({
    name: name || "run",
    columns: readThermo(join(folder, "thermo.csv")),
  }));
  const summaries: MdSummary[] = tables.map(({ name, columns }, i) =>
    summaryOf(name, columns, equilibrate, runs[i].replica.state.masses.length, runs[i].stopped)
  );
  const facts = runFacts(backend, pool);
  watch.lap("write");
  const { seed, ...options } = command;
  saveWhole(
    output,
    "report.json",
    jsonText({
      ...facts,
      options: { ...options, seed: String(seed) },
      model,
      runs: summaries,
      warnings,
      seconds: watch.seconds,
    }),
  );
  const figures = runFigures(tables);
  rmSync(join(output, "figures"), { recursive: true, force: true });
  mkdirSync(join(output, "figures"));
  for (const { name, figure: [, svg] } of figures) saveWhole(output, `figures/${name}.svg`, svg);
  const rows = runTable(summaries);
  const told: [string, string][] = [
    ["model", `${model.name} (SHA-256 ${model.sha256})`],
    ["backend", `${facts.backend}, ${facts.backend_description}`],
    ["command", facts.command],
    ...facts.inputs.map(({ file, sha256 }): [string, string] => [file, `SHA-256 ${sha256}`]),
  ];
  const page = mdPage(told, rows, warnings, figures.map(({ figure }) => figure));
  saveWhole(output, "report.html", page);
  return command.json ? jsonText({ runs: summaries }) : [...textTable(rows), ""].join("\n");
}

function readThermo(path: string): ThermoTable {
  const [head, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
    .map((line) => line.split(","));
  return new Map(
    head.map((name, i) => [
      name,
      rows.map((cells) => cells[i] === "" ? NaN : Number(cells[i])),
    ]),
  );
}
