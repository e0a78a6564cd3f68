import type { Tensor } from "./tensors.ts";
import { WeightsError } from "../errors.ts";

/**
 * What a checkpoint holds, whatever its container: named tensors and the few settings that are not
 * tensors. `.model`, state dict and exported weights are all read into this record.
 */
export interface Checkpoint {
  /** Tensors by their names in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What the file says besides tensors. */
  readonly config: CheckpointConfig;
}

/** Classes and settings of a checkpoint. */
export interface CheckpointConfig {
  /** Class of the model, such as `ScaleShiftMACE`. */
  readonly modelClass: string;
  /** Class of each interaction block. */
  readonly interactionClasses: readonly string[];
  /** One per interaction. */
  readonly avgNumNeighbors: readonly number[];
  /** Names of the readout heads. */
  readonly heads: readonly string[];
  /** κ of silu. */
  readonly siluScale: number;
  /** Number of elements the weights are normalised by. */
  readonly elementNormalizer: number;
}

/** The tensor of that name.
 * @throws {WeightsError} if it is missing or its size is not `count` */
export function tensor(checkpoint: Checkpoint, name: string, count?: number): Tensor {
  const found = checkpoint.tensors.get(name);
  if (!found) throw new WeightsError(`there is no tensor "${name}"`);
  if (count !== undefined && found.data.length !== count) {
    throw new WeightsError(
      `tensor "${name}" holds ${found.data.length} numbers, expected ${count}`,
    );
  }
  return found;
}

/** The single number of a scalar tensor. */
export function scalar(checkpoint: Checkpoint, name: string): number {
  return tensor(checkpoint, name, 1).data[0];
}

/** Numbers of the tensor of that name. */
export function numbers(checkpoint: Checkpoint, name: string, count?: number): Float64Array {
  return tensor(checkpoint, name, count).data;
}
