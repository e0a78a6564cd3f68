import type { MaceModel } from "./mace_model.ts";
import { mapWeights, type ModelWeights, weightsOf, withWeights } from "./model_weights.ts";

/**
 * The model of some of its elements, as `mace_run_train` cuts a foundation model: weights per element are taken,
 * and those that are normalised by √n_elements rescaled, so that it is the same function.
 *
 * @param kept places of the elements among the model's, ascending
 */
export function takeElements(model: MaceModel, kept: readonly number[]): MaceModel {
  const nElements = model.elements.length;
  if (kept.length === nElements && model.elementNormalizer === nElements) return model;
  const scale = Math.sqrt(kept.length / model.elementNormalizer);
  const cut = mapElements(
    model,
    weightsOf(model),
    (x, width, normalised) => rows(x, width, nElements, kept, normalised ? scale : 1),
  );
  return {
    ...withWeights(model, cut),
    elements: kept.map((z) => model.elements[z]),
    elementNormalizer: kept.length,
    atomicEnergies: rows(model.atomicEnergies, 1, nElements, kept, 1),
  };
}

/**
 * Puts the weights of some elements back among those of all: the inverse of `takeElements`.
 *
 * @param weights of the model that was cut
 * @returns all weights of the model, where the other elements have what they had
 */
export function putElements(
  model: MaceModel,
  kept: readonly number[],
  weights: ModelWeights,
): ModelWeights {
  const nElements = model.elements.length;
  if (kept.length === nElements && model.elementNormalizer === nElements) return weights;
  const scale = Math.sqrt(model.elementNormalizer / kept.length);
  const own = perElement(weights);
  let at = 0;
  return mapElements(model, weightsOf(model), (x, width, normalised) => {
    const out = x.slice();
    const cut = own[at++];
    const groups = x.length / (width * nElements);
    for (let g = 0; g < groups; g++) {
      kept.forEach((z, i) => {
        for (let c = 0; c < width; c++) {
          out[(g * nElements + z) * width + c] = cut[(g * kept.length + i) * width + c] *
            (normalised ? scale : 1);
        }
      });
    }
    return out;
  }, weights);
}

/** Rows of `width` numbers, `nElements` to a group: those of some elements, scaled. */
function rows(
  x: Float64Array,
  width: number,
  nElements: number,
  kept: readonly number[],
  scale: number,
): Float64Array {
  const groups = x.length / (width * nElements);
  const out = new Float64Array(groups * kept.length * width);
  for (let g = 0; g < groups; g++) {
    kept.forEach((z, i) => {
      const from = (g * nElements + z) * width;
      for (let c = 0; c < width; c++) out[(g * kept.length + i) * width + c] = scale * x[from + c];
    });
  }
  return out;
}

/** Arrays that hold rows per element, in the order of `mapElements`. */
function perElement({ embedding, layers }: ModelWeights): Float64Array[] {
  return [embedding, ...layers.flatMap(({ skip, contractions }) => [skip, ...contractions])];
}

/** Arrays with rows per element by a function of them, of the width of a row, and of whether they are normalised by
 * √n_elements; the others as they are in `others`. */
function mapElements(
  { channels, layers }: MaceModel,
  weights: ModelWeights,
  f: (x: Float64Array, width: number, normalised: boolean) => Float64Array,
  others = mapWeights(weights, (x) => x),
): ModelWeights {
  return {
    ...others,
    embedding: f(weights.embedding, channels, true),
    layers: weights.layers.map((layer, t) => ({
      ...others.layers[t],
      skip: f(layer.skip, channels, true),
      contractions: layer.contractions.map((x, l) =>
        f(x, layers[t].contractions[l].nPaths * channels, false)
      ),
    })),
  };
}
