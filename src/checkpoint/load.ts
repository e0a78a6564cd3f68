import { readFileSync, statSync } from "node:fs";
import { WeightsError } from "../errors.ts";
import type { DescriptorModel } from "../model/descriptor_model.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { isArchive } from "./archive.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { maceModel } from "./mace_checkpoint.ts";
import { readMaceFile } from "./mace_file.ts";
import { openTorchFile, readModules } from "./modules.ts";
import { holdsSchnet, schnetModel } from "./schnet_checkpoint.ts";
import { readWeights } from "./weights.ts";

const MAX_BYTES = 2 ** 31 - 1;

/** Reads a MACE checkpoint, by content: a torch archive or exported safetensors. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  if (isArchive(bytes)) return readMaceFile(openTorchFile(bytes));
  if (bytes.length >= 9 && bytes[8] === 0x7B) return readWeights(bytes);
  if (bytes[0] === 0x3C) throw new WeightsError("it is an HTML page, download the file again");
  throw new WeightsError("it is neither a torch checkpoint nor exported weights (.safetensors)");
}

/** Reads a model from the bytes of a file: MACE, or the SchNet representation of a schnetpack checkpoint.
 * @throws {WeightsError} saying what is wrong with them */
export function readModel(bytes: Uint8Array): DescriptorModel {
  const file = isArchive(bytes) ? openTorchFile(bytes) : null;
  if (file === null || file.root instanceof Map) return maceModel(readCheckpoint(bytes));
  const tree = readModules(file);
  return holdsSchnet(tree) ? schnetModel(tree) : maceModel(readCheckpoint(bytes));
}

/** Loads a model from a file.
 * @throws {WeightsError} naming the file, what is wrong with it and what to do */
export function loadModel(path: string): { model: DescriptorModel; bytes: Uint8Array } {
  return naming(path, readModel);
}

/** Loads a MACE model and its checkpoint from a file.
 * @throws {WeightsError} as `loadModel` */
export function loadMace(
  path: string,
): { model: MaceModel; checkpoint: Checkpoint; bytes: Uint8Array } {
  const { model: { model, checkpoint }, bytes } = naming(path, (bytes) => {
    const checkpoint = readCheckpoint(bytes);
    return { model: maceModel(checkpoint), checkpoint };
  });
  return { model, checkpoint, bytes };
}

/** Reads a file; what is wrong with it is said with its name. */
function naming<M>(
  path: string,
  read: (bytes: Uint8Array) => M,
): { model: M; bytes: Uint8Array } {
  const bytes = readBytes(path);
  try {
    return { model: read(bytes), bytes };
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new WeightsError(`Cannot use model "${path}": ${error.message}`);
  }
}

function readBytes(path: string): Uint8Array {
  let size: number;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new WeightsError(`Cannot use model "${path}": it is a directory`);
    size = stat.size;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(`Cannot use model "${path}": no such file`);
  }
  if (size > MAX_BYTES) {
    throw new WeightsError(`Cannot use model "${path}": it is ${size} bytes long`);
  }
  return readFileSync(path);
}
