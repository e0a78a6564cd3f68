import type { MaceModel } from "../model/mace_model.ts";
import { mapWeights, type ModelWeights, weightsOf, withWeights } from "../model/model_weights.ts";

/** A model of its own, to be trained: all trainable arrays are copies. */
export function copyModel(model: MaceModel): MaceModel {
  return withWeights(model, mapWeights(weightsOf(model), (numbers) => numbers.slice()));
}

/** A trainable array, and whether it decays, as `mace_run_train` groups them. */
export interface Tensor {
  readonly numbers: Float64Array;
  readonly decays: boolean;
}

/** All trainable arrays in one order. The linear layers behind the messages and all that belongs to the
 * product bases decay; nothing else does. */
export function tensorsOf({ embedding, layers, readouts }: ModelWeights): Tensor[] {
  const free = (numbers: Float64Array) => ({ numbers, decays: false });
  const decaying = (numbers: Float64Array) => ({ numbers, decays: true });
  return [
    free(embedding),
    ...layers.flatMap((layer) => [
      free(layer.linearUp),
      ...layer.radialMlp.map(free),
      decaying(layer.linear),
      free(layer.skip),
      ...(layer.densityWeight ? [free(layer.densityWeight)] : []),
      ...layer.contractions.map(decaying),
      decaying(layer.productLinear),
    ]),
    ...readouts.flatMap((readout) => readout.map(free)),
  ];
}
