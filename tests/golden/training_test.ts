/** Losses, optimiser and schedule against trajectories of the official code. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import type { Frame } from "../../src/frame.ts";
import { parseFrame } from "../../src/io/extxyz.ts";
import { type FrameLabels, readLabels } from "../../src/io/frame_labels.ts";
import { splitFrames } from "../../src/io/frame_ranges.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { predict } from "../../src/model/potential.ts";
import { stressOf } from "../../src/model/prediction.ts";
import { adamState, adamStep, clipNorm } from "../../src/train/adam.ts";
import { updateAverages } from "../../src/train/average.ts";
import { type LossFrame, type LossKind, lossOf } from "../../src/train/loss.ts";
import { plateau, tellLoss } from "../../src/train/plateau.ts";
import { lossGradient, type TrainFrame } from "../../src/train/loss_gradient.ts";
import { trainStep } from "../../src/train/step.ts";
import { copyModel, movingTensors, tensorsOf } from "../../src/train/weights.ts";
import { weightsByName } from "../../src/checkpoint/weight_names.ts";
import { weightsOf } from "../../src/model/model_weights.ts";
import { assertClose, readNpz, sharedPath } from "../support.ts";

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

/** Runs of the official code whose first loss is known, and which loss they took. */
const RUNS: Record<string, LossKind> = {
  hydrogen_paper: "weighted",
  hydrogen_stress: "weighted",
  hydrogen_huber: "huber",
  hydrogen_universal: "universal",
};

async function labelledFrames(path: string) {
  async function* chunks() {
    yield new Uint8Array(gunzipSync(readFileSync(path)));
  }
  const frames = [];
  for await (const raw of splitFrames(chunks(), "labelled", () => {})) {
    const frame = parseFrame(raw, "labelled");
    frames.push({ frame, labels: readLabels(raw, frame) });
  }
  return frames;
}

/** A labelled frame as training takes it. */
function trainFrame(
  { frame, labels: { energy, forces, stress } }: { frame: Frame; labels: FrameLabels },
  rMax: number,
): TrainFrame {
  return {
    frame,
    graph: neighborList(frame, rMax),
    labels: { energy: energy!.value, forces: forces!.values, stress: stress!.tensor, weight: 1 },
  };
}

test("the first losses are those of the official code", async () => {
  const data = sharedPath("demo/hydrogen-1000K-labelled.xyz.gz");
  const file = sharedPath("demo/hydrogen-small.model");
  if (!data || !file || !golden) return;
  const frames = await labelledFrames(data);
  for (const [name, kind] of Object.entries(RUNS)) {
    const run = JSON.parse(readFileSync(sharedPath(`reference/train/${name}.json`)!, "utf8"));
    const { protocol, steps: [first], train_frames, atomic_energies } = run;
    const model = {
      ...loadMace(file).model,
      atomicEnergies: Float64Array.from([atomic_energies].flat(2) as number[]),
    };
    const batch = first.batch.map((k: number): LossFrame => {
      const { frame, graph, labels } = trainFrame(frames[train_frames[k]], model.rMax);
      const prediction = predict(model, graph);
      return { prediction, stress: stressOf(prediction, frame), labels };
    });
    const weights = protocol.weights;
    const { value, terms, bars } = lossOf(batch, {
      kind,
      energyWeight: weights.energy_weight,
      forcesWeight: weights.forces_weight,
      stressWeight: weights.stress_weight ?? 0,
      delta: weights.huber_delta ?? protocol.huber_delta ?? 0.01,
    });
    assertClose([value], [first.loss], 1e-11, `${name}: loss`);
    assertClose(
      [terms.energy, terms.forces],
      [first.terms.energy, first.terms.forces],
      1e-11,
      name,
    );
    // The derivatives are those of the value.
    const moved = lossOf(
      [{
        ...batch[0],
        prediction: { ...batch[0].prediction, energy: batch[0].prediction.energy + 1e-5 },
      }, ...batch.slice(1)],
      {
        kind,
        energyWeight: weights.energy_weight,
        forcesWeight: 0,
        stressWeight: 0,
        delta: weights.huber_delta ?? protocol.huber_delta ?? 0.01,
      },
    );
    const still = weights.energy_weight * terms.energy;
    assert.ok(
      Math.abs((moved.value - still) / 1e-5 - bars[0].energy) <= 1e-3 * Math.abs(bars[0].energy),
      `${name}: slope`,
    );
  }
});

/** Steps of these runs that are repeated here; each takes some seconds. */
const REPEATED: Record<string, number> = { hydrogen_stress: 3, hydrogen_universal: 1 };

test("training steps give the losses and gradients of the official code", async () => {
  const data = sharedPath("demo/hydrogen-1000K-labelled.xyz.gz");
  const file = sharedPath("demo/hydrogen-small.model");
  if (!data || !file || !golden) return;
  const frames = await labelledFrames(data);
  const { model: start, checkpoint } = loadMace(file);
  for (const [name, nSteps] of Object.entries(REPEATED)) {
    const run = JSON.parse(readFileSync(sharedPath(`reference/train/${name}.json`)!, "utf8"));
    const npz = readNpz(sharedPath(`reference/train/${name}.npz`)!);
    const { protocol, train_frames, atomic_energies } = run;
    const model = {
      ...copyModel(start),
      atomicEnergies: Float64Array.from([atomic_energies].flat(2) as number[]),
    };
    const batchOf = (places: number[]) =>
      places.map((k) => trainFrame(frames[train_frames[k]], model.rMax));
    const options = {
      kind: RUNS[name],
      energyWeight: protocol.weights.energy_weight,
      forcesWeight: protocol.weights.forces_weight,
      stressWeight: protocol.weights.stress_weight ?? 0,
      delta: protocol.huber_delta ?? 1,
      ...{ beta1: protocol.betas[0], beta2: protocol.betas[1], epsilon: protocol.eps },
      ...{ clip: protocol.clip, weightDecay: protocol.weight_decay },
    };
    const { gradient } = lossGradient(model, batchOf(run.steps[0].batch), 0, options);
    for (const [tensor, own] of weightsByName(checkpoint, gradient)) {
      assertClose(own, npz.array(`gradient/${tensor}`).data, 1e-9, `${name}, ${tensor}`);
    }
    const moving = movingTensors(model, ["all"]);
    const weights = tensorsOf(weightsOf(model)).map(({ numbers }) => numbers);
    const state = adamState(weights, protocol.amsgrad);
    let worst = 0;
    for (const step of run.steps.slice(0, nSteps)) {
      const { value, gradient } = lossGradient(model, batchOf(step.batch), 0, options);
      const norm = trainStep(model, gradient, state, { ...options, learningRate: step.lr, moving });
      const tolerance = step.step === 1 ? 1e-11 : 1e-9;
      assertClose([value], [step.loss], tolerance, `${name}, step ${step.step}: loss`);
      assertClose([norm], [step.gradient_norm], tolerance, `${name}: norm`);
      worst = Math.max(worst, Math.abs(value / step.loss - 1));
    }
    console.log(`measured: ${name}, ${nSteps} steps: losses to ${worst.toExponential(1)}`);
  }
});
