import { UsageError } from "../errors.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { mapWeights, type ModelWeights, weightsOf, withWeights } from "../model/model_weights.ts";

/** A model of its own, to be trained: all trainable arrays are copies. */
export function copyModel(model: MaceModel): MaceModel {
  return withWeights(model, mapWeights(weightsOf(model), (numbers) => numbers.slice()));
}

/** A trainable array, and whether it decays, as `mace_run_train` groups them. */
export interface Tensor {
  /** Its name in the checkpoint; the weights of a contraction have one name for all orders. */
  readonly name: string;
  readonly numbers: Float64Array;
  readonly decays: boolean;
}

/** All trainable arrays in one order. The linear layers behind the messages and all that belongs to the
 * product bases decay; nothing else does. */
export function tensorsOf({ embedding, layers, readouts }: ModelWeights): Tensor[] {
  const free = (name: string, numbers: Float64Array) => ({ name, numbers, decays: false });
  const decaying = (name: string, numbers: Float64Array) => ({ name, numbers, decays: true });
  return [
    free("node_embedding.linear.weight", embedding),
    ...layers.flatMap((layer, t) => {
      const [interaction, product] = [`interactions.${t}`, `products.${t}`];
      return [
        free(`${interaction}.linear_up.weight`, layer.linearUp),
        ...layer.radialMlp.map((numbers, k) =>
          free(`${interaction}.conv_tp_weights.layer${k}.weight`, numbers)
        ),
        decaying(`${interaction}.linear.weight`, layer.linear),
        free(`${interaction}.skip_tp.weight`, layer.skip),
        ...(layer.densityWeight
          ? [free(`${interaction}.density_fn.layer0.weight`, layer.densityWeight)]
          : []),
        ...layer.contractions.map((numbers, l) =>
          decaying(`${product}.symmetric_contractions.contractions.${l}.weights`, numbers)
        ),
        decaying(`${product}.linear.weight`, layer.productLinear),
      ];
    }),
    ...readouts.flatMap((readout, t) =>
      readout.map((numbers, k) =>
        free(`readouts.${t}.${readout.length > 1 ? `linear_${k + 1}` : "linear"}.weight`, numbers)
      )
    ),
  ];
}

/**
 * Names of the tensors that may move.
 *
 * @param patterns names in which * stands for anything, `all` or `readouts`
 * @throws {UsageError} if one of them names nothing
 */
export function movingTensors(model: MaceModel, patterns: readonly string[]): ReadonlySet<string> {
  const names = tensorsOf(weightsOf(model)).map(({ name }) => name);
  const moving = new Set<string>();
  for (const pattern of patterns) {
    const meant = pattern === "all" ? "*" : pattern === "readouts" ? "readouts.*" : pattern;
    const literal = meant.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    const regexp = new RegExp(`^${literal.join(".*")}$`);
    const own = names.filter((name) => regexp.test(name));
    if (own.length === 0) {
      const known = names.map((name) => `  ${name}`).join("\n");
      throw new UsageError(
        `Cannot train "${pattern}": no tensor has such a name; known:\n${known}`,
      );
    }
    own.forEach((name) => moving.add(name));
  }
  return moving;
}
