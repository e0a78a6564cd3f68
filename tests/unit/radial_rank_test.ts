import assert from "node:assert/strict";
import { test } from "node:test";
import { denseHydrogen } from "../../src/speed/inputs.ts";
import { mediumModel } from "../../src/speed/medium_model.ts";
import { loadMace } from "../../src/checkpoint/load.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { descriptors } from "../../src/model/mace.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import { fewRadial } from "../../src/model/radial_rank.ts";
import { projectPath, rowError, sharedPath } from "../support.ts";

/** The model whose first radial functions are R V^T V, what their factorisation makes of them. */
function projected(model: MaceModel, z: number): { model: MaceModel; rank: number } {
  const [first, ...rest] = model.layers;
  const { mixing, rank } = fewRadial(model, first, z, z);
  const weights = first.radialMlp[first.radialMlp.length - 1];
  const nFunctions = mixing.length / rank;
  const width = weights.length / nFunctions;
  const out = new Float64Array(weights.length);
  for (let q = 0; q < rank; q++) {
    const v = mixing.subarray(q * nFunctions, (q + 1) * nFunctions);
    for (let k = 0; k < width; k++) {
      const dot = v.reduce((sum, x, f) => sum + x * weights[k * nFunctions + f], 0);
      for (let f = 0; f < nFunctions; f++) out[k * nFunctions + f] += dot * v[f];
    }
  }
  const radialMlp = [...first.radialMlp.slice(0, -1), out];
  return { model: { ...model, layers: [{ ...first, radialMlp }, ...rest] }, rank };
}

const trained = sharedPath("models/hhe-pbe.model");
const models: [string, MaceModel, number][] = [
  ["trained hydrogen", loadMace(projectPath("data/hydrogen-small.safetensors")).model, 16],
  ...(trained
    ? [["trained H/He", loadMace(trained).model, 16] as [string, MaceModel, number]]
    : []),
  ["random medium", mediumModel({ elements: [1], rMax: 5, channels: 128 }), 4],
];

for (const [name, model, nAtoms] of models) {
  test(`the factorised radial functions of the ${name} model keep its features to 1e-6`, () => {
    const graph = neighborList(denseHydrogen(nAtoms, 1.3), model.rMax);
    const exact = descriptors(model, graph);
    const { model: factorised, rank } = projected(model, 1);
    const error = rowError(descriptors(factorised, graph), exact, exact.length / nAtoms);
    console.log(`measured: ${name}: rank ${rank}, feature error ${error.toExponential(1)}`);
    assert.ok(error <= 1e-6 && error > 0, `${error}`);
  });
}
