import { cellVolume, type Frame, type Graph, receiverOf } from "../frame.ts";
import { addGradientTangent } from "../model/gradient_tangents.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { addEnergyGradient, type ModelWeights } from "../model/parameter_gradients.ts";
import { predict } from "../model/potential.ts";
import { stressOf } from "../model/prediction.ts";
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
    const { energy, forces, stress } = loss.bars[i];
    addEnergyGradient(model, graph, head, energy, gradient);
    const direction = directionOf(frame, graph, forces, stress);
    addGradientTangent(model, graph, head, direction, gradient);
  });
  return loss;
}

/** How the vectors of the edges change with τ, shape (n_edges, 3). */
function directionOf(
  { cell, pbc }: Frame,
  graph: Graph,
  forcesBar: Float64Array,
  stressBar: Float64Array,
): Float64Array {
  const { vectors, sender } = graph;
  const receiver = receiverOf(graph);
  const volume = pbc.every((periodic) => periodic) ? cellVolume(cell) : Infinity;
  const strain = stressBar.map((s, i) =>
    0.5 * (s + stressBar[3 * (i % 3) + Math.floor(i / 3)]) / volume
  );
  return vectors.map((_, i) => {
    const [e, k] = [Math.floor(i / 3), i % 3];
    const strained = [0, 1, 2].reduce((sum, x) => sum + vectors[3 * e + x] * strain[3 * x + k], 0);
    return strained - forcesBar[3 * receiver[e] + k] + forcesBar[3 * sender[e] + k];
  });
}
