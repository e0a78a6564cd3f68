import type { MaceLayer, MaceModel } from "./mace_model.ts";
import type { ReadoutWeights } from "./readout.ts";

/** The trainable numbers of a layer, or what belongs to each of them. */
export interface LayerWeights extends
  Pick<
    MaceLayer,
    "linearUp" | "radialMlp" | "linear" | "densityWeight" | "skip" | "productLinear"
  > {
  /** Weights of the paths of each contraction, shape (n_elements, n_paths, C). */
  readonly contractions: readonly Float64Array[];
}

/** The trainable numbers of a model, or what belongs to each of them, such as a gradient. */
export interface ModelWeights {
  /** Node embedding, as in `MaceModel`. */
  readonly embedding: Float64Array;
  /** One per interaction. */
  readonly layers: readonly LayerWeights[];
  /** One per interaction. */
  readonly readouts: readonly ReadoutWeights[];
}

/** The trainable numbers of a model, the very arrays that it is run with. */
export function weightsOf({ embedding, layers, readouts }: MaceModel): ModelWeights {
  return {
    embedding,
    layers: layers.map((layer) => ({
      linearUp: layer.linearUp,
      radialMlp: layer.radialMlp,
      linear: layer.linear,
      densityWeight: layer.densityWeight,
      skip: layer.skip,
      productLinear: layer.productLinear,
      contractions: layer.contractions.map(({ weights }) => weights),
    })),
    readouts: readouts.map((readout) =>
      readout.kind === "linear" ? [readout.weight] : [readout.hidden, readout.output]
    ),
  };
}

/** Every array of the weights by a function of it. */
export function mapWeights(
  { embedding, layers, readouts }: ModelWeights,
  f: (numbers: Float64Array) => Float64Array,
): ModelWeights {
  return {
    embedding: f(embedding),
    layers: layers.map((layer) => ({
      linearUp: f(layer.linearUp),
      radialMlp: layer.radialMlp.map(f),
      linear: f(layer.linear),
      densityWeight: layer.densityWeight && f(layer.densityWeight),
      skip: f(layer.skip),
      productLinear: f(layer.productLinear),
      contractions: layer.contractions.map(f),
    })),
    readouts: readouts.map((readout) => readout.map(f)),
  };
}

/** The model with other trainable numbers. */
export function withWeights(model: MaceModel, weights: ModelWeights): MaceModel {
  return {
    ...model,
    embedding: weights.embedding,
    layers: model.layers.map((layer, t) => {
      const { contractions, ...others } = weights.layers[t];
      return {
        ...layer,
        ...others,
        contractions: layer.contractions.map((contraction, l) => ({
          ...contraction,
          weights: contractions[l],
        })),
      };
    }),
    readouts: model.readouts.map((readout, t) => {
      const [first, second] = weights.readouts[t];
      return readout.kind === "linear"
        ? { ...readout, weight: first }
        : { ...readout, hidden: first, output: second };
    }),
  };
}

/** Zeros, one for every trainable number. */
export function zeroWeights(model: MaceModel): ModelWeights {
  return mapWeights(weightsOf(model), (numbers) => new Float64Array(numbers.length));
}
