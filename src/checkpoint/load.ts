import { readFileSync, statSync } from "node:fs";
import { WeightsError } from "../errors.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { isArchive } from "./archive.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { maceModel } from "./mace_checkpoint.ts";
import { readModelFile } from "./model_file.ts";
import { readWeights } from "./weights.ts";

const MAX_BYTES = 2 ** 31 - 1;

/** Reads a checkpoint, by content: a torch archive or exported safetensors. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  if (isArchive(bytes)) return readModelFile(bytes);
  if (bytes.length >= 9 && bytes[8] === 0x7B) return readWeights(bytes);
  if (bytes[0] === 0x3C) throw new WeightsError("it is an HTML page, download the file again");
  throw new WeightsError("it is neither a torch checkpoint nor exported weights (.safetensors)");
}

/** Loads a MACE model from a file.
 * @throws {WeightsError} naming the file, what is wrong with it and what to do */
export function loadModel(
  path: string,
): { model: MaceModel; checkpoint: Checkpoint; bytes: Uint8Array } {
  const bytes = readBytes(path);
  try {
    const checkpoint = readCheckpoint(bytes);
    return { model: maceModel(checkpoint), checkpoint, bytes };
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
