import type { Frame, Graph } from "../frame.ts";
import { addGradientTangent } from "../model/gradient_tangents.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { ModelWeights } from "../model/model_weights.ts";
import { addEnergyGradient } from "../model/parameter_gradients.ts";
import { predict } from "../model/potential.ts";
import { stressOf } from "../model/prediction.ts";
import { directionOf } from "./direction.ts";
import { type Loss, lossOf, type LossOptions, type TrainLabels } from "./loss.ts";

/** A frame to train on, with all edges within the model's cutoff. */
export interface TrainFrame {
  readonly frame: Frame;
  readonly graph: Graph;
  readonly labels: TrainLabels;
}

/**
 * Loss of a batch, and its gradient, added to what is known of every trainable number.
 *
 * With F = -∂E/∂x and σ = ∂E/∂ε / V the derivative with respect to θ is
 * Σ ē ∂E/∂θ + d/dτ ∂E/∂θ along x → x - τ F̄, then strained by τ sym(σ̄) / V.
 *
 * @param head index of the readout head
 */
export function addLossGradient(
  model: MaceModel,
  batch: readonly TrainFrame[],
  head: number,
  options: LossOptions,
  gradient: ModelWeights,
): Loss {
  const loss = lossOf(
    batch.map(({ frame, graph, labels }) => {
      const prediction = predict(model, graph, head);
      return { prediction, stress: stressOf(prediction, frame), labels };
    }),
    options,
  );
  batch.forEach(({ frame, graph }, i) => {
    addEnergyGradient(model, graph, head, loss.bars[i].energy, gradient);
    const direction = directionOf(frame, graph, loss.bars[i]);
    addGradientTangent(model, graph, head, direction, gradient);
  });
  return loss;
}
