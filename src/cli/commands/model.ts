import { renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { exportWeights } from "../../checkpoint/export.ts";
import { KNOWN_ELEMENTS, KNOWN_MODELS } from "../../checkpoint/known_models.ts";
import { loadMace, loadModel } from "../../checkpoint/load.ts";
import { formatWeights } from "../../checkpoint/weights.ts";
import { UsageError, WeightsError } from "../../errors.ts";
import { checkTarget } from "../output/output_folder.ts";
import { chemicalSymbol, MAX_ATOMIC_NUMBER } from "../../frame.ts";
import { builtInCutoff } from "../../model/built_in.ts";
import { descriptorLength, isSchnet } from "../../model/descriptor_model.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import type { SchnetModel } from "../../model/schnet_model.ts";
import { dataFile } from "../../shipped_files.ts";
import { BUILT_IN_MODEL, findModel, resolveModel, SHIPPED_MODEL } from "../input/model_store.ts";
import { modelFlags } from "../syntax/option_values.ts";

/** `cpd model info|export|list|pull`. */
export async function runModel(args: readonly string[]): Promise<void> {
  const [action, ...rest] = args;
  if (action === "pull") return await (await import("./model_pull.ts")).runPull(rest);
  if (action === "info") return runInfo(rest);
  if (action === "export") return runExport(rest);
  if (action === "list") return runList(rest);
  throw new UsageError(
    `Cannot run "cpd model ${action ?? ""}": expected list, info, export or pull`,
  );
}

function runInfo(args: readonly string[]): void {
  const { values, positionals } = modelFlags(args, "json");
  const path = onlyFile(positionals);
  const { model } = loadModel(path);
  const info = isSchnet(model) ? describeSchnet(model) : describeMace(model, countParameters(path));
  if (values.json) process.stdout.write(`${JSON.stringify(info, null, 2)}\n`);
  else {
    for (const [label, value] of Object.entries(info)) {
      const text = Array.isArray(value) ? value.join(", ") : String(value);
      process.stdout.write(`${label.replaceAll("_", " ").padEnd(20)} ${text}\n`);
    }
  }
}

/** Trained numbers of a MACE checkpoint. */
function countParameters(path: string): number {
  let parameters = 0;
  for (const [name, { data }] of loadMace(path).checkpoint.tensors) {
    if (/weight/.test(name) && !/zeroed|conv_tp\.weight$|bessel/.test(name)) {
      parameters += data.length;
    }
  }
  return parameters;
}

function describeSchnet(model: SchnetModel) {
  return {
    class: model.kind,
    interactions: model.layers.length,
    filters: model.layers[0].in2f.nOut,
    r_max: `${model.rMax} Å`,
    gaussians: model.gaussians.offsets.length,
    elements: `Z up to ${model.elements.length}; the file does not say which were trained`,
    precision: model.dtype,
    descriptors_per_atom: descriptorLength(model),
  };
}

function describeMace(model: MaceModel, parameters: number) {
  const { layers, channels, zbl, radial } = model;
  const hidden = Math.max(...layers.map((layer) => layer.lOut));
  const orders = layers.map(({ contractions }) =>
    Math.max(...contractions.map(({ indices, nTerms }) => largestDegree(indices, nTerms)))
  );
  return {
    class: model.kind,
    interactions: layers.map(({ density, residual }) =>
      `RealAgnostic${density ? "Density" : ""}${residual ? "Residual" : ""}`
    ),
    hidden_irreps: Array.from(
      { length: hidden + 1 },
      (_, l) => `${channels}x${l}${l % 2 ? "o" : "e"}`,
    )
      .join(" + "),
    l_max: model.lMax,
    correlation: Math.max(...orders),
    r_max: `${model.rMax} Å`,
    bessel_functions: radial.bessel.length,
    radial_mlp: layers[0].radialWidths.slice(1, -1),
    distance_transform: radial.agnesi ? "Agnesi" : "none",
    pair_repulsion: zbl ? "ZBL" : "none",
    avg_num_neighbors: layers.map((layer) =>
      layer.density ? "learned density" : layer.avgNumNeighbors
    ),
    elements: model.elements.map(chemicalSymbol),
    heads: [...model.heads],
    precision: model.dtype,
    parameters,
    descriptors_per_atom: descriptorLength(model),
  };
}

function largestDegree(indices: Uint8Array, nTerms: number): number {
  let largest = 1;
  for (let t = 0; t < nTerms; t++) {
    const degree = indices.subarray(3 * t, 3 * t + 3).filter((i) => i !== 255).length;
    largest = Math.max(largest, degree);
  }
  return largest;
}

function runExport(args: readonly string[]): void {
  const { values, positionals } = modelFlags(args, "elements", "output", "force");
  const path = onlyFile(positionals);
  const output = values.output;
  if (typeof output !== "string") {
    throw new UsageError("Cannot export: -o FILE.safetensors is missing");
  }
  checkTarget(output, values.force === true, [path]);
  const elements = typeof values.elements === "string"
    ? values.elements.split(",").map((symbol) => symbol.trim())
    : null;
  const { checkpoint } = loadMace(path);
  let bytes: Uint8Array;
  try {
    bytes = formatWeights(exportWeights(checkpoint, elements));
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new WeightsError(`Cannot export "${path}": ${error.message}`);
  }
  writeFileSync(`${output}.partial`, bytes);
  renameSync(`${output}.partial`, output);
  process.stderr.write(`Wrote ${output}, ${bytes.length} bytes\n`);
}

/** Every model that `--model` finds by name, and where its file is. */
function knownModels() {
  const shipped = {
    name: SHIPPED_MODEL,
    license: "MIT",
    elements: "1: H",
    r_max: 3,
    trained_on: "PBE hydrogen; a descriptor, not a force field",
    sha256: null as string | null,
    path: dataFile("hydrogen-small.safetensors") as string | null,
  };
  const builtIn = {
    ...shipped,
    name: BUILT_IN_MODEL,
    elements: `${MAX_ATOMIC_NUMBER}: all`,
    r_max: builtInCutoff([]),
    trained_on: "nothing; an atomic cluster expansion, a descriptor",
    path: "(none: its weights are formulas)",
  };
  const known = KNOWN_MODELS.map((model) => ({
    name: model.name,
    license: model.license as string,
    elements: KNOWN_ELEMENTS,
    r_max: model.rMax,
    trained_on: model.trainedOn,
    sha256: model.sha256,
    path: findModel(model),
  }));
  return [shipped, builtIn, ...known];
}

function runList(args: readonly string[]): void {
  const { values, positionals } = modelFlags(args, "json");
  if (positionals.length > 0) {
    throw new UsageError(`Cannot list "${positionals[0]}": cpd model list takes no name`);
  }
  const models = knownModels();
  if (values.json) return void process.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
  const rows = models.map(({ name, license, elements, r_max, trained_on, path }) => [
    ...[name, license, elements, r_max === null ? "" : `${r_max} Å`, trained_on],
    path ?? "not here: cpd model pull " + name,
  ]);
  const head = ["name", "licence", "elements", "r_max", "trained on", "file"];
  const widths = head.map((title, c) =>
    Math.max(title.length, ...rows.map((row) => row[c].length))
  );
  for (const row of [head, ...rows]) {
    const line = row.map((cell, c) => (c < row.length - 1 ? cell.padEnd(widths[c]) : cell));
    process.stdout.write(`${line.join("  ")}\n`);
  }
}

function onlyFile(positionals: readonly string[]): string {
  if (positionals.length !== 1) {
    throw new UsageError(`Cannot read ${positionals.length} models at once: expected one FILE`);
  }
  return resolveModel(positionals[0]);
}
