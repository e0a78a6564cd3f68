import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { referenceBackend } from "../src/backend.ts";
import { loadModel } from "../src/checkpoint/load.ts";
import { openTorchFile, readModules } from "../src/checkpoint/modules.ts";
import { schnetModel } from "../src/checkpoint/schnet_checkpoint.ts";
import type { Frame } from "../src/frame.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { readNpy } from "../src/io/npy.ts";
import { isSchnet } from "../src/model/descriptor_model.ts";
import { schnetFeatures } from "../src/model/schnet.ts";
import type { Dense, SchnetModel } from "../src/model/schnet_model.ts";
import { useFastBackends } from "./backends.ts";
import { inFolder, runProgram } from "./cli/program.ts";
import {
  assertClose,
  makeFrame,
  normalNumbers,
  projectPath,
  randomNumbers,
  relativeError,
  rowError,
  sharedPath,
} from "./support.ts";

const TOLERANCE = 5e-6;

const backends = await useFastBackends();

function loadSchnet(path: string): SchnetModel {
  const { model } = loadModel(path);
  assert.ok(isSchnet(model));
  return model;
}

interface Case {
  readonly Z: number[];
  readonly positions: number[][];
  readonly cell: number[][] | null;
  readonly features: number[][];
}

function goldenCases(): { model: SchnetModel; frames: Frame[]; features: number[][] } | null {
  const golden = sharedPath("reference/schnet_golden.json");
  const path = sharedPath("models/schnet-ethanol.model");
  if (!golden || !path) return null;
  const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] };
  return {
    model: loadSchnet(path),
    frames: cases.map(({ Z, positions, cell }) =>
      makeFrame(Z, positions.flat(), cell?.flat(), [!!cell, !!cell, !!cell])
    ),
    features: cases.map(({ features }) => features.flat()),
  };
}

test("SchNet features equal those of schnetpack", () => {
  const golden = goldenCases();
  if (!golden) return;
  golden.frames.forEach((frame, f) => {
    const actual = schnetFeatures(golden.model, neighborList(frame, golden.model.rMax));
    assertClose(actual, golden.features[f], 1e-10, `case ${f}`);
    const error = relativeError(actual, golden.features[f]);
    console.log(`measured: SchNet case ${f}, definition: ${error.toExponential(1)}`);
  });
});

/** Every backend against the definition, per atom and pooled per element. */
async function compare(model: SchnetModel, frames: Frame[], elements: number[]): Promise<void> {
  for (const nLayers of [1, model.layers.length]) {
    const definition = await referenceBackend.openDescriber(model, nLayers, elements);
    const expected = await definition.describe(frames);
    const pooled = await definition.pool(frames, "per-element-mean");
    for (const { label, backend } of backends) {
      const describer = await backend.openDescriber(model, nLayers, elements);
      let worst = 0;
      const check = (row: ArrayLike<number>, wanted: ArrayLike<number>, width: number) => {
        const error = rowError(row, wanted, width);
        worst = Math.max(worst, error);
        assert.ok(error <= TOLERANCE, `${label}, ${nLayers} layers: ${error}`);
      };
      const rows = await describer.describe(frames);
      rows.forEach((row, f) => check(row, expected[f], describer.width));
      const means = await describer.pool(frames, "per-element-mean");
      means.forEach((row, f) => check(row, pooled[f], row.length));
      console.log(`measured: SchNet, ${label}, ${nLayers} layers: ${worst.toExponential(1)}`);
      await describer.close();
    }
  }
}

test("SchNet features by the kernels equal the definition", async () => {
  const golden = goldenCases();
  if (!golden) return;
  await compare(golden.model, golden.frames, [1, 6, 8]);
});

function randomDense(seed: number, nIn: number, nOut: number, bias: boolean): Dense {
  const scale = 1 / Math.sqrt(nIn);
  return {
    nIn,
    nOut,
    weight: normalNumbers(seed, nIn * nOut).map((x) => scale * x),
    bias: bias ? normalNumbers(seed + 1, nOut).map((x) => 0.3 * x) : new Float64Array(nOut),
  };
}

/** Widths that are no multiple of what the kernels hold at a time. */
function oddSchnet(): SchnetModel {
  const [channels, nFilters, nGaussians] = [5, 6, 12];
  return {
    kind: "SchNet",
    elements: [1, 2, 3],
    rMax: 3,
    channels,
    dtype: "float64",
    gaussians: {
      offsets: Float64Array.from({ length: nGaussians }, (_, k) => 3 * k / (nGaussians - 1)),
      widths: new Float64Array(nGaussians).fill(0.3),
    },
    embedding: normalNumbers(1, 4 * channels),
    layers: [10, 20].map((seed) => ({
      in2f: randomDense(seed, channels, nFilters, true),
      filter: [
        randomDense(seed + 2, nGaussians, 7, true),
        randomDense(seed + 4, 7, nFilters, true),
      ],
      f2out: [randomDense(seed + 6, nFilters, 9, true), randomDense(seed + 8, 9, channels, true)],
    })),
  };
}

