import type { MaceModel } from "../model/mace_model.ts";
import type { LayerWeights, ModelWeights } from "../model/parameter_gradients.ts";

/** The trainable numbers of a model, the very arrays that it is run with. */
export function weightsOf({ embedding, layers, readouts }: MaceModel): ModelWeights {
  return {
    embedding,
    layers: layers.map((layer): LayerWeights => ({
      ...layer,
      contractions: layer.contractions.map(({ weights }) => weights),
    })),
    readouts: readouts.map((readout) =>
      readout.kind === "linear" ? [readout.weight] : [readout.hidden, readout.output]
    ),
  };
}

/** A model of its own, to be trained: all trainable arrays are copies. */
export function copyModel(model: MaceModel): MaceModel {
  return {
    ...model,
    embedding: model.embedding.slice(),
    layers: model.layers.map((layer) => ({
      ...layer,
      linearUp: layer.linearUp.slice(),
      radialMlp: layer.radialMlp.map((weight) => weight.slice()),
      linear: layer.linear.slice(),
      densityWeight: layer.densityWeight && layer.densityWeight.slice(),
      skip: layer.skip.slice(),
      contractions: layer.contractions.map((contraction) => ({
        ...contraction,
        weights: contraction.weights.slice(),
      })),
      productLinear: layer.productLinear.slice(),
    })),
    readouts: model.readouts.map((readout) =>
      readout.kind === "linear"
        ? { ...readout, weight: readout.weight.slice() }
        : { ...readout, hidden: readout.hidden.slice(), output: readout.output.slice() }
    ),
  };
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
