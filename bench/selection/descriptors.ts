/**
 * How well descriptors predict energies: descriptors.ts DATA ENERGY_KEY [--step S] [--atoms N] DESCRIPTOR...
 * DESCRIPTOR is built-in, a model file, or F.npy with one row per frame of DATA.
 *
 * Gaussian kernel ridge regression of the energy per atom, fitted to random choices of 25, 50, 100 and 200
 * frames and tested on held-out runs of consecutive frames: RMSE in meV/atom, and its geometric mean.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { referenceBackend } from "../../src/backend.ts";
import { loadModel } from "../../src/checkpoint/load.ts";
import { compare, type ComparePool } from "../../src/compare/compare.ts";
import { openCpuBackend } from "../../src/cpu/backend.ts";
import type { Frame } from "../../src/frame.ts";
import { type FrameEntry, indexFile, readFrames } from "../../src/io/inputs.ts";
import { readNpy } from "../../src/io/npy.ts";
import { type Matrix, matrix, takeRows } from "../../src/matrix.ts";
import { builtInModel } from "../../src/model/built_in.ts";
import { autoStrata } from "../../src/select/strata.ts";
import { DEFAULTS } from "../../tests/options.ts";

const SIZES = [25, 50, 100, 200];
const [SPLITS, SEEDS, TEST_SHARE, BLOCKS, BATCH] = [10, 3, 0.2, 50, 16];

const { values, positionals: [path, key, ...descriptors] } = parseArgs({
  args: process.argv.slice(2),
  options: { step: { type: "string", default: "1" }, atoms: { type: "string" } },
  allowPositionals: true,
});

const { entries } = await indexFile(
  { name: path, path, slice: null },
  { names: [key], short: false, energies: false },
);
const chosen = entries.filter(({ index, nAtoms }) =>
  index % Number(values.step) === 0 && (!values.atoms || nAtoms === Number(values.atoms))
);
const frames = await Array.fromAsync(
  readFrames(path, path, new Set(chosen.map(({ index }) => index))),
);
const backend = await openCpuBackend(availableParallelism());

/** Rows of features, and the seconds that they took. */
async function featuresOf(descriptor: string): Promise<Matrix> {
  if (descriptor.endsWith(".npy")) {
    const { rows, cols, data } = readNpy(readFileSync(descriptor), descriptor);
    return takeRows(matrix(rows, cols, data), chosen.map(({ index }) => index));
  }
  const elements = [...new Set(frames.flatMap(({ species }: Frame) => [...species]))];
  const model = descriptor === "built-in" ? builtInModel(elements) : loadModel(descriptor).model;
  const describer = await backend.openDescriber(
    model,
    model.layers.length,
    elements.sort((a, b) => a - b),
  );
  const rows: Float64Array[] = [];
  for (let i = 0; i < frames.length; i += BATCH) {
    rows.push(...await describer.pool(frames.slice(i, i + BATCH), "mean"));
  }
  await describer.close();
  return matrix(rows.length, rows[0].length, Float64Array.from(rows.flatMap((row) => [...row])));
}

function poolOf(features: Matrix): ComparePool {
  const volume = Float64Array.from(chosen, (entry: FrameEntry) => entry.volume);
  const block = Math.max(1, Math.floor(chosen.length / BLOCKS));
  return {
    frames: chosen,
    ...{ features, volume },
    strata: autoStrata(chosen.map(({ formula }) => formula), volume),
    energy: Float64Array.from(chosen, ({ values, nAtoms }) => Number(values[key]) / nAtoms),
    groups: chosen.map((_, i) => String(Math.floor(i / block))),
  };
}

console.log(`${basename(path)}, ${chosen.length} frames`);
console.log(`| descriptor | width | s | ${SIZES.join(" | ")} | whole pool | mean |`);
console.log(`| --- | --- | --- | ${SIZES.map(() => "---").join(" | ")} | --- | --- |`);
for (const descriptor of descriptors) {
  const start = performance.now();
  const features = await featuresOf(descriptor);
  const seconds = (performance.now() - start) / 1000;
  const { trials, splits } = await compare(
    poolOf(features),
    {
      ...DEFAULTS,
      ...{ methods: ["random"], sizes: SIZES, stratified: false, seeds: SEEDS },
      ...{ splits: SPLITS, testShare: TEST_SHARE, poolSize: null },
    },
    referenceBackend,
    () => {},
  );
  const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x / list.length, 0);
  const errors = (size: number) =>
    trials.filter((trial) => trial.size === size).map(({ errors }) => 1000 * errors!.krr.rmse);
  const all = Math.exp(mean(trials.map(({ errors }) => Math.log(1000 * errors!.krr.rmse))));
  const cells = [
    basename(descriptor),
    features.cols,
    descriptor.endsWith(".npy") ? "" : seconds.toFixed(1),
    ...SIZES.map((size) => mean(errors(size)).toFixed(1)),
    mean(splits.map(({ fromPool }) => 1000 * fromPool.krr!.rmse)).toFixed(1),
    all.toFixed(1),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
await backend.close();
