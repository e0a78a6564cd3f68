import { RequestError } from "../errors.ts";
import { pathOffsets } from "./atomic_basis.ts";
import { elementWeights } from "./channel_mix.ts";
import { messageCouplings } from "./couplings.ts";
import { elementIndices, type MaceLayer, type MaceModel } from "./mace_model.ts";
import { elementCoefficients } from "./product_basis.ts";
import { densityFunction, knotsNeeded, radialFunction, tabulate } from "./radial_table.ts";

/**
 * Numbers smaller than this share of the largest of their array are zero: weight decay leaves many
 * trained weights near 1e-30, whose products are subnormal and slow a processor down a hundredfold.
 */
const NEGLIGIBLE = 1e-14;

/** Radial tables beyond this do not fit the memory of the kernels, bytes. */
const MAX_TABLES = 2 ** 31;

/** Channels are padded with zeros to a multiple of this, the width of the widest kernel. */
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
  /** Table of each pair of elements, shape (n_elements, n_elements): receiver, sender. */
  readonly pairOf: Uint32Array;
  readonly nKnots: number;
  /** Shape (n_elements, padded). */
  readonly embedding: Float32Array;
  readonly layers: readonly BakedLayer[];
}

export interface BakedLayer {
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
  /** Shape (lIn + 1, padded, padded). */
  readonly up: Float32Array;
  /** Shape (n_pairs, n_knots, 2, n_paths, padded). */
  readonly table: Float32Array;
  /** Shape (n_pairs, n_knots, 2), or null. */
  readonly densityTable: Float32Array | null;
  /** Message linear, with the element's skip weights where the block has no residual;
   * shape (n_elements or 1, n_paths, padded, padded). */
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

/** Bakes the first `nLayers` layers for the elements that occur, given as atomic numbers. */
export function bakeModel(
  model: MaceModel,
  species: readonly number[],
  nLayers = model.layers.length,
): BakedModel {
  const indices = elementIndices(model);
  const elementOf = new Uint8Array(256).fill(255);
  species.forEach((z, i) => elementOf[z] = i);
  const pairs = elementPairs(model, species);
  const padded = Math.ceil(model.channels / CHANNEL_BLOCK) * CHANNEL_BLOCK;
  const layers = model.layers.slice(0, nLayers);
  const nKnots = Math.max(
    ...layers.flatMap((layer) =>
      pairs.list.map(([sender, receiver]) =>
        knotsNeeded(radialFunction(model, layer, sender, receiver), model.rMax)
      )
    ),
  );
  checkTables(layers, pairs.list.length, nKnots, padded);
  const scale = 1 / Math.sqrt(model.elementNormalizer);
  const places = species.map((z) => indices[z]);
  const embedding = new Float32Array(species.length * padded);
  places.forEach((z, i) => {
    for (let c = 0; c < model.channels; c++) {
      embedding[i * padded + c] = model.embedding[z * model.channels + c] * scale;
    }
  });
  return {
    channels: model.channels,
    padded,
    lMax: model.lMax,
    rMax: model.rMax,
    elementOf,
    nElements: species.length,
    pairOf: pairs.of,
    nKnots,
    embedding,
    layers: layers.map((layer) => bakeLayer(model, layer, places, pairs.list, nKnots, padded)),
  };
}

function checkTables(
  layers: readonly MaceLayer[],
  nPairs: number,
  nKnots: number,
  padded: number,
): void {
  const columns = layers.reduce((sum, layer) => sum + layer.paths.length * padded, 0);
  const bytes = 8 * nPairs * nKnots * columns;
  if (bytes <= MAX_TABLES) return;
  throw new RequestError(
    `Cannot tabulate ${nPairs} pairs of elements: ${(bytes / 1e9).toFixed(1)} GB; ` +
      "use --layers 1, or distil frames of fewer elements at a time",
  );
}

/** Distinct radial functions: one per unordered pair of elements with Agnesi, one alone without. */
function elementPairs(model: MaceModel, species: readonly number[]) {
  const n = species.length;
  const of = new Uint32Array(n * n);
  if (!model.radial.agnesi) return { of, list: [[species[0], species[0]]] };
  const list: number[][] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      of[i * n + j] = of[j * n + i] = list.length;
      list.push([species[i], species[j]]);
    }
  }
  return { of, list };
}

