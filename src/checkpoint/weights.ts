import { WeightsError } from "../errors.ts";
import type { Checkpoint, CheckpointConfig } from "./checkpoint.ts";
import { formatTensors, parseJson, readTensors } from "./safetensors.ts";

/** Exported weights: a safetensors file whose metadata holds the settings that are not tensors. */
const FORMAT = "cpd-mace";
const VERSION = "1";

/** Writes a checkpoint as safetensors; tensors keep the precision of their source.
 * @param recipe how the weights were made, kept in the metadata */
export function formatWeights(checkpoint: Checkpoint, recipe?: unknown): Uint8Array {
  return formatTensors(checkpoint.tensors, {
    format: FORMAT,
    version: VERSION,
    units: "eV, Å",
    config: JSON.stringify(checkpoint.config),
    ...(recipe !== undefined && { recipe: JSON.stringify(recipe) }),
  });
}

/** Reads exported weights.
 * @throws {WeightsError} if the file is damaged, of another format, or of a newer version */
export function readWeights(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readTensors(bytes);
  if (metadata.format !== FORMAT) {
    throw new WeightsError("it is a safetensors file, but not one that cpd model export wrote");
  }
  if (metadata.version !== VERSION) {
    throw new WeightsError(
      `its format is version ${metadata.version}, this program reads ${VERSION}`,
    );
  }
  return { tensors, config: checkConfig(parseJson(String(metadata.config))) };
}

function checkConfig(config: Record<string, unknown>): CheckpointConfig {
  const { modelClass, interactionClasses, avgNumNeighbors, heads, siluScale, elementNormalizer } =
    config;
  const valid = typeof modelClass === "string" && Array.isArray(interactionClasses) &&
    Array.isArray(avgNumNeighbors) && Array.isArray(heads) && heads.length > 0 &&
    typeof siluScale === "number" && typeof elementNormalizer === "number" && elementNormalizer > 0;
  if (!valid) throw new WeightsError("its settings are incomplete");
  return {
    modelClass,
    interactionClasses: interactionClasses.map(String),
    avgNumNeighbors: avgNumNeighbors.map((n) => (n === null ? NaN : Number(n))),
    heads: heads.map(String),
    siluScale,
    elementNormalizer,
  };
}
