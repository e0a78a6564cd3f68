/** Gradients of energies with respect to every trainable tensor, against the official code's autograd. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { weightsByName } from "../../src/checkpoint/weight_names.ts";
import { zeroWeights } from "../../src/model/model_weights.ts";
import { addEnergyGradient } from "../../src/model/parameter_gradients.ts";
import { lossGradient } from "../../src/train/loss_gradient.ts";
import { goldenCase } from "../golden_models.ts";
import { assertClose, graphOf, makeFrame, relativeError } from "../support.ts";

/** Of the largest entry of each tensor. */
const TOLERANCE = 1e-9;
const CASES = [
  ...["mp0_c4", "density_c4", "agnesi_c4", "density_c16", "density_L0_c16", "densityH_rs130_c8"],
  "density89_H8_c2",
];

for (const name of CASES) {
  test(`the energy's gradient of ${name} is the official code's in every tensor`, () => {
    const golden = goldenCase(name);
    if (!golden) return;
    const { npz, model, checkpoint } = golden;
    const wanted = npz.names.filter((key) => key.startsWith("dE:"));
    if (wanted.length === 0) {
      console.log(`skipped: ${name} holds no gradients`);
      return;
    }
    const { graph } = graphOf(
      npz.array("in:atomic_numbers").data,
      npz.array("in:edge_index").data,
      npz.array("mid:vec").data,
    );
    const gradient = zeroWeights(model);
    addEnergyGradient(model, graph, 0, 1, gradient);
    const named = weightsByName(checkpoint, gradient);
    assert.deepEqual([...named.keys()].sort(), wanted.map((key) => key.slice(3)).sort());
    let worst = 0;
    for (const [tensor, own] of named) {
      const expected = npz.array(`dE:${tensor}`).data;
      assertClose(own, expected, TOLERANCE, `${name}, ${tensor}`);
      worst = Math.max(worst, relativeError(own, expected));
    }
    console.log(`measured: ${name}: ${named.size} gradients to ${worst.toExponential(1)}`);
  });
}

for (const name of CASES) {
  test(`the gradient of a loss of energy, forces and stress of ${name} is the official code's`, () => {
    const golden = goldenCase(name);
    if (!golden || !golden.npz.names.includes("loss:value")) return;
    const { npz, model, checkpoint } = golden;
    const numbers = npz.array("in:atomic_numbers").data;
    const { graph } = graphOf(numbers, npz.array("in:edge_index").data, npz.array("mid:vec").data);
    const cell = npz.array("in:cell").data;
    const frame = makeFrame(numbers, npz.array("in:positions").data, cell);
    const [energyWeight, forcesWeight, stressWeight] = npz.array("loss:weights").data;
    const labels = {
      energy: npz.array("loss:Eref").data[0],
      forces: npz.array("loss:Fref").data,
      stress: npz.array("loss:Sref").data,
      weight: 1,
    };
    const options = {
      kind: "weighted",
      energyWeight,
      forcesWeight,
      stressWeight,
      delta: 1,
    } as const;
    const { value, gradient } = lossGradient(model, [{ frame, graph, labels }], 0, options);
    assertClose([value], npz.array("loss:value").data, 1e-11, "loss");
    let worst = 0;
    for (const [tensor, own] of weightsByName(checkpoint, gradient)) {
      const expected = npz.array(`dL:${tensor}`).data;
      assertClose(own, expected, TOLERANCE, `${name}, ${tensor}`);
      worst = Math.max(worst, relativeError(own, expected));
    }
    console.log(`measured: ${name}: loss gradients to ${worst.toExponential(1)}`);
  });
}
