import type { Frame } from "../frame.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { ModelWeights } from "../model/model_weights.ts";
import type { Prediction } from "../model/prediction.ts";
import type { LossOptions, LossTerms, TrainLabels } from "./loss.ts";

/** A frame to train on. */
export interface LabelledFrame {
  /** Atoms and cell. */
  readonly frame: Frame;
  /** What is true of it. */
  readonly labels: TrainLabels;
}

/** Loss of a batch, its parts, what the model said, and the gradient. */
export interface BatchGradient {
  /** The loss. */
  readonly value: number;
  /** Its parts. */
  readonly terms: LossTerms;
  /** What the model says, frame by frame. */
  readonly predictions: readonly Prediction[];
  /** Of the loss with respect to every trainable number. */
  readonly gradient: ModelWeights;
}

/** What finds gradients for a model whose weights change from call to call. */
export interface Trainer {
  /**
   * Loss of a batch and its gradient.
   *
   * @param model of the shape that the trainer was opened with
   */
  gradient(
    model: MaceModel,
    batch: readonly LabelledFrame[],
    options: LossOptions,
  ): Promise<BatchGradient>;
  /** Memory that a step of these frames needs, bytes; null where it is not known beforehand. */
  forecast(frames: readonly Frame[]): number | null;
  /** Frees what it holds. */
  close(): Promise<void>;
}
