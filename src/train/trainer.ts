import type { Frame } from "../frame.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { ModelWeights } from "../model/model_weights.ts";
import type { Prediction } from "../model/prediction.ts";
import type { LossOptions, LossTerms, TrainLabels } from "./loss.ts";

/** A frame to train on. */
export interface LabelledFrame {
  readonly frame: Frame;
  readonly labels: TrainLabels;
}

/** Loss of a batch, its parts, what the model said, and the gradient. */
export interface BatchGradient {
  readonly value: number;
  readonly terms: LossTerms;
  readonly predictions: readonly Prediction[];
  /** Of the loss with respect to every trainable number. */
  readonly gradient: ModelWeights;
}

/** What finds gradients for a model whose weights change from call to call. */
export interface Trainer {
  /** @param model of the shape that the trainer was opened with */
  gradient(
    model: MaceModel,
    batch: readonly LabelledFrame[],
    options: LossOptions,
  ): Promise<BatchGradient>;
  /** Frees what it holds. */
  close(): Promise<void>;
}
