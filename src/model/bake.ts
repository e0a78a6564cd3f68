import { pathOffsets } from "./atomic_basis.ts";
import { intervalsFor, type PairClasses, pairClasses, type TableSource } from "./bake_tables.ts";
import { elementWeights } from "./channel_mix.ts";
import { messageCouplings } from "./couplings.ts";
import { type MaceLayer, type MaceModel } from "./mace_model.ts";
import { elementIndices } from "./descriptor_model.ts";
import { concatenate, padColumns, padMatrices, product } from "./pack.ts";
import { elementCoefficients } from "./product_basis.ts";
import { type FactorisedRadial, fewRadial, hiddenRadial } from "./radial_rank.ts";
import { type RadialFunctions, radialFunctions } from "./radial_table.ts";

/**
 * The first layer's sums are kept apart for every element of the senders, in few radial functions; beyond
 * so many elements all channels together are less work, unless the functions are few to begin with.
 */
const FEW_ELEMENTS = 3;

/** Channels and ranks are padded with zeros to a multiple of this, the width of the widest kernel. */
const CHANNEL_BLOCK = 8;

/**
 * A model made ready for float32 kernels: normalisations folded into the weights, radial functions
 * tabulated per pair of elements, contractions folded into one coefficient per monomial. Everything is
 * folded in float64 and rounded once. Channels run fastest and are padded.
 */
export interface BakedModel {
  readonly channels: number;
  readonly padded: number;
  readonly lMax: number;
  readonly rMax: number;
  /** Place of each atomic number among the elements that were baked, shape (256). */
  readonly elementOf: Uint8Array;
  readonly nElements: number;
  /** Class of each pair of elements, shape (n_elements, n_elements): receiver, sender. */
  readonly pairOf: Uint32Array;
  /** Classes of pairs, which share their tables. */
  readonly nClasses: number;
  /** Intervals of every radial table. */
  readonly nIntervals: number;
  /** Shape (n_elements, padded). */
  readonly embedding: Float32Array;
  readonly layers: readonly BakedLayer[];
}

/**
 * One interaction and product basis. What enters the first layer depends on the sender's element alone:
 * its neighbor sums run over few independent radial functions instead of channels, apart for every
 * element of the senders (`groups`), and its message weights expand them into channels.
 */
export interface BakedLayer extends TableSource {
  readonly lIn: number;
  readonly lOut: number;
  /** Per path: l1, l2, first component of its output, first and last coupling; shape (n_paths, 5). */
  readonly paths: Uint32Array;
  readonly nPaths: number;
  /** l3 of each path. */
  readonly degrees: readonly number[];
  /** Components of the atomic basis over all paths. */
  readonly nComponents: number;
  /** Couplings sorted by path and k: place 7 a + b, k and the value's bits; shape (n, 3). */
  readonly couplings: Uint32Array;
  /** Neighbor sums that are kept apart: one per element of the senders, or a single one. */
  readonly groups: number;
  /** Shape (lIn + 1, padded, padded); null in the first layer. */
  readonly up: Float32Array | null;
  /** Message linear, with the element's skip weights where the block has no residual;
   * shape (n_elements or 1, n_paths, groups · width, padded). */
  readonly message: Float32Array;
  readonly messagePerElement: boolean;
  /** Residual weights, shape (n_elements, n_skip, padded, padded), or null. */
  readonly skip: Float32Array | null;
  readonly nSkip: number;
  readonly contractions: readonly BakedContraction[];
  /** Shape (lOut + 1, padded, padded). */
  readonly product: Float32Array;
}

export interface BakedContraction {
  readonly l: number;
  readonly nTerms: number;
  /** Component and three factors of each monomial, shape (n_terms, 4), sorted by component. */
  readonly terms: Uint8Array;
  /** Shape (n_elements, n_terms, padded). */
  readonly coefficients: Float32Array;
}

/** How a model is baked. */
export interface BakeOptions {
  /** Layers, all if not given. */
  readonly nLayers?: number;
  /** Intervals of the tables; as many as the elements need if not given. */
  readonly nIntervals?: number;
  /** Whether gradients of the weights are wanted, for which the first layer's radial functions are not replaced by
   * fewer ones, and tables need not be as good as float32. */
  readonly training?: boolean;
}

