import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "../../backend.ts";
import { energyCause, forceCause, stressCause } from "../../evaluate/cause.ts";
import { energyError, type EnergyShift } from "../../evaluate/energy_shift.ts";
import { mae, relativeRmse, rmse } from "../../evaluate/error_sums.ts";
import { evaluate, type Evaluation } from "../../evaluate/evaluation.ts";
import type { FrameErrors } from "../../evaluate/frame_errors.ts";
import type { ParityPoints } from "../../evaluate/parity.ts";
import { chemicalSymbol } from "../../frame.ts";
import { csvLine } from "../../io/table.ts";
import {
  errorTable,
  evaluationPage,
  formatEvaluation,
  parityFigures,
  type WorstFrame,
} from "../../report/evaluation.ts";
import type { LabelCensus } from "../input/labelled_frames.ts";
import type { PoolOfFrames } from "../input/load_pool.ts";
import type { EvaluateCommand } from "../syntax/options.ts";
import { jsonText } from "./json_text.ts";
import type { Stopwatch } from "./output.ts";
import type { ModelUsed } from "./results.ts";
import { runFacts } from "./run_facts.ts";

/** A finished evaluation and all that led to it. */
export interface EvaluationFiles {
  readonly command: EvaluateCommand;
  readonly pool: PoolOfFrames;
  readonly backend: Backend;
  readonly model: ModelUsed;
  readonly frames: readonly FrameErrors[];
  readonly parities: Readonly<Record<"energy" | "forces" | "stress", ParityPoints>>;
  readonly shift: EnergyShift;
  readonly census: LabelCensus;
  /** Key by which frames are grouped, or null. */
  readonly groupKey: string | null;
}

/** Frames named for each quantity. */
const NAMED = 3;

/** Writes every file of an evaluation but `evaluate.xyz`; returns what goes to the terminal. */
export function writeEvaluation(
  files: EvaluationFiles,
  folder: string,
  watch: Stopwatch,
  warnings: readonly string[],
): string {
  const { command, pool, backend, frames, shift, groupKey } = files;
  const save = (name: string, content: string) => writeFileSync(join(folder, name), content);
  const evaluation = evaluate(frames, shift);
  const worst = worstFrames(frames, shift);
  const rows = errorTable(evaluation, groupKey);
  save("evaluate.csv", framesTable(frames, shift));
  const summary = summaryOf(files, evaluation, worst);
  save("evaluate.json", jsonText(summary));
  const facts = runFacts(backend, pool);
  watch.lap("write");
  const { energyShift: _, ...options } = command;
  save(
    "report.json",
    jsonText({
      ...facts,
      options: { ...options, energyShift: summary.energy_shift },
      model: files.model,
      n_frames: frames.length,
      left_out: pool.leftOut,
      ...(pool.filter !== null && { filter: pool.filter }),
      evaluation: summary,
      warnings,
      seconds: watch.seconds,
    }),
  );
  const figures = parityFigures(files.parities);
  mkdirSync(join(folder, "figures"));
  for (const { name, figure: [, svg] } of figures) save(`figures/${name}.svg`, svg);
  const told: [string, string][] = [
    ["model", `${files.model.name} (SHA-256 ${files.model.sha256})`],
    ["frames", String(frames.length)],
    ["backend", `${facts.backend}, ${facts.backend_description}`],
    ["command", facts.command],
    ...facts.inputs.map(({ file, sha256 }): [string, string] => [file, `SHA-256 ${sha256}`]),
  ];
  const notes = [...evaluation.notes, ...warnings];
  save(
    "report.html",
    evaluationPage(told, rows, worst, notes, figures.map(({ figure }) => figure)),
  );
  if (command.json) return jsonText(summary);
  // Without any label there is no error to tell.
  const labelled = Object.values(files.parities).some(({ count }) => count > 0);
  return labelled ? formatEvaluation(rows, worst, evaluation.notes) : "";
}

function summaryOf(
  { shift, census, groupKey }: EvaluationFiles,
  { all, groups, elements, notes }: Evaluation,
  worst: readonly WorstFrame[],
) {
  const byName = Object.fromEntries(groups.map(({ name, stats }) => [name, stats]));
  return {
    all,
    groups: groupKey === null ? {} : { [groupKey]: byName },
    elements: Object.fromEntries(
      [...elements].map(([z, sums]) => [chemicalSymbol(z), {
        forces_rmse: 1000 * rmse(sums),
        forces_mae: 1000 * mae(sums),
        forces_relative: sums.label > 0 ? relativeRmse(sums) : null,
      }]),
    ),
    labels: census.counts(),
    energy_shift: Object.fromEntries(
      [...shift].map(([z, e]) => [z === 0 ? "all" : chemicalSymbol(z), e]),
    ),
    worst,
    notes,
  };
}

/** The frames with the largest errors, and a probable cause of each. */
function worstFrames(frames: readonly FrameErrors[], shift: EnergyShift): WorstFrame[] {
  const candidates = frames.filter(({ isolated }) => !isolated);
  const worst = (
    quantity: WorstFrame["quantity"],
    error: (frame: FrameErrors) => number,
    unit: string,
    cause: (frame: FrameErrors) => string | null,
  ): WorstFrame[] =>
    candidates.map((frame) => ({ frame, value: error(frame) }))
      .filter(({ value }) => Number.isFinite(value))
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
      .slice(0, NAMED)
      .map(({ frame, value }) => ({
        quantity,
        frame: frame.id,
        error: `${(1000 * value).toPrecision(4)} ${unit}`,
        cause: cause(frame),
      }));
  const root = (key: "forces" | "stress") => (frame: FrameErrors) =>
    frame[key] ? rmse(frame[key]) : NaN;
  return [
    ...worst("energy", (frame) => energyError(frame, shift), "meV/atom", energyCause),
    ...worst("forces", root("forces"), "meV/Å", forceCause),
    ...worst("stress", root("stress"), "meV/Å³", stressCause),
  ];
}

const COLUMNS = "id,file,index,n_atoms,formula,energy,energy_label,energy_error,forces_rmse," +
  "forces_mae,stress_rmse,pressure,pressure_label";

function framesTable(frames: readonly FrameErrors[], shift: EnergyShift): string {
  const cell = (value: number | null) => value === null || Number.isNaN(value) ? "" : value;
  const lines = frames.map((frame) => {
    const { id, file, index, nAtoms, formula, energy, energyLabel, forces, stress } = frame;
    return csvLine([
      ...[id, file, index, nAtoms, formula, energy, cell(energyLabel)],
      cell(1000 * energyError(frame, shift)),
      ...[forces && 1000 * rmse(forces), forces && 1000 * mae(forces)].map(cell),
      cell(stress && 1000 * rmse(stress)),
      ...[cell(frame.pressure), cell(frame.pressureLabel)],
    ]);
  });
  return csvLine(COLUMNS.split(",")) + lines.join("");
}
