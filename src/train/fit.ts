import type { MaceModel } from "../model/mace_model.ts";
import { mapWeights, weightsOf, withWeights } from "../model/model_weights.ts";
import { type Prediction, stressOf } from "../model/prediction.ts";
import { type AdamState, adamState } from "./adam.ts";
import { updateAverages } from "./average.ts";
import { type Rmse, rmseOf } from "./errors.ts";
import { lossOf, type LossOptions } from "./loss.ts";
import { type Plateau, plateau, tellLoss } from "./plateau.ts";
import { movingArrays, type StepOptions, trainStep } from "./step.ts";
import type { LabelledFrame, Trainer } from "./trainer.ts";
import { tensorsOf } from "./weights.ts";

/** How a model is trained; names and meaning of `mace_run_train`. */
export interface FitOptions extends Omit<StepOptions, "learningRate">, LossOptions {
  readonly learningRate: number;
  readonly epochs: number;
  /** Frames per step. */
  readonly batch: number;
  readonly plateau: { readonly factor: number; readonly patience: number };
  /** Decay of the averages of the weights, which are what is validated and kept; null for none. */
  readonly ema: number | null;
  /** Epochs without a better validation after which it ends; null for none. */
  readonly patience: number | null;
}

/** What an epoch came to; losses in their own unit, errors as in `Rmse`. */
export interface Epoch {
  /** Number, from 1; 0 for what was there before the first step. */
  readonly epoch: number;
  readonly learningRate: number;
  /** Mean over the steps; NaN before the first. */
  readonly loss: number;
  readonly train: Rmse;
  readonly validLoss: number;
  readonly valid: Rmse;
  /** Before clipping, mean over the steps. */
  readonly gradientNorm: number;
  readonly seconds: number;
}

/** Where a training stands between two epochs. */
export interface FitState {
  /** Moved in place. */
  readonly model: MaceModel;
  readonly adam: AdamState;
  readonly plateau: Plateau;
  /** Averages of the arrays that move, or null. */
  readonly averages: readonly Float64Array[] | null;
  readonly epochs: Epoch[];
  /** What was best on the validation set after an epoch: all trainable arrays. */
  best: { readonly epoch: number; readonly weights: readonly Float64Array[] } | null;
}

/** The state before the first step. */
export function fitState(model: MaceModel, options: FitOptions): FitState {
  const { numbers } = movingArrays(weightsOf(model), options.moving);
  return {
    model,
    adam: adamState(numbers, true),
    plateau: plateau(options.learningRate),
    averages: options.ema === null ? null : numbers.map((x) => x.slice()),
    epochs: [],
    best: null,
  };
}

/** What a training runs on. */
export interface FitRun {
  readonly train: readonly LabelledFrame[];
  readonly valid: readonly LabelledFrame[];
  readonly trainer: Trainer;
  /** Places of the training frames in the order of an epoch's steps. */
  order(epoch: number): readonly number[];
  predict(model: MaceModel, frames: readonly LabelledFrame[]): Promise<Prediction[]>;
  /** Hears of every step; may throw to stop. */
  onStep(step: StepNews): void;
}

/** What a step tells. */
export interface StepNews {
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
}

/**
 * Trains epoch by epoch from where the state stands; what is not yet told of the state is lost where it stops.
 * Every epoch but the first begins with the plateau; the last incomplete batch is dropped, as mace drops it.
 */
export async function* fit(
  state: FitState,
  options: FitOptions,
  run: FitRun,
): AsyncGenerator<Epoch> {
  if (state.epochs.length === 0) yield await validate(state, options, run, 0, untrained());
  while (state.epochs.length <= options.epochs && !exhausted(state, options)) {
    const epoch = state.epochs.length;
    if (epoch > 1) tellLoss(state.plateau, state.epochs[epoch - 1].validLoss, options.plateau);
    const trained = await trainEpoch(state, options, run, epoch);
    yield await validate(state, options, run, epoch, trained);
  }
}

/**
 * Trains for all epochs, while the learning rate falls in a straight line to nothing. No frame is held out: there is
 * no best epoch that it could choose.
 */
