/** Fine-tuning as the judge of selections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { type KeyedFrame, openFineTuning } from "../../src/compare/fine_tuning.ts";
import { linearModel, openReadoutForces, unscaled } from "../../src/compare/linear_readout.ts";
import { rankCorrelation } from "../../src/compare/rank_correlation.ts";
import { openCpuBackend } from "../../src/cpu/backend.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { descriptors } from "../../src/model/mace.ts";
import { poolAtoms } from "../../src/model/pooling.ts";
import { predict } from "../../src/model/potential.ts";
import { requirePotential } from "../../src/potential.ts";
import type { FrameKey } from "../../src/select/frame_key.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import { movingTensors } from "../../src/train/weights.ts";
import { assertClose, makeFrame, normalNumbers, projectPath } from "../support.ts";

const SIDE = 3.2;
const ATOMS = 4;
const model = requirePotential(loadMace(projectPath("data/hydrogen-small.safetensors")).model);
const OPTIONS: FitOptions = {
  ...{ epochs: 6, batch: 2, learningRate: 0.002, moving: movingTensors(model, ["all"]) },
  ...{ kind: "weighted", energyWeight: 10, forcesWeight: 550, stressWeight: 0, delta: 0.01 },
  ...{ clip: 10, weightDecay: 5e-7, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ ema: null, patience: null, plateau: { factor: 1, patience: 0 } },
};

/** Frames labelled by the model with 1.3 times its energies, and so many eV per atom more. */
function frames(n: number, shift: number): Map<FrameKey, KeyedFrame> {
  const noise = normalNumbers(3, 3 * ATOMS * n);
  return new Map(Array.from({ length: n }, (_, f): [FrameKey, KeyedFrame] => {
    const places = [0, 0, 0, 0.8, 0, 0, 1.6, 1.6, 1.6, 1.6, 1.6, 2.4];
    const positions = places.map((x, i) => x + 0.03 * noise[3 * ATOMS * f + i]);
    const frame = makeFrame([1, 1, 1, 1], positions, [SIDE, 0, 0, 0, SIDE, 0, 0, 0, SIDE]);
    const { energy, forces } = predict(model, neighborList(frame, model.rMax), 0);
    const isolated = ATOMS * model.atomicEnergies[0];
    const labels = {
      energy: isolated + 1.3 * (energy - isolated) + ATOMS * shift,
      forces: forces.map((x) => 1.3 * x),
    };
    return [{ file: "f", index: f }, {
      ...{ frame, key: `frame ${f}` },
      labels: { ...labels, stress: null, weight: 1 },
    }];
  }));
}

async function errors(shift: number) {
  const labelled = frames(16, shift);
  const keys = [...labelled.keys()];
  const [train, held] = [keys.slice(0, 10), keys.slice(10)];
  const backend = await openCpuBackend(1);
  const seed = 1n;
  let steps = 0;
  const judge = await openFineTuning(backend, { model, head: 0 }, labelled, OPTIONS, () => steps++);
  const before = await judge.untrained(train, held);
  const after = await judge.trained(train, held, seed);
  const again = await judge.trained(train, held, seed);
  const less = await judge.trained(train.slice(0, 4), held, seed);
  const reordered = await judge.trained(train.slice(0, 4), held, seed + 1n);
  await judge.close();
  await backend.close();
  return { before, after, again, less, reordered, steps };
}

test("fine-tuning learns, begins anew for every selection, and does not see the zero of energies", async () => {
  const { before, after, again, less, reordered, steps } = await errors(0);
  assert.equal(steps, 6 * (5 + 5 + 2 + 2));
  assert.ok(after.forces < 0.7 * before.forces, `forces ${after.forces}, before ${before.forces}`);
  assert.ok(after.forces < less.forces, `10 frames ${after.forces}, 4 frames ${less.forces}`);
  assert.deepEqual(again, after);
  const shifted = await errors(12.5);
  for (const quantity of ["energy", "forces"] as const) {
    const [a, b] = [after[quantity], shifted.after[quantity]];
    assert.ok(Math.abs(a - b) < 1e-3 * a, `${quantity} ${a}, with another zero ${b}`);
  }
  assert.notEqual(reordered.forces, less.forces, "the seed orders the steps");
});

test("linearModel() has the energies of its readout, and openReadoutForces() their forces", async () => {
  const labelled = frames(3, 0);
  const d = model.layers.length * model.channels;
  const weights = Float64Array.from(normalNumbers(7, d), (x) => 0.1 * x);
  const scaling = {
    mean: Float64Array.from(normalNumbers(8, d)),
    factor: Float64Array.from(normalNumbers(9, d), Math.abs),
  };
  const readout = unscaled({ weights, constant: -3 }, scaling);
  const own = linearModel(model, readout);
  for (const { frame } of labelled.values()) {
    const graph = neighborList(frame, model.rMax);
    const mean = poolAtoms(descriptors(model, graph), frame.species, d, "mean", [1]);
    const scaled = mean.map((f, j) => (f - scaling.mean[j]) * scaling.factor[j]);
    const expected = weights.reduce((sum, w, j) => sum + w * scaled[j], -3);
    const { energy } = predict(own, graph, 0);
    assertClose([energy / frame.species.length], [expected], 1e-12, "energy per atom");
  }
  const backend = await openCpuBackend(1);
  const found = await openReadoutForces(backend, model, labelled).rmse(readout, [
    ...labelled.keys(),
  ]);
  await backend.close();
  const errors = [...labelled.values()].flatMap(({ frame, labels }) => {
    const { forces } = predict(own, neighborList(frame, model.rMax), 0);
    return [...forces].map((f, i) => f - labels.forces![i]);
  });
  const expected = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
  assertClose([found], [expected], 1e-5, "forces by the kernels");
});

test("rankCorrelation() is Spearman's, ties sharing their ranks", () => {
  assert.equal(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 90]), 1);
  assert.equal(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1]), -1);
  // scipy.stats.spearmanr([1, 2, 2, 5, 0], [3, 1, 4, 9, 2]) = 0.5642880...
  assert.ok(
    Math.abs(rankCorrelation([1, 2, 2, 5, 0], [3, 1, 4, 9, 2]) - 0.5642880936468347) < 1e-12,
  );
  assert.ok(Number.isNaN(rankCorrelation([1, 1, 1], [1, 2, 3])));
});
