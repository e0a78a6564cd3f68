import { rmSync } from "node:fs";
import { join } from "node:path";
import { isArchive } from "../../checkpoint/archive.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { exportWeights } from "../../checkpoint/export.ts";
import { replaceTensors } from "../../checkpoint/replace_tensors.ts";
import { weightsByName } from "../../checkpoint/weight_names.ts";
import { formatWeights } from "../../checkpoint/weights.ts";
import type { Build } from "../../cpu/memory.ts";
import type { Suspect } from "../../evaluate/suspects.ts";
import type { Frame } from "../../frame.ts";
import { csvLine } from "../../io/table.ts";
import type { ModelWeights } from "../../model/model_weights.ts";
import type { Epoch } from "../../train/fit.ts";
import type { SavedState } from "../../train/saved_state.ts";
import { type Course, readRestart, RESTART, saveWhole, writeRestart } from "./restart_folder.ts";

const FORMAT = "cpd-restart";

/** What a training writes. */
const WRITTEN = [
  ...[
    "model.model",
    "model.safetensors",
    "last.model",
    "last.safetensors",
    "loss.csv",
    "split.csv",
  ],
  ...[RESTART, "report.json", "report.html", "figures"],
];

/** Removes what another training left, before one begins anew. */
export function clearTraining(folder: string): void {
  for (const name of WRITTEN) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Order of frames by their files and their places in them. */
export const byName = new Intl.Collator("en", { numeric: true }).compare;

/** Writes which frame is trained on, validated on, or replayed. */
export function writeSplit(
  folder: string,
  { train, valid }: {
    readonly train: readonly { readonly frame: Frame; readonly replayed: boolean }[];
    readonly valid: readonly { readonly frame: Frame }[];
  },
): void {
  const rows = [
    ...train.map(({ frame, replayed }) => [frame.id, replayed ? "replay" : "train"]),
    ...valid.map(({ frame }) => [frame.id, "valid"]),
  ].sort(([a], [b]) => byName(a, b));
  saveWhole(folder, "split.csv", csvLine(["id", "role"]) + rows.map(csvLine).join(""));
}

/** Writes what is needed to go on. */
export function writeTrainingRestart(
  folder: string,
  { arrays, numbers }: SavedState,
  course: Course,
  found: readonly Suspect[],
  build: Build | null,
): void {
  const metadata = { numbers: JSON.stringify(numbers), suspects: JSON.stringify(found) };
  writeRestart(folder, FORMAT, { arrays, course, build, metadata });
}

/** Reads what `writeTrainingRestart` wrote: the state, and the labels that looked wrong.
 * @throws {UsageError} if it is damaged, or of a training that took another course */
export function readTrainingRestart(
  folder: string,
  course: Course,
): { saved: SavedState; found: Suspect[] } {
  const { arrays, metadata } = readRestart(folder, FORMAT, course);
  return {
    saved: { arrays, numbers: JSON.parse(metadata.numbers) },
    found: JSON.parse(metadata.suspects),
  };
}

/** The checkpoint that a training starts from, and how its weights are written back. */
export interface StartingPoint {
  readonly checkpoint: Checkpoint;
  readonly bytes: Uint8Array;
}

/** Numbers of the trained model by the names of the checkpoint. */
function trainedNumbers(
  { checkpoint }: StartingPoint,
  weights: ModelWeights,
  atomicEnergies: Float64Array,
): Map<string, Float64Array> {
  const numbers = weightsByName(checkpoint, weights);
  numbers.set("atomic_energies_fn.atomic_energies", atomicEnergies);
  return numbers;
}

/** Whether a checkpoint can be written back as what it is; exported weights cannot. */
export function isTorchFile({ bytes }: StartingPoint): boolean {
  return isArchive(bytes);
}

/** Writes the torch file with the trained numbers. */
export function writeTorchModel(
  folder: string,
  name: string,
  start: StartingPoint,
  weights: ModelWeights,
  atomicEnergies: Float64Array,
): void {
  const numbers = trainedNumbers(start, weights, atomicEnergies);
  saveWhole(folder, name, replaceTensors(start.bytes, numbers));
}

/** Writes the trained weights in their compact form. */
export function writeWeights(
  folder: string,
  name: string,
  { checkpoint, bytes }: StartingPoint,
  weights: ModelWeights,
  atomicEnergies: Float64Array,
  recipe: unknown,
): void {
  const tensors = new Map(checkpoint.tensors);
  const numbers = trainedNumbers({ checkpoint, bytes }, weights, atomicEnergies);
  for (const [key, data] of numbers) tensors.set(key, { ...tensors.get(key)!, data });
  const trained = { config: checkpoint.config, tensors };
  const compact = tensors.has("l_max") ? trained : exportWeights(trained, null);
  saveWhole(folder, name, formatWeights(compact, recipe));
}

const COLUMNS = "epoch,learning_rate,loss,energy_rmse,forces_rmse,stress_rmse,valid_loss," +
  "valid_energy_rmse,valid_forces_rmse,valid_stress_rmse,gradient_norm,seconds";

/** Writes the table of losses: meV/atom, meV/Å, meV/Å³. */
export function writeLosses(folder: string, epochs: readonly Epoch[]): void {
  const cell = (x: number) => Number.isFinite(x) ? x : "";
  const rows = epochs.map(({ train, valid, ...row }) =>
    csvLine(
      [
        ...[row.epoch, row.learningRate, row.loss],
        ...[train.energy, train.forces, train.stress].map((x) => 1000 * x),
        row.validLoss,
        ...[valid.energy, valid.forces, valid.stress].map((x) => 1000 * x),
        ...[row.gradientNorm, Number(row.seconds.toFixed(3))],
      ].map(cell),
    )
  );
  saveWhole(folder, "loss.csv", csvLine(COLUMNS.split(",")) + rows.join(""));
}