export async function fitAll(
  state: FitState,
  options: FitOptions,
  run: Omit<FitRun, "valid" | "predict">,
): Promise<void> {
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    state.plateau.learningRate = options.learningRate * (1 - (epoch - 1) / options.epochs);
    await trainEpoch(state, options, run, epoch);
  }
}

/** Whether the validation has not become better for as long as is waited. */
export function exhausted({ best, epochs }: FitState, { patience }: FitOptions): boolean {
  return patience !== null && best !== null && epochs.length - 1 - best.epoch >= patience;
}

/** The model as it is validated and kept: with the averages of its weights where there are any. */
export function averagedModel(
  { model, averages }: FitState,
  moving: ReadonlySet<string>,
): MaceModel {
  if (!averages) return model;
  const copy = mapWeights(weightsOf(model), (x) => x.slice());
  movingArrays(copy, moving).numbers.forEach((x, k) => x.set(averages[k]));
  return withWeights(model, copy);
}

/** The model of the best epoch; there has been one. */
export function bestModel({ model, best }: FitState): MaceModel {
  const copy = mapWeights(weightsOf(model), (x) => x.slice());
  tensorsOf(copy).forEach(({ numbers }, k) => numbers.set(best!.weights[k]));
  return withWeights(model, copy);
}

type Trained = Pick<Epoch, "loss" | "train" | "gradientNorm" | "seconds">;

function untrained(): Trained {
  return {
    ...{ loss: NaN, gradientNorm: NaN, seconds: 0 },
    train: { energy: NaN, forces: NaN, stress: NaN },
  };
}

async function trainEpoch(
  state: FitState,
  options: FitOptions,
  run: Omit<FitRun, "valid" | "predict">,
  epoch: number,
): Promise<Trained> {
  const start = performance.now();
  const order = run.order(epoch);
  const steps = Math.floor(order.length / options.batch);
  const { learningRate } = state.plateau;
  let [loss, norm] = [0, 0];
  const seen: LabelledFrame[] = [];
  const said: Prediction[] = [];
  for (let step = 0; step < steps; step++) {
    const places = order.slice(step * options.batch, (step + 1) * options.batch);
    const frames = places.map((i) => run.train[i]);
    const { value, gradient, predictions } = await run.trainer.gradient(
      state.model,
      frames,
      options,
    );
    norm += trainStep(state.model, gradient, state.adam, { ...options, learningRate }) / steps;
    loss += value / steps;
    if (state.averages) {
      const { numbers } = movingArrays(weightsOf(state.model), options.moving);
      updateAverages(state.averages, numbers, options.ema!, state.adam.step);
    }
    seen.push(...frames);
    said.push(...predictions);
    run.onStep({ epoch, step: step + 1, steps, loss: value, learningRate });
  }
  const seconds = (performance.now() - start) / 1000;
  return { loss, train: rmseOf(seen, said), gradientNorm: norm, seconds };
}

/** Judges the model on the frames that were held out, and writes the epoch down. */
async function validate(
  state: FitState,
  options: FitOptions,
  run: FitRun,
  epoch: number,
  trained: Trained,
): Promise<Epoch> {
  const model = averagedModel(state, options.moving);
  const predictions = await run.predict(model, run.valid);
  const validLoss = validationLoss(run.valid, predictions, options);
  const { learningRate } = state.plateau;
  const valid = rmseOf(run.valid, predictions);
  const row = { epoch, learningRate, ...trained, validLoss, valid };
  const better = state.best === null || validLoss < state.epochs[state.best.epoch].validLoss;
  if (epoch > 0 && better) {
    const weights = tensorsOf(weightsOf(model)).map(({ numbers }) => numbers.slice());
    state.best = { epoch, weights };
  }
  state.epochs.push(row);
  return row;
}

/** Sum over batches of the batch's loss, divided by the number of frames: smaller than a mean by the size of a
 * batch, as mace has it. */
function validationLoss(
  frames: readonly LabelledFrame[],
  predictions: readonly Prediction[],
  options: FitOptions,
): number {
  let sum = 0;
  for (let first = 0; first < frames.length; first += options.batch) {
    const batch = frames.slice(first, first + options.batch).map(({ frame, labels }, i) => {
      const prediction = predictions[first + i];
      return { prediction, stress: stressOf(prediction, frame), labels };
    });
    sum += lossOf(batch, options).value;
  }
  return sum / frames.length;
}
