import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Parity } from "../../evaluate/parity.ts";
import { type Prediction, stressOf } from "../../model/prediction.ts";
import { beforeAndAfter, lossFigures, trainingPage } from "../../report/training.ts";
import { textTable } from "../../report/text_table.ts";
import { type Rmse, rmseOf } from "../../train/errors.ts";
import { bestModel, type Epoch } from "../../train/fit.ts";
import type { LabelledFrame } from "../../train/trainer.ts";
import type { Training } from "../input/training.ts";
import { jsonText } from "./json_text.ts";
import type { Stopwatch } from "./output.ts";
import { runFacts } from "./run_facts.ts";

/** How the weights of an epoch were made, kept with them. */
export function recipeOf(
  { command, frames, start, backend, e0s, options: { moving: _, ...options } }: Training,
  { epoch, validLoss, valid }: Epoch,
) {
  return {
    program: runFacts(backend, frames.pools[0]).version,
    model: { name: start.name, sha256: start.sha256 },
    data: frames.pools.flatMap(({ files }) =>
      files.map(({ name, sha256 }) => ({ file: name, sha256 }))
    ),
    frames: { train: frames.train.length, valid: frames.valid.length },
    atomic_energies: e0s,
    options,
    train: command.train,
    elements: command.elements,
    head: start.whole.heads[start.head],
    labels: frames.labels,
    valid_from: command.valid,
    group_by: command.groupBy,
    where: command.where,
    order: command.order,
    replay: command.replay,
    seed: String(command.seed),
    epoch,
    valid_loss: validLoss,
    valid: inMilli(valid),
  };
}

/** Writes the report of a training; returns what goes to the terminal. */
export async function writeTraining(
  training: Training,
  watch: Stopwatch,
  warnings: readonly string[],
): Promise<string> {
  const { command, frames, start, backend, state, before, run, suspects } = training;
  const best = state.best!;
  const after = await run.predict(bestModel(state), frames.valid);
  const errors = [rmseOf(frames.valid, before), rmseOf(frames.valid, after)];
  const rows = errorRows(errors, best.epoch);
  const notes = [...notesOf(training), ...warnings];
  watch.lap("write");
  const recipe = recipeOf(training, state.epochs[best.epoch]);
  const facts = runFacts(backend, frames.pools[0]);
  const summary = {
    epochs: state.epochs.length - 1,
    best_epoch: best.epoch,
    before: inMilli(errors[0]),
    after: inMilli(errors[1]),
    atomic_energies: recipe.atomic_energies,
    suspects,
    labels: frames.labels,
  };
  const save = (name: string, content: string) => {
    writeFileSync(join(command.output, name), content);
  };
  save(
    "report.json",
    jsonText({ ...facts, recipe, training: summary, warnings, seconds: watch.seconds }),
  );
  const figures = [
    ...lossFigures(state.epochs, best.epoch),
    ...beforeAndAfter(parityOf(frames.valid, before), parityOf(frames.valid, after)),
  ];
  mkdirSync(join(command.output, "figures"), { recursive: true });
  for (const { name, figure: [, svg] } of figures) save(`figures/${name}.svg`, svg);
  const told: [string, string][] = [
    ["model", `${start.name} (SHA-256 ${start.sha256})`],
    ["backend", `${facts.backend}, ${facts.backend_description}`],
    ["command", facts.command],
    ...recipe.data.map(({ file, sha256 }): [string, string] => [file, `SHA-256 ${sha256}`]),
    ["recipe", JSON.stringify({ ...recipe, data: undefined, model: undefined })],
  ];
  const page = trainingPage(told, rows, suspects, notes, figures.map(({ figure }) => figure));
  save("report.html", page);
  const units = "E in meV/atom, F in meV/Å, S in meV/Å³, on the validation frames";
  return command.json
    ? jsonText(summary)
    : [...textTable(rows), units, ...notesOf(training), ""].join("\n");
}

function errorRows([before, after]: readonly Rmse[], best: number): string[][] {
  const cells = ({ energy, forces, stress }: Rmse) => {
    const cell = (x: number, decimals: number) =>
      Number.isFinite(x) ? (1000 * x).toFixed(decimals) : "";
    return [cell(energy, 2), cell(forces, 1), cell(stress, 2)];
  };
  return [
    ["validation", "RMSE E", "RMSE F", "RMSE S"],
    ["before", ...cells(before)],
    [`epoch ${best}`, ...cells(after)],
  ];
}

/** What the user should know of the outcome. */
function notesOf({ state, options, start }: Training): string[] {
  const last = state.epochs.length - 1;
  return [
    ...(state.best && state.epochs[state.best.epoch].validLoss > state.epochs[0].validLoss
      ? [
        "No epoch was better on the validation frames than the model before the first step: take a smaller " +
        "--learning-rate, see cpd help training",
      ]
      : []),
    ...(last < options.epochs
      ? [`Stopped after epoch ${last}: ${options.patience} epochs were no better`]
      : []),
    ...(start.bytes[0] === 0x50
      ? []
      : ["It began with exported weights: there is no .model to write back, only .safetensors"]),
  ];
}

function parityOf(frames: readonly LabelledFrame[], predictions: readonly Prediction[]) {
  const parity = { energy: new Parity(), forces: new Parity(), stress: new Parity() };
  frames.forEach(({ frame, labels }, f) => {
    const prediction = predictions[f];
    const n = frame.species.length;
    if (labels.energy !== null) parity.energy.add([labels.energy / n], [prediction.energy / n]);
    if (labels.forces) parity.forces.add(labels.forces, prediction.forces);
    const stress = labels.stress && stressOf(prediction, frame);
    if (stress) parity.stress.add(labels.stress!, stress);
  });
  return parity;
}

/** meV/atom, meV/Å, meV/Å³; null where nothing is labelled. */
function inMilli({ energy, forces, stress }: Rmse) {
  const milli = (x: number) => Number.isFinite(x) ? 1000 * x : null;
  return { energy_rmse: milli(energy), forces_rmse: milli(forces), stress_rmse: milli(stress) };
}
