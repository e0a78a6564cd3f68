import type { MaceModel } from "../model/mace_model.ts";
import { type ModelWeights, weightsOf } from "../model/model_weights.ts";
import { type AdamOptions, type AdamState, adamStep, clipNorm } from "./adam.ts";
import { tensorsOf } from "./weights.ts";

/** How a step is made; `mace_run_train` names. */
export interface StepOptions extends AdamOptions {
  /** Largest norm of all gradients together. */
  readonly clip: number;
  readonly weightDecay: number;
  /** Names of the tensors that may move; the others have no gradient. */
  readonly moving: ReadonlySet<string>;
}

/** The arrays that may move, in the order in which Adam remembers them. */
export function movingArrays(
  weights: ModelWeights,
  moving: ReadonlySet<string>,
): { numbers: Float64Array[]; decays: boolean[] } {
  const tensors = tensorsOf(weights).filter(({ name }) => moving.has(name));
  return {
    numbers: tensors.map(({ numbers }) => numbers),
    decays: tensors.map(({ decays }) => decays),
  };
}

/**
 * One step of training: clipping → decay → Adam.
 *
 * @param model moved in place
 * @param gradient of the loss; scaled in place
 * @returns its norm before it was clipped
 */
export function trainStep(
  model: MaceModel,
  gradient: ModelWeights,
  state: AdamState,
  options: StepOptions,
): number {
  const { numbers: gradients } = movingArrays(gradient, options.moving);
  const norm = clipNorm(gradients, options.clip);
  const { numbers, decays } = movingArrays(weightsOf(model), options.moving);
  const decay = decays.map((decaying) => decaying ? options.weightDecay : 0);
  adamStep(numbers, gradients, decay, state, options);
  return norm;
}
