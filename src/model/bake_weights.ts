import { addProduct, transposed } from "../matrix.ts";
import type { BakedModel } from "./bake.ts";
import { elementEmbedding, messageScale, messageWeights, skipWeights } from "./bake.ts";
import { addElementWeights } from "./channel_mix.ts";
import { elementIndices } from "./descriptor_model.ts";
import type { MaceLayer, MaceModel } from "./mace_model.ts";
import type { LayerWeights, ModelWeights } from "./model_weights.ts";
import { addCoefficientWeights } from "./product_basis.ts";
import { product } from "./pack.ts";
import type { ReadoutWeights } from "./readout.ts";

/** The gradient of what a model baked for training holds, in its shapes. */
export interface BakedGradient {
  /** Shape (n_elements, padded). */
  readonly embedding: Float64Array;
  readonly layers: readonly BakedLayerGradient[];
  readonly readouts: readonly ReadoutWeights[];
}

/** The gradient of one layer; what the radial tables are made of has been found before. */
export interface BakedLayerGradient {
  /** Null in a factorised first layer. */
  readonly up: Float32Array | null;
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
    const shape = { model, places, padded };
    addLayer(shape, model.layers[t], bar, gradient.layers[t]);
    if (!bar.up) addFactorisedMessage(shape, model.layers[t], bar.message, gradient);
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
  squares(bar.product, gradient.productLinear, layer.lOut + 1);
  if (bar.up) {
    squares(bar.up, gradient.linearUp, layer.lIn + 1);
    addMessage(shape, layer, bar.message, gradient);
  }
  if (bar.skip) addSkip(shape, bar.skip, gradient.skip);
  layer.contractions.forEach((contraction, i) => {
    places.forEach((z, own) => {
      const size = contraction.nTerms * padded;
      const coefficients = bar.coefficients[i].subarray(own * size, (own + 1) * size);
      addCoefficientWeights(contraction, z, C, coefficients, padded, gradient.contractions[i]);
    });
  });
  // A factorised layer's last radial layer is within its message weights.
  addAll(gradient.radialMlp, bar.up ? bar.radialMlp : bar.radialMlp.slice(0, -1));
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
  const receivers = layer.residual ? [null] : places;
  receivers.forEach((z, receiver) => {
    layer.paths.forEach((_, p) => {
      const own = unpad(bar, receiver * n + p, padded, C);
      addMessageWeights(model, layer, p, z, own, gradient);
    });
  });
}

/** Adjoint of `messageWeights`. */
function addMessageWeights(
  model: MaceModel,
  layer: MaceLayer,
  p: number,
  z: number | null,
  bar: Float64Array,
  gradient: LayerWeights,
): void {
  const C = model.channels;
  const l = layer.paths[p][2];
  const scale = messageScale(layer, p, C);
  const linear = layer.linear.subarray(p * C * C, (p + 1) * C * C);
  const linearBar = gradient.linear.subarray(p * C * C, (p + 1) * C * C);
  if (z === null) {
    bar.forEach((x, i) => linearBar[i] += scale * x);
    return;
  }
  const skip = skipWeights(model, layer, l, z);
  addProduct(linearBar, bar, transposed(skip, C, C), C, C, C, scale);
  const skipBar = new Float64Array(C * C);
  const norm = scale / Math.sqrt(C * model.elementNormalizer);
  addProduct(skipBar, transposed(linear, C, C), bar, C, C, C, norm);
  addElementWeights(skipBar, l, z, model.elements.length, C, gradient.skip);
}

/**
 * Message weights (V_p ∘ up_z') · M_p of a factorised first layer, for every element z' of the senders: what they
 * mean for the last radial layer V, for the features up = h W_up, and for M.
 */
function addFactorisedMessage(
  { model, places, padded }: Shape,
  layer: MaceLayer,
  bar: Float32Array,
  gradient: ModelWeights,
): void {
  const C = model.channels;
  const [nPaths, last] = [layer.paths.length, layer.radialMlp.length - 1];
  const k = layer.radialWidths[last];
  const width = bar.length / (places.length ** 2 * nPaths * padded);
  const root = 1 / Math.sqrt(C);
  const [mixing, mixingBar] = [layer.radialMlp[last], gradient.layers[0].radialMlp[last]];
  const h = places.map((z) => elementEmbedding(model, z));
  const up = h.map((x) => product(x, layer.linearUp, [1, C, C]).map((y) => y * root));
  const upBar = places.map(() => new Float64Array(C));
  places.forEach((z, receiver) => {
    for (let p = 0; p < nPaths; p++) {
      const element = layer.residual ? null : z;
      const back = transposed(messageWeights(model, layer, p, element), C, C);
      const weightsBar = new Float64Array(C * C);
      places.forEach((_, sender) => {
        const at = ((receiver * nPaths + p) * places.length + sender) * width * padded;
        const own = unpadRows(bar, at, k, C, padded);
        const expand = new Float64Array(k * C);
        const expandBar = product(own, back, [k, C, C]);
        for (let q = 0; q < k; q++) {
          for (let c = 0; c < C; c++) {
            const v = (q * nPaths + p) * C + c;
            expand[q * C + c] = mixing[v] * up[sender][c] / Math.sqrt(k);
            mixingBar[v] += expandBar[q * C + c] * up[sender][c] / Math.sqrt(k);
            upBar[sender][c] += expandBar[q * C + c] * mixing[v] / Math.sqrt(k);
          }
        }
        addProduct(weightsBar, transposed(expand, k, C), own, C, k, C);
      });
      addMessageWeights(model, layer, p, element, weightsBar, gradient.layers[0]);
    }
  });
  places.forEach((z, i) => {
    addProduct(gradient.layers[0].linearUp, h[i], upBar[i], C, 1, C, root);
    const scale = root / Math.sqrt(model.elementNormalizer);
    const embeddingBar = gradient.embedding.subarray(z * C, (z + 1) * C);
    addProduct(embeddingBar, upBar[i], transposed(layer.linearUp, C, C), 1, C, C, scale);
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
  return unpadRows(squares, at * padded * padded, C, C, padded);
}

/** Rows (k, C) out of padded ones that begin at `at`. */
function unpadRows(
  rows: Float32Array,
  at: number,
  k: number,
  C: number,
  padded: number,
): Float64Array {
  const out = new Float64Array(k * C);
  for (let q = 0; q < k; q++) {
    const from = at + q * padded;
    out.set(rows.subarray(from, from + C), q * C);
  }
  return out;
}

function addAll(to: readonly Float64Array[], from: readonly Float64Array[]): void {
  from.forEach((array, k) => array.forEach((x, i) => to[k][i] += x));
}