/** Bakes a model for the elements that occur, given as atomic numbers. */
export function bakeModel(
  model: MaceModel,
  species: readonly number[],
  { nLayers, nIntervals, training = false }: BakeOptions = {},
): BakedModel {
  const indices = elementIndices(model);
  const elementOf = new Uint8Array(256).fill(255);
  species.forEach((z, i) => elementOf[z] = i);
  const places = species.map((z) => indices[z]);
  const pairs = pairClasses(model, species);
  const padded = roundUp(model.channels, CHANNEL_BLOCK);
  const layers = model.layers.slice(0, nLayers);
  const factorise = training ? hiddenRadial : fewRadial;
  const factors = pays(model, layers[0], species.length, training)
    ? pairs.list.map(([sender, receiver]) => factorise(model, layers[0], sender, receiver))
    : null;
  const radials = layers.map((layer, t) =>
    pairs.list.map(([sender, receiver], k) =>
      t === 0 && factors ? factors[k].functions : radialFunctions(model, layer, sender, receiver)
    )
  );
  const shape = { model, places, pairs, padded };
  return {
    channels: model.channels,
    padded,
    lMax: model.lMax,
    rMax: model.rMax,
    elementOf,
    nElements: species.length,
    pairOf: pairs.of,
    nClasses: pairs.list.length,
    nIntervals: nIntervals ?? intervalsFor(radials, model.rMax, training),
    embedding: concatenate(
      places.map((z) => padColumns(elementEmbedding(model, z), model.channels, padded)),
    ),
    layers: layers.map((layer, t) => bakeLayer(shape, layer, radials[t], t === 0 ? factors : null)),
  };
}

/** Whether neighbor sums over radial functions, apart for every element of the senders, are less work than over
 * all channels of the first layer. */
function pays(model: MaceModel, layer: MaceLayer, nElements: number, training: boolean): boolean {
  const { radialWidths, residual } = layer;
  // Where features are added to the output, those of the first layer have an adjoint.
  if (training) {
    return radialWidths[radialWidths.length - 2] * nElements <= model.channels && !residual;
  }
  return nElements <= FEW_ELEMENTS || radialWidths.length === 2;
}

/** What every layer is baked with. */
interface Shape {
  readonly model: MaceModel;
  /** Place of each baked element among those of the model. */
  readonly places: readonly number[];
  readonly pairs: PairClasses;
  readonly padded: number;
}

function roundUp(n: number, block: number): number {
  return Math.ceil(n / block) * block;
}

/** Node features of an element before the first layer, shape (C). */
export function elementEmbedding(
  { embedding, channels: C, elementNormalizer }: MaceModel,
  z: number,
) {
  const scale = 1 / Math.sqrt(elementNormalizer);
  return embedding.slice(z * C, (z + 1) * C).map((x) => x * scale);
}

function bakeLayer(
  shape: Shape,
  layer: MaceLayer,
  radials: readonly RadialFunctions[],
  factors: readonly FactorisedRadial[] | null,
): BakedLayer {
  const { model, places, padded } = shape;
  const C = model.channels;
  const { total } = pathOffsets(layer.paths);
  const squares = (weights: Float64Array, count: number, scale = 1) =>
    padMatrices(weights, [count, C, C], [padded, padded], scale);
  const nSkip = layer.residual ? Math.min(layer.nSkip, layer.lIn + 1, layer.lOut + 1) : 0;
  const residual = places.flatMap((z) =>
    Array.from({ length: nSkip }, (_, l) => squares(skipWeights(model, layer, l, z), 1))
  );
  return {
    lIn: layer.lIn,
    lOut: layer.lOut,
    ...bakePaths(layer),
    nPaths: layer.paths.length,
    degrees: layer.paths.map((path) => path[2]),
    nComponents: total,
    ...(factors ? factorisedSums(shape, layer, factors) : fullSums(shape, layer)),
    radials,
    densityWeight: layer.densityWeight,
    skip: nSkip > 0 ? concatenate(residual) : null,
    nSkip,
    contractions: layer.contractions.map((contraction) => ({
      l: contraction.l,
      nTerms: contraction.nTerms,
      terms: packTerms(contraction),
      coefficients: concatenate(
        places.map((z) => padColumns(elementCoefficients(contraction, z, C), C, padded)),
      ),
    })),
    product: squares(layer.productLinear, layer.lOut + 1, 1 / Math.sqrt(C)),
  };
}

type NeighborSums = Pick<
  BakedLayer,
  "width" | "groups" | "up" | "nRadials" | "message" | "messagePerElement"
>;

/** Neighbor sums over all channels of the features. */
function fullSums({ model, places, padded }: Shape, layer: MaceLayer): NeighborSums {
  const C = model.channels;
  const receivers = layer.residual ? [null] : places;
  return {
    width: padded,
    groups: 1,
    up: padMatrices(layer.linearUp, [layer.lIn + 1, C, C], [padded, padded], 1 / Math.sqrt(C)),
    nRadials: layer.paths.length,
    message: concatenate(
      receivers.flatMap((z) =>
        layer.paths.map((_, p) =>
          padMatrices(messageWeights(model, layer, p, z), [1, C, C], [padded, padded])
        )
      ),
    ),
    messagePerElement: !layer.residual,
  };
}

