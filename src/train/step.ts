import type { MaceModel } from "../model/mace_model.ts";
import { weightsOf, zeroWeights } from "../model/model_weights.ts";
import { type AdamOptions, type AdamState, adamStep, clipNorm } from "./adam.ts";
import type { LossOptions } from "./loss.ts";
import { addLossGradient, type TrainFrame } from "./loss_gradient.ts";
import { tensorsOf } from "./weights.ts";

/** How a step is made; `mace_run_train` names. */
export interface StepOptions extends LossOptions, AdamOptions {
  /** Largest norm of all gradients together. */
  readonly clip: number;
  readonly weightDecay: number;
}

/** What a step found before it moved anything. */
export interface Step {
  readonly loss: number;
  readonly terms: { readonly energy: number; readonly forces: number; readonly stress: number };
  /** Norm of the gradient before it was clipped. */
  readonly gradientNorm: number;
}

/**
 * One step of training: gradient → clipping → decay → Adam.
 *
 * @param model moved in place
 * @param head index of the readout head
 */
export function trainStep(
  model: MaceModel,
  batch: readonly TrainFrame[],
  head: number,
  state: AdamState,
  options: StepOptions,
): Step {
  const gradient = zeroWeights(model);
  const { value, terms } = addLossGradient(model, batch, head, options, gradient);
  const gradients = tensorsOf(gradient).map(({ numbers }) => numbers);
  const gradientNorm = clipNorm(gradients, options.clip);
  const tensors = tensorsOf(weightsOf(model));
  const decay = tensors.map(({ decays }) => decays ? options.weightDecay : 0);
  adamStep(tensors.map(({ numbers }) => numbers), gradients, decay, state, options);
  return { loss: value, terms, gradientNorm };
}
