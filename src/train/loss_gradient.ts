import type { Frame, Graph } from "../frame.ts";
import { addGradientTangent } from "../model/gradient_tangents.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { zeroWeights } from "../model/model_weights.ts";
import { addEnergyGradient } from "../model/parameter_gradients.ts";
import { predict } from "../model/potential.ts";
import { stressOf } from "../model/prediction.ts";
import { directionOf } from "./direction.ts";
import { lossOf, type LossOptions, type TrainLabels } from "./loss.ts";
import type { BatchGradient } from "./trainer.ts";

/** A frame to train on, with all edges within the model's cutoff. */
export interface TrainFrame {
  readonly frame: Frame;
  readonly graph: Graph;
  readonly labels: TrainLabels;
}

/**
 * Loss of a batch, and its gradient with respect to every trainable number.
 *
 * With F = -∂E/∂x and σ = ∂E/∂ε / V the derivative with respect to θ is
 * Σ ē ∂E/∂θ + d/dτ ∂E/∂θ along x → x - τ F̄, then strained by τ sym(σ̄) / V.
 *
 * @param head index of the readout head
 */
export function lossGradient(
  model: MaceModel,
  batch: readonly TrainFrame[],
  head: number,
  options: LossOptions,
): BatchGradient {
  const predictions = batch.map(({ graph }) => predict(model, graph, head));
  const loss = lossOf(
    batch.map(({ frame, labels }, i) => {
      const prediction = predictions[i];
      return { prediction, stress: stressOf(prediction, frame), labels };
    }),
    options,
  );
  const gradient = zeroWeights(model);
  batch.forEach(({ frame, graph }, i) => {
    addEnergyGradient(model, graph, head, loss.bars[i].energy, gradient);
    const direction = directionOf(frame, graph, loss.bars[i]);
    addGradientTangent(model, graph, head, direction, gradient);
  });
  return { value: loss.value, terms: loss.terms, predictions, gradient };
}