/**
 * Neighbor sums over the few independent radial functions, one group per element z of the senders,
 * with R = φ V and h the features of z: A[c] = Σ_z Σ_q V[q, c] h_z[c] Σ_e φ_q Y.
 */
function factorisedSums(
  { model, places, pairs, padded }: Shape,
  layer: MaceLayer,
  factors: readonly FactorisedRadial[],
): NeighborSums {
  const C = model.channels;
  const n = places.length;
  const width = roundUp(Math.max(...factors.map(({ rank }) => rank)), CHANNEL_BLOCK);
  const up = places.map((z) =>
    product(elementEmbedding(model, z), layer.linearUp, [1, C, C]).map((x) => x / Math.sqrt(C))
  );
  const message: Float32Array[] = [];
  places.forEach((z, receiver) => {
    layer.paths.forEach((_, p) => {
      const weights = messageWeights(model, layer, p, layer.residual ? null : z);
      for (let sender = 0; sender < n; sender++) {
        const { rank, mixing } = factors[pairs.of[receiver * n + sender]];
        const expand = new Float64Array(rank * C);
        for (let q = 0; q < rank; q++) {
          for (let c = 0; c < C; c++) {
            expand[q * C + c] = mixing[(q * layer.paths.length + p) * C + c] * up[sender][c];
          }
        }
        const mixed = product(expand, weights, [rank, C, C]);
        message.push(padMatrices(mixed, [1, rank, C], [width, padded]));
      }
    });
  });
  return {
    width,
    groups: n,
    up: null,
    nRadials: 1,
    message: concatenate(message),
    messagePerElement: true,
  };
}

/** Skip weights of degree l and one element, normalised, shape (C, C). */
export function skipWeights(
  model: MaceModel,
  layer: MaceLayer,
  l: number,
  z: number,
): Float64Array {
  const C = model.channels;
  const scale = 1 / Math.sqrt(C * model.elementNormalizer);
  return elementWeights(layer.skip, l, z, model.elements.length, C).map((w) => w * scale);
}

/**
 * W_linear,p / √(C n_l) / normaliser of one path, times the receiver's skip weights where z is given;
 * shape (C, C).
 */
export function messageWeights(
  model: MaceModel,
  layer: MaceLayer,
  p: number,
  z: number | null,
): Float64Array {
  const C = model.channels;
  const l = layer.paths[p][2];
  const scale = messageScale(layer, p, C);
  const linear = layer.linear.subarray(p * C * C, (p + 1) * C * C).map((w) => w * scale);
  return z === null ? linear : product(linear, skipWeights(model, layer, l, z), [C, C, C]);
}

/** 1 / √(C n_l) / normaliser of one path, n_l that of paths that lead to its degree. */
export function messageScale(layer: MaceLayer, p: number, channels: number): number {
  const fanIn = channels * layer.paths.filter((path) => path[2] === layer.paths[p][2]).length;
  return 1 / (Math.sqrt(fanIn) * (layer.density ? 1 : layer.avgNumNeighbors));
}

function bakePaths({ paths }: MaceLayer): { paths: Uint32Array; couplings: Uint32Array } {
  const { offsets } = pathOffsets(paths);
  const table = new Uint32Array(5 * paths.length);
  const couplings: number[] = [];
  const bits = new DataView(new ArrayBuffer(4));
  paths.forEach(([l1, l2, l3], p) => {
    const first = couplings.length / 3;
    const sorted = messageCouplings(l1, l2, l3).sort((x, y) => x[2] - y[2]);
    for (const [a, b, k, value] of sorted) {
      bits.setFloat32(0, value);
      couplings.push(7 * a + b, k, bits.getUint32(0));
    }
    table.set([l1, l2, offsets[p], first, couplings.length / 3], 5 * p);
  });
  return { paths: table, couplings: Uint32Array.from(couplings) };
}

function packTerms({ component, indices, nTerms }: {
  component: Uint8Array;
  indices: Uint8Array;
  nTerms: number;
}): Uint8Array {
  const terms = new Uint8Array(4 * nTerms);
  for (let t = 0; t < nTerms; t++) {
    terms[4 * t] = component[t];
    terms.set(indices.subarray(3 * t, 3 * t + 3), 4 * t + 1);
  }
  return terms;
}
