import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isArchive } from "../../checkpoint/archive.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { exportWeights } from "../../checkpoint/export.ts";
import { replaceTensors } from "../../checkpoint/replace_tensors.ts";
import { formatTensors, readTensors } from "../../checkpoint/safetensors.ts";
import { weightsByName } from "../../checkpoint/weight_names.ts";
import { formatWeights } from "../../checkpoint/weights.ts";
import type { Build } from "../../cpu/memory.ts";
import { UsageError, WeightsError } from "../../errors.ts";
import type { Suspect } from "../../evaluate/suspects.ts";
import type { Frame } from "../../frame.ts";
import { csvLine } from "../../io/table.ts";
import type { ModelWeights } from "../../model/model_weights.ts";
import type { Epoch } from "../../train/fit.ts";
import type { SavedState } from "../../train/saved_state.ts";

const RESTART = "restart";
const FORMAT = "cpd-restart";

/** Writes a file whole or not at all. */
function save(folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  try {
    writeFileSync(`${path}.partial`, content);
    renameSync(`${path}.partial`, path);
  } catch (error) {
    rmSync(`${path}.partial`, { force: true });
    throw Object.assign(error as Error, { path });
  }
}

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

/**
 * Keeps a folder for this process: two trainings in one would mix their files.
 *
 * @returns what gives it back
 * @throws {UsageError} if another process that lives has it
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const own = `${hostname()} ${process.pid}`;
  if (existsSync(path)) {
    const [host, pid] = readFileSync(path, "utf8").split(" ");
    const other = Number(pid) !== process.pid; // a container counts from 1 again
    if (other && host === hostname() && isAlive(Number(pid))) {
      throw new UsageError(`Cannot train into "${folder}": process ${pid} does; use another -o`);
    }
  }
  writeFileSync(path, own);
  return () => rmSync(path, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
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
  save(folder, "split.csv", csvLine(["id", "role"]) + rows.map(csvLine).join(""));
}

/** Whether a training was begun in a folder. */
export function holdsRestart(folder: string): boolean {
  return existsSync(join(folder, RESTART));
}

/** How the kernels of a training multiply and add, which is of no consequence but for the last bits; null where none
 * was begun, or by another backend. */
export function buildOf(folder: string): Build | null {
  if (!holdsRestart(folder)) return null;
  try {
    const { metadata } = readTensors(readFileSync(join(folder, RESTART)));
    return metadata.build === "plain" || metadata.build === "relaxed" ? metadata.build : null;
  } catch {
    // What is wrong with it is said where it is read.
    return null;
  }
}

/** What decides the course of a training, in words by name: a restart goes on only where all are equal. */
export type Course = Readonly<Record<string, string>>;

/** Writes what is needed to go on. */
export function writeRestart(
  folder: string,
  { arrays, numbers }: SavedState,
  course: Course,
  found: readonly Suspect[],
  build: Build | null,
): void {
  const tensors = new Map(
    [...arrays].map((
      [name, data],
    ) => [name, { dtype: "F64", shape: [data.length], data } as const]),
  );
  const metadata = {
    format: FORMAT,
    course: JSON.stringify(course),
    numbers: JSON.stringify(numbers),
    suspects: JSON.stringify(found),
    ...(build !== null && { build }),
  };
  save(folder, RESTART, formatTensors(tensors, metadata));
}

/** Reads what `writeRestart` wrote: the state, and the labels that looked wrong.
 * @throws {UsageError} if it is damaged, or of a training that took another course */
export function readRestart(
  folder: string,
  course: Course,
): { saved: SavedState; found: Suspect[] } {
  const path = join(folder, RESTART);
  const refuse = (why: string) =>
    new UsageError(`Cannot go on in "${folder}": ${why}; use --force to begin anew, or another -o`);
  let found;
  try {
    found = readTensors(readFileSync(path));
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw refuse(`${RESTART} is damaged`);
  }
  const { metadata, tensors } = found;
  if (metadata.format !== FORMAT) throw refuse(`${RESTART} is not one of cpd train`);
  const before = JSON.parse(String(metadata.course)) as Course;
  const names = [...new Set([...Object.keys(before), ...Object.keys(course)])];
  const other = names.find((name) => before[name] !== course[name]);
  if (other !== undefined) {
    const words = other.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    const short = (value = "none") => value.length > 20 ? `${value.slice(0, 20)}...` : value;
    throw refuse(
      `it was begun with another ${words} (${short(before[other])}, now ${short(course[other])})`,
    );
  }
  const arrays = new Map([...tensors].map(([name, { data }]) => [name, data]));
  return {
    saved: { arrays, numbers: JSON.parse(String(metadata.numbers)) },
    found: JSON.parse(String(metadata.suspects)),
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
  save(folder, name, replaceTensors(start.bytes, numbers));
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
  save(folder, name, formatWeights(compact, recipe));
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
  save(folder, "loss.csv", csvLine(COLUMNS.split(",")) + rows.join(""));
}
