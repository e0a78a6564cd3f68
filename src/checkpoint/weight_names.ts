import type { ModelWeights } from "../model/model_weights.ts";
import { type Checkpoint, tensor } from "./checkpoint.ts";
import { orderNames } from "./contraction.ts";

/**
 * The trainable numbers of a model under the names, and in the order, of the checkpoint that it was read
 * from.
 */
export function weightsByName(
  checkpoint: Checkpoint,
  { embedding, layers, readouts }: ModelWeights,
): Map<string, Float64Array> {
  const named = new Map([["node_embedding.linear.weight", embedding]]);
  layers.forEach((layer, t) => {
    const prefix = `interactions.${t}.`;
    named.set(`${prefix}linear_up.weight`, layer.linearUp);
    layer.radialMlp.forEach((weight, k) =>
      named.set(`${prefix}conv_tp_weights.layer${k}.weight`, weight)
    );
    named.set(`${prefix}linear.weight`, layer.linear);
    named.set(`${prefix}skip_tp.weight`, layer.skip);
    if (layer.densityWeight) named.set(`${prefix}density_fn.layer0.weight`, layer.densityWeight);
    layer.contractions.forEach((weights, l) => {
      const contraction = `products.${t}.symmetric_contractions.contractions.${l}.`;
      for (const [name, part] of splitOrders(checkpoint, contraction, weights)) {
        named.set(name, part);
      }
    });
    named.set(`products.${t}.linear.weight`, layer.productLinear);
  });
  readouts.forEach(([first, second], t) => {
    named.set(`readouts.${t}.${second ? "linear_1" : "linear"}.weight`, first);
    if (second) named.set(`readouts.${t}.linear_2.weight`, second);
  });
  return named;
}

/** Weights of all paths of a contraction, apart by correlation order. */
function splitOrders(
  checkpoint: Checkpoint,
  prefix: string,
  weights: Float64Array,
): [string, Float64Array][] {
  const parts = orderNames(checkpoint, prefix).map((name) =>
    [name, tensor(checkpoint, name).shape] as const
  );
  const nPaths = parts.reduce((sum, [, shape]) => sum + shape[1], 0);
  let first = 0;
  return parts.map(([name, [nElements, n, channels]]) => {
    const part = new Float64Array(nElements * n * channels);
    for (let z = 0; z < nElements; z++) {
      const from = (z * nPaths + first) * channels;
      part.set(weights.subarray(from, from + n * channels), z * n * channels);
    }
    first += n;
    return [name, part];
  });
}
