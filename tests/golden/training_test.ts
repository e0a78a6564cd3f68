/** Losses, optimiser and schedule against trajectories of the official code. */
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { weightsByName } from "../../src/checkpoint/weight_names.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { weightsOf } from "../../src/model/model_weights.ts";
import { predict } from "../../src/model/potential.ts";
import { stressOf } from "../../src/model/prediction.ts";
import { adamState, adamStep, clipNorm } from "../../src/train/adam.ts";
import { updateAverages } from "../../src/train/average.ts";
import { type LossFrame, lossOf } from "../../src/train/loss.ts";
import { lossGradient, type TrainFrame } from "../../src/train/loss_gradient.ts";
import { plateau, tellLoss } from "../../src/train/plateau.ts";
import { trainStep } from "../../src/train/step.ts";
import { tensorsOf } from "../../src/train/weights.ts";
import { assertClose, sharedPath } from "../support.ts";
import { type RecordedRun, recordedRun, type RecordedStep } from "./training_runs.ts";

const scheduler = sharedPath("reference/train/scheduler.json");
const golden = scheduler && JSON.parse(readFileSync(scheduler, "utf8"));

test("Adam, AMSGrad, decay and clipping move numbers as PyTorch does", () => {
  for (const run of golden?.adam ?? []) {
    const weights = [Float64Array.from(run.start as number[])];
    const state = adamState(weights, run.amsgrad);
    const options = { learningRate: run.lr, beta1: run.betas[0], beta2: run.betas[1] };
    run.gradients_before_clipping.forEach((gradient: number[], step: number) => {
      const gradients = [Float64Array.from(gradient)];
      assertClose([clipNorm(gradients, run.clip)], [run.norms[step]], 1e-12, "norm");
      adamStep(weights, gradients, [run.weight_decay], state, { ...options, epsilon: run.eps });
      assertClose(weights[0], run.parameters_after_each_step[step], 1e-12, `step ${step}`);
    });
  }
});

test("the learning rate falls on a plateau as PyTorch's does", () => {
  for (const { patience, initial_lr, losses, lr } of golden?.cases ?? []) {
    const state = plateau(initial_lr);
    losses.forEach((loss: number, k: number) => {
      tellLoss(state, loss, { factor: 0.8, patience });
      assertClose([state.learningRate], [lr[k]], 1e-12, `loss ${k}`);
    });
  }
});

test("averages follow the weights as torch_ema's do", () => {
  if (!golden) return;
  const { decay, start, parameter_after_each_step: steps, average_after_each_step } = golden.ema;
  const averages = [Float64Array.of(start)];
  steps.forEach((value: number, k: number) => {
    updateAverages(averages, [Float64Array.of(value)], decay, k + 1);
    assertClose(averages[0], [average_after_each_step[k]], 1e-12, `update ${k}`);
  });
});

function batchOf({ model, train }: RecordedRun, { batch }: RecordedStep): TrainFrame[] {
  return batch.map((k) => ({ ...train[k], graph: neighborList(train[k].frame, model.rMax) }));
}

for (const name of ["paper", "stress", "huber", "universal"]) {
  test(`the first loss of hydrogen_${name} is the official code's, its slopes those of its value`, async () => {
    const run = await recordedRun(`hydrogen_${name}`);
    if (!run) return console.log("skipped: there is no shared folder");
    const { model, options, steps: [first] } = run;
    const batch = batchOf(run, first).map(({ frame, graph, labels }): LossFrame => {
      const prediction = predict(model, graph);
      return { prediction, stress: stressOf(prediction, frame), labels };
    });
    const { value, bars } = lossOf(batch, options);
    assertClose([value], [first.loss], 1e-11, "loss");
    const [{ prediction }] = batch;
    const step = 1e-5;
    const moved = (sign: number) =>
      lossOf([
        { ...batch[0], prediction: { ...prediction, energy: prediction.energy + sign * step } },
        ...batch.slice(1),
      ], options).value;
    const slope = (moved(1) - moved(-1)) / (2 * step);
    assertClose([slope], [bars[0].energy], 1e-6, "slope");
  });
}

/** Runs that are repeated by the definition, and how many steps; each takes some seconds. */
const REPEATED: Record<string, number> = { hydrogen_stress: 3, hydrogen_universal: 1 };

for (const [name, nSteps] of Object.entries(REPEATED)) {
  test(`${nSteps} steps of ${name} give the losses and gradients of the official code`, async () => {
    const run = await recordedRun(name);
    if (!run) return console.log("skipped: there is no shared folder");
    const { model, options } = run;
    const { checkpoint } = loadMace(sharedPath("demo/hydrogen-small.model")!);
    const state = adamState(tensorsOf(weightsOf(model)).map(({ numbers }) => numbers), true);
    let worst = 0;
    for (const step of run.steps.slice(0, nSteps)) {
      const { value, gradient } = lossGradient(model, batchOf(run, step), 0, options);
      if (step.step === 1) {
        for (const [tensor, own] of weightsByName(checkpoint, gradient)) {
          assertClose(own, run.npz.array(`gradient/${tensor}`).data, 1e-9, tensor);
        }
      }
      const norm = trainStep(model, gradient, state, { ...options, learningRate: step.lr });
      const tolerance = step.step === 1 ? 1e-11 : 1e-9;
      assertClose([value], [step.loss], tolerance, `step ${step.step}: loss`);
      assertClose([norm], [step.gradient_norm], tolerance, `step ${step.step}: norm`);
      worst = Math.max(worst, Math.abs(value / step.loss - 1));
    }
    console.log(`measured: ${name}, ${nSteps} steps: losses to ${worst.toExponential(1)}`);
  });
}
