import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { KNOWN_MODELS, type KnownModel, maceCacheName } from "../../checkpoint/known_models.ts";
import { WeightsError } from "../../errors.ts";
import { BUILT_IN_VERSION, builtInModel } from "../../model/built_in.ts";
import { dataFile } from "../../shipped_files.ts";
import { cacheFolder } from "./feature_cache.ts";

/** The model that ships with the program: pure hydrogen, good as a descriptor only. */
export const SHIPPED_MODEL = "hydrogen-small";

/** The descriptor for every element that needs no file. */
export const BUILT_IN_MODEL = "built-in";

/** The built-in model for a pool of some elements, and bytes that change where its numbers do. */
export function openBuiltIn(elements: readonly number[]) {
  const model = builtInModel(elements);
  const text = `${BUILT_IN_MODEL} ${BUILT_IN_VERSION}, ${model.rMax} Å`;
  return { model, bytes: new TextEncoder().encode(text) };
}

/** Where `cpd model pull` keeps models. */
export function modelFolder(): string {
  return process.env.CPD_MODEL_DIR || join(cacheFolder(), "models");
}

/** Where mace-torch keeps them. */
function maceFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mace");
}

/** Path of a known model's file on this machine, or null. */
export function findModel(model: KnownModel): string | null {
  const places = [
    join(modelFolder(), `${model.name}.model`),
    join(maceFolder(), maceCacheName(model)),
  ];
  return places.find((path) => existsSync(path)) ?? null;
}

/**
 * The file behind `--model`: a path, or a name of `cpd model list`.
 *
 * @throws {WeightsError} if it is a name whose file is not here; nothing is downloaded
 */
export function resolveModel(nameOrPath: string): string {
  if (nameOrPath === BUILT_IN_MODEL) {
    throw new WeightsError(
      `Cannot read "${BUILT_IN_MODEL}": it has no file; cpd model list says what it is`,
    );
  }
  if (nameOrPath === SHIPPED_MODEL) return dataFile("hydrogen-small.safetensors");
  const model = KNOWN_MODELS.find(({ name }) => name === nameOrPath);
  if (!model || existsSync(nameOrPath)) return nameOrPath;
  const path = findModel(model);
  if (path) return path;
  throw new WeightsError(
    `Cannot use model "${nameOrPath}": it is neither in ${modelFolder()} nor in ${maceFolder()}; ` +
      `where there is a network run cpd model pull ${nameOrPath}, or give a file`,
  );
}