test("a SchNet of odd widths by the kernels equals the definition, on awkward frames", async () => {
  const free = [false, false, false] as const;
  await compare(oddSchnet(), [
    makeFrame([1], [0, 0, 0], undefined, free),
    makeFrame([1, 3], [0, 0, 0, 0.3, 0.5, 0.4], undefined, free),
    makeFrame([3], [0.1, 0.2, 0.3], [1.2, 0, 0, 0, 1.2, 0, 0, 0, 1.2]),
    makeFrame([1, 1, 3, 1, 3], randomNumbers(2, 15).map((x) => 3 * x), undefined, free),
  ], [1, 3]);
});

test("a SchNet that computes something else is refused by name", () => {
  const path = sharedPath("models/schnet-ethanol.model");
  if (!path) return;
  const tree = readModules(openTorchFile(readFileSync(path)));
  const changed = (name: string, className: string) => {
    const modules = new Map(tree.modules);
    modules.set(name, { className, state: new Map() });
    return () => schnetModel({ ...tree, modules });
  };
  const refusals: [string, string, RegExp][] = [
    ["representation.cutoff_fn", "MollifierCutoff", /its cutoff_fn is a "MollifierCutoff", only/],
    ["representation.radial_basis", "BesselRBF", /its radial_basis is a "BesselRBF", only/],
    ["representation.interactions.0.f2out.0", "Dense", /activation "none" of .* is not supported/],
  ];
  for (const [name, className, message] of refusals) {
    assert.throws(changed(name, className), message);
  }
  const tensors = new Map(tree.tensors);
  tensors.delete("representation.interactions.2.in2f.weight");
  assert.throws(
    () => schnetModel({ ...tree, tensors }),
    /no tensor ".*interactions.2.in2f.weight"/,
  );
});

test("model info describes a SchNet, export refuses it, features warn of its elements", () => {
  const path = sharedPath("models/schnet-ethanol.model");
  if (!path) return;
  return inFolder(async (folder) => {
    const run = (...args: string[]) => runProgram(args, { cwd: folder });
    const info = await run("model", "info", path);
    assert.match(info.stdout, /class +SchNet\ninteractions +6\nfilters +128\nr max +5 Å/);
    const refused = await run("model", "export", path, "-o", "x.safetensors");
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /Cannot use model ".*schnet-ethanol.model": /);
    const args = ["features", projectPath("data/hydrogen-1000K.xyz.gz@:3"), "-o", "f.npy"];
    const features = await run(...args, "--model", path, "--backend", "cpu");
    assert.equal(features.code, 0, features.stderr);
    assert.match(features.stderr, /does not say which elements it was trained on: see that H is/);
    const { rows, cols } = readNpy(readFileSync(join(folder, "f.npy")), "f.npy");
    assert.deepEqual([rows, cols], [3, 128]);
  });
});

test("SchNet features do not see rotation, translation, images or the order of atoms", () => {
  const model = oddSchnet();
  const positions = randomNumbers(3, 12).map((x) => 2.4 * x);
  const cell = [2.4, 0, 0, 0.3, 2.6, 0, 0, 0.2, 2.5];
  const species = [1, 3, 1, 2];
  const features = (frame: Frame) => schnetFeatures(model, neighborList(frame, model.rMax));
  const expected = features(makeFrame(species, positions, cell));
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const rotate = (rows: ArrayLike<number>) =>
    Float64Array.from(rows, (_, i) => {
      const [x, y, z] = [0, 1, 2].map((k) => rows[i - i % 3 + k]);
      return [c * x - s * y, s * x + c * y, z][i % 3];
    });
  const moved = rotate(positions).map((x, i) => x + [0.3, -0.2, 5][i % 3]);
  assertClose(features(makeFrame(species, moved, rotate(cell))), expected, 1e-10, "moved");
  const reversed = Float64Array.from(
    positions,
    (_, i) => positions[9 - 3 * Math.floor(i / 3) + i % 3],
  );
  const other = features(makeFrame(species.toReversed(), reversed, cell));
  const back = Float64Array.from(other, (_, i) => other[15 - 5 * Math.floor(i / 5) + i % 5]);
  assertClose(back, expected, 1e-10, "reversed");
});
