/** Whole trainings on every backend against those of the official code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../../src/backend.ts";
import { referenceBackend } from "../../src/backend.ts";
import { distinctElements } from "../../src/frame.ts";
import { weightsOf } from "../../src/model/model_weights.ts";
import { averagedModel, fit, fitState, type StepNews } from "../../src/train/fit.ts";
import { tensorsOf } from "../../src/train/weights.ts";
import { mediumModel } from "../../src/speed/medium_model.ts";
import { useFastBackends } from "../backends.ts";
import { assertClose, makeFrame } from "../support.ts";
import { type RecordedRun, recordedRun } from "./training_runs.ts";

const backends = await useFastBackends();

/** Trains as recorded. */
async function repeat(run: RecordedRun, backend: Backend) {
  const { model, train, valid, order, options } = run;
  const elements = distinctElements(
    [...train, ...valid].flatMap(({ frame }) => [...frame.species]),
  );
  const trainer = await backend.openTrainer(model, elements, 0);
  const state = fitState(model, options);
  const steps: StepNews[] = [];
  const rows = [];
  const going = fit(state, options, {
    ...{ train, valid, trainer },
    order: (epoch) => order[epoch - 1],
    async predict(model, frames) {
      const potential = await backend.openPotential(model, elements, 0);
      const predictions = await potential.predict(frames.map(({ frame }) => frame));
      await potential.close();
      return predictions;
    },
    onStep: (step) => steps.push(step),
  });
  for await (const row of going) rows.push(row);
  await trainer.close();
  return { steps, rows, model: averagedModel(state, options.moving) };
}

/** Relative difference. */
function off(own: number, expected: number): number {
  return Math.abs(own / expected - 1);
}

const RUNS = [
  ...["hydrogen_paper", "hydrogen_ema", "hydrogen_stress", "hydrogen_universal", "hydrogen_huber"],
  ...["density_filtered", "density_all_elements"],
];

for (const name of RUNS) {
  // Gradients are equal bits on one and two threads.
  for (const { label, backend } of backends.slice(1)) {
    // A software GPU takes seconds for a step of the hydrogen.
    if (label === "gpu" && name !== "density_filtered") continue;
    test(`the training ${name} is the official code's (${label})`, async () => {
      const run = await recordedRun(name);
      if (!run) return console.log("skipped: there is no shared folder");
      const { steps, rows } = await repeat(run, backend);
      const errors = steps.map(({ loss }, i) => off(loss, run.steps[i].loss));
      assert.ok(Math.max(...errors.slice(0, 8)) <= 1e-4, `losses to step 8: ${errors}`);
      assert.ok(Math.max(...errors) <= 5e-3, `losses: ${errors}`);
      rows.slice(1).forEach(({ valid }, i) => {
        const expected = run.epochs[i].ema ?? run.epochs[i].raw;
        assert.ok(
          off(1000 * valid.energy, expected.rmse_e_meV_per_atom) <= 0.01,
          `epoch ${i + 1}: E`,
        );
        assert.ok(off(valid.forces, expected.rmse_f_eV_per_A) <= 0.01, `epoch ${i + 1}: F`);
      });
      const worst = Math.max(...errors).toExponential(1);
      console.log(`measured: ${name}, ${label}: ${steps.length} losses to ${worst}`);
    });
  }
}

test("a whole training by the definition is the official code's to the last digits", async () => {
  const run = await recordedRun("density_filtered");
  if (!run) return console.log("skipped: there is no shared folder");
  const begun = tensorsOf(weightsOf(run.model)).find(({ name }) => name.startsWith("node_emb"))!;
  assertClose(
    begun.numbers,
    run.npz.array("start/node_embedding.linear.weight").data,
    1e-14,
    "cut",
  );
  const { steps, rows } = await repeat(run, referenceBackend);
  const errors = steps.map(({ loss }, i) => off(loss, run.steps[i].loss));
  assert.ok(Math.max(...errors) <= 1e-9, `losses: ${errors}`);
  rows.slice(1).forEach((row, i) => {
    const { raw } = run.epochs[i];
    assertClose([row.validLoss], [raw.valid_loss], 1e-8, `epoch ${i + 1}: loss`);
    assertClose([1000 * row.valid.energy], [raw.rmse_e_meV_per_atom], 1e-8, `epoch ${i + 1}: E`);
    assertClose([row.valid.forces], [raw.rmse_f_eV_per_A], 1e-8, `epoch ${i + 1}: F`);
  });
  console.log(`measured: density_filtered: ${steps.length} losses to ${Math.max(...errors)}`);
});

