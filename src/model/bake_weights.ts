import { addProduct, transposed } from "../matrix.ts";
import type { BakedModel } from "./bake.ts";
import { messageScale, skipWeights } from "./bake.ts";
import { addElementWeights } from "./channel_mix.ts";
import { elementIndices } from "./descriptor_model.ts";
import type { MaceLayer, MaceModel } from "./mace_model.ts";
import type { LayerWeights, ModelWeights } from "./model_weights.ts";
import { addCoefficientWeights } from "./product_basis.ts";
import type { ReadoutWeights } from "./readout.ts";

/** The gradient of what an unfactorised baked model holds, in its shapes. */
export interface BakedGradient {
  /** Shape (n_elements, padded). */
  readonly embedding: Float64Array;
  readonly layers: readonly BakedLayerGradient[];
  readonly readouts: readonly ReadoutWeights[];
}

/** The gradient of one layer; what the radial tables are made of has been found before. */
export interface BakedLayerGradient {
  readonly up: Float32Array;
  readonly message: Float32Array;
  readonly skip: Float32Array | null;
  readonly product: Float32Array;
  /** One per contraction. */
  readonly coefficients: readonly Float32Array[];
  readonly radialMlp: readonly Float64Array[];
  readonly densityWeight: Float64Array | null;
}

/**
 * Adjoint of `bakeModel`: leads the gradient of the baked numbers back to the trainable ones.
 *
 * @param species of the baked model, atomic numbers
 * @param gradient added to
 */
export function addBakedGradient(
  model: MaceModel,
  species: readonly number[],
  { padded }: Pick<BakedModel, "padded">,
  baked: BakedGradient,
  gradient: ModelWeights,
): void {
  const indices = elementIndices(model);
  const places = species.map((z) => indices[z]);
  const C = model.channels;
  places.forEach((z, i) => {
    for (let c = 0; c < C; c++) {
      gradient.embedding[z * C + c] += baked.embedding[i * padded + c] /
        Math.sqrt(model.elementNormalizer);
    }
  });
  baked.layers.forEach((bar, t) => {
    addLayer({ model, places, padded }, model.layers[t], bar, gradient.layers[t]);
  });
  baked.readouts.forEach((arrays, t) => addAll(gradient.readouts[t], arrays));
}

/** What every layer is led back with. */
interface Shape {
  readonly model: MaceModel;
  readonly places: readonly number[];
  readonly padded: number;
}

function addLayer(
  shape: Shape,
  layer: MaceLayer,
  bar: BakedLayerGradient,
  gradient: LayerWeights,
): void {
  const { model, places, padded } = shape;
  const C = model.channels;
  const squares = (from: Float32Array, to: Float64Array, count: number) => {
    for (let l = 0; l < count; l++) {
      const own = to.subarray(l * C * C, (l + 1) * C * C);
      unpad(from, l, padded, C).forEach((x, i) => own[i] += x / Math.sqrt(C));
    }
  };
  squares(bar.up, gradient.linearUp, layer.lIn + 1);
  squares(bar.product, gradient.productLinear, layer.lOut + 1);
  addMessage(shape, layer, bar.message, gradient);
  if (bar.skip) addSkip(shape, bar.skip, gradient.skip);
  layer.contractions.forEach((contraction, i) => {
    places.forEach((z, own) => {
      const size = contraction.nTerms * padded;
      const coefficients = bar.coefficients[i].subarray(own * size, (own + 1) * size);
      addCoefficientWeights(contraction, z, C, coefficients, padded, gradient.contractions[i]);
    });
  });
  addAll(gradient.radialMlp, bar.radialMlp);
  if (bar.densityWeight) addAll([gradient.densityWeight!], [bar.densityWeight]);
}

/** Message weights s W_p, or s W_p S_z of every receiver's element z. */
function addMessage(
  { model, places, padded }: Shape,
  layer: MaceLayer,
  bar: Float32Array,
  gradient: LayerWeights,
): void {
  const C = model.channels;
  const n = layer.paths.length;
  layer.paths.forEach(([, , l], p) => {
    const scale = messageScale(layer, p, C);
    const linear = layer.linear.subarray(p * C * C, (p + 1) * C * C);
    const linearBar = gradient.linear.subarray(p * C * C, (p + 1) * C * C);
    if (layer.residual) {
      unpad(bar, p, padded, C).forEach((x, i) => linearBar[i] += scale * x);
      return;
    }
    places.forEach((z, receiver) => {
      const own = unpad(bar, receiver * n + p, padded, C);
      const skip = skipWeights(model, layer, l, z);
      addProduct(linearBar, own, transposed(skip, C, C), C, C, C, scale);
      const skipBar = new Float64Array(C * C);
      const norm = scale / Math.sqrt(C * model.elementNormalizer);
      addProduct(skipBar, transposed(linear, C, C), own, C, C, C, norm);
      addElementWeights(skipBar, l, z, model.elements.length, C, gradient.skip);
    });
  });
}

/** Residual weights, shape (n_elements, n_skip, padded, padded). */
function addSkip({ model, places, padded }: Shape, bar: Float32Array, skip: Float64Array): void {
  const C = model.channels;
  const nSkip = bar.length / (places.length * padded ** 2);
  places.forEach((z, i) => {
    for (let l = 0; l < nSkip; l++) {
      const own = unpad(bar, i * nSkip + l, padded, C)
        .map((x) => x / Math.sqrt(C * model.elementNormalizer));
      addElementWeights(own, l, z, model.elements.length, C, skip);
    }
  });
}

/** Matrix number `at` of padded squares without its padding, shape (C, C). */
function unpad(squares: Float32Array, at: number, padded: number, C: number): Float64Array {
  const out = new Float64Array(C * C);
  for (let u = 0; u < C; u++) {
    const from = (at * padded + u) * padded;
    out.set(squares.subarray(from, from + C), u * C);
  }
  return out;
}

function addAll(to: readonly Float64Array[], from: readonly Float64Array[]): void {
  from.forEach((array, k) => array.forEach((x, i) => to[k][i] += x));
}