function bakeLayer(
  model: MaceModel,
  layer: MaceLayer,
  places: readonly number[],
  pairs: readonly number[][],
  nKnots: number,
  padded: number,
): BakedLayer {
  const C = model.channels;
  const { total } = pathOffsets(layer.paths);
  const square = (weights: Float64Array, count: number, scale: number) =>
    padSquares(weights, count, C, padded, scale);
  const tables = pairs.map(([sender, receiver]) => {
    const f = radialFunction(model, layer, sender, receiver);
    return padColumns(tabulate(f, model.rMax, nKnots), C, padded);
  });
  const densities = pairs.map(([sender, receiver]) =>
    tabulate(densityFunction(model, layer, sender, receiver), model.rMax, nKnots)
  );
  const elementScale = 1 / Math.sqrt(C * model.elementNormalizer);
  const skipOf = (l: number, z: number) =>
    elementWeights(layer.skip, l, z, model.elements.length, C).map((w) => w * elementScale);
  const nSkip = layer.residual ? Math.min(layer.nSkip, layer.lIn + 1, layer.lOut + 1) : 0;
  const residual = places.flatMap((z) =>
    Array.from({ length: nSkip }, (_, l) => square(skipOf(l, z), 1, 1))
  );
  return {
    lIn: layer.lIn,
    lOut: layer.lOut,
    ...bakePaths(layer),
    nPaths: layer.paths.length,
    degrees: layer.paths.map((path) => path[2]),
    nComponents: total,
    up: square(layer.linearUp, layer.lIn + 1, 1 / Math.sqrt(C)),
    table: concatenate(tables),
    densityTable: layer.density ? concatenate(densities) : null,
    message: bakeMessage(layer, C, padded, layer.residual ? null : places, skipOf),
    messagePerElement: !layer.residual,
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
    product: square(layer.productLinear, layer.lOut + 1, 1 / Math.sqrt(C)),
  };
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

/** W_linear,p / √(C n_l) / normaliser, times the element's skip weights where there is no residual. */
function bakeMessage(
  layer: MaceLayer,
  C: number,
  padded: number,
  places: readonly number[] | null,
  skipOf: (l: number, z: number) => Float64Array,
): Float32Array {
  const norm = layer.density ? 1 : layer.avgNumNeighbors;
  const parts: Float32Array[] = [];
  for (const z of places ?? [-1]) {
    layer.paths.forEach(([, , l], p) => {
      const fanIn = C * layer.paths.filter((path) => path[2] === l).length;
      const linear = layer.linear.subarray(p * C * C, (p + 1) * C * C);
      const weight = z < 0 ? linear : squareProduct(linear, skipOf(l, z), C);
      parts.push(padSquares(weight, 1, C, padded, 1 / (Math.sqrt(fanIn) * norm)));
    });
  }
  return concatenate(parts);
}

function squareProduct(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < n; j++) out[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return out;
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

/** `count` matrices (C, C) as float32 matrices (padded, padded). */
function padSquares(
  weights: Float64Array,
  count: number,
  C: number,
  padded: number,
  scale: number,
): Float32Array {
  const out = new Float32Array(count * padded * padded);
  for (let m = 0; m < count; m++) {
    for (let u = 0; u < C; u++) {
      for (let w = 0; w < C; w++) {
        out[(m * padded + u) * padded + w] = weights[(m * C + u) * C + w] * scale;
      }
    }
  }
  return dropNegligible(out);
}

/** Rows of C numbers as float32 rows of `padded`. */
function padColumns(rows: ArrayLike<number>, C: number, padded: number): Float32Array {
  const n = rows.length / C;
  const out = new Float32Array(n * padded);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < C; c++) out[i * padded + c] = rows[i * C + c];
  }
  return dropNegligible(out);
}

/** Sets negligible numbers to zero, in place. */
function dropNegligible(x: Float32Array): Float32Array {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < x.length; i++) if (Math.abs(x[i]) < NEGLIGIBLE * largest) x[i] = 0;
  return x;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