for (const name of RUNS) {
  test(`gradients of ${name} by the kernels are the official code's`, async () => {
    const run = await recordedRun(name);
    if (!run) return console.log("skipped: there is no shared folder");
    if (!run.npz.names.some((key) => key.startsWith("gradient/"))) {
      return console.log(`skipped: no gradient of ${name} was recorded`);
    }
    const batch = run.steps[0].batch.map((i) => run.train[i]);
    const elements = distinctElements(run.train.flatMap(({ frame }) => [...frame.species]));
    const found = [];
    for (const { label, backend } of backends) {
      const trainer = await backend.openTrainer(run.model, elements, 0);
      const { value, gradient } = await trainer.gradient(run.model, batch, run.options);
      await trainer.close();
      assert.ok(off(value, run.steps[0].loss) <= 1e-4, `${label}: loss`);
      let [difference, norm] = [0, 0];
      for (const { name: tensor, numbers } of tensorsOf(gradient)) {
        // Contractions are one array here and one per order there.
        if (!run.npz.names.includes(`gradient/${tensor}`)) continue;
        const expected = run.npz.array(`gradient/${tensor}`).data;
        numbers.forEach((x, i) => difference += (x - expected[i]) ** 2);
        expected.forEach((x) => norm += x * x);
      }
      const error = Math.sqrt(difference / norm);
      assert.ok(error <= 1e-4, `${label}: ${error}`);
      console.log(`measured: ${name}, ${label}: gradient to ${error.toExponential(1)}`);
      found.push(tensorsOf(gradient).map(({ numbers }) => numbers));
    }
    assert.deepEqual(found[0], found[1], "equal bits on one and two threads");
  });
}

function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}

/** Elements and channels: one and two whose first layer is factorised, and one where it is not. */
const ARCHITECTURES = [
  ...[{ elements: [1], channels: 64 }, { elements: [1, 8], channels: 128 }],
  { elements: [1, 8], channels: 16 },
];

for (const { elements, channels } of ARCHITECTURES) {
  test(`gradients of ${channels} channels and ${elements.length} elements are the definition's`, async () => {
    const model = mediumModel({ elements, channels, rMax: 4 });
    const positions = [0, 0, 0, 0.9, 0.2, 0, -0.3, 0.8, 0.1, 0.4, -0.5, 1.1, 2.5, 2.1, 1.9];
    const species = [0, 1, 0, 0, 1].map((i) => elements[Math.min(i, elements.length - 1)]);
    const frame = makeFrame(species, positions, [4.5, 0, 0, 0.3, 4.2, 0, 0, 0.1, 4.8]);
    const forces = Float64Array.from(positions, (x) => Math.sin(5 * x));
    const stress = Float64Array.from({ length: 9 }, (_, i) => Math.cos(i) / 50);
    const batch = [{ frame, labels: { energy: 3, forces, stress, weight: 0.7 } }];
    const options = {
      ...{
        kind: "weighted",
        energyWeight: 30,
        forcesWeight: 2,
        stressWeight: 50,
        delta: 1,
      } as const,
    };
    const exact = await (await referenceBackend.openTrainer(model, elements, 0))
      .gradient(model, batch, options);
    const wanted = tensorsOf(exact.gradient);
    for (const { label, backend } of backends) {
      const trainer = await backend.openTrainer(model, elements, 0);
      const { value, gradient } = await trainer.gradient(model, batch, options);
      await trainer.close();
      assert.ok(off(value, exact.value) <= 1e-4, `${label}: loss`);
      tensorsOf(gradient).forEach(({ name, numbers }, k) => {
        const error = norm(numbers.map((x, i) => x - wanted[k].numbers[i])) /
          norm(wanted[k].numbers);
        assert.ok(error <= 1e-4, `${label}, ${name}: ${error}`);
      });
    }
  });
}
