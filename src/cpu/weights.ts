import type { BakedLayer, BakedModel } from "../model/bake.ts";
import { bakeAdjoint } from "../model/bake_adjoint.ts";
import { classBytes } from "../model/bake_tables.ts";
import { allocate, store } from "./memory.ts";
import type { TablePlace } from "./radial_table.ts";

/** A baked model in shared memory: addresses instead of arrays, plain numbers for the rest. */
export interface StoredModel extends Omit<BakedModel, "layers"> {
  /** Classes of pairs whose tables there is room for; `pairOf` counts in these slots. */
  readonly nSlots: number;
  readonly layers: readonly StoredLayer[];
}

/** Bytes that radial tables may take. */
const MOST_TABLES = 2 ** 31;

/** Slots for radial tables: one for each class, or as many as there is room for. */
export function countSlots({ layers, nIntervals, nClasses }: BakedModel): number {
  return Math.min(nClasses, Math.floor(MOST_TABLES / classBytes(layers, nIntervals)));
}

type Shape =
  | "lIn"
  | "lOut"
  | "nPaths"
  | "degrees"
  | "width"
  | "groups"
  | "messagePerElement"
  | "nSkip";

export interface StoredPath {
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
  readonly couplings: number;
  readonly nCouplings: number;
}

export interface StoredLayer extends Pick<BakedLayer, Shape>, TablePlace {
  readonly paths: readonly StoredPath[];
  /** 0 in the first layer. */
  readonly up: number;
  readonly message: number;
  readonly skip: number;
  readonly product: number;
  readonly contractions: readonly {
    readonly l: number;
    readonly nTerms: number;
    readonly terms: number;
    readonly coefficients: number;
  }[];
  /** Null where descriptors alone are wanted. */
  readonly adjoint: StoredAdjoint | null;
}

/** Transposed weights, for the way back. What enters the first layer has no adjoint: 0 for its `up` and
 * `skip`. */
export type StoredAdjoint = Pick<StoredLayer, "up" | "message" | "skip" | "product">;

/**
 * Copies the weights into shared memory, once for all threads, and makes room for the tables.
 *
 * @param adjoint whether the weights of the way back are stored too
 */
export function storeModel(
  memory: WebAssembly.Memory,
  model: BakedModel,
  adjoint: boolean,
): StoredModel {
  const { padded, nIntervals } = model;
  const nSlots = countSlots(model);
  const room = (columns: number) => allocate(memory, 16 * nSlots * nIntervals * columns);
  return {
    ...model,
    nSlots,
    layers: model.layers.map((layer) => ({
      lIn: layer.lIn,
      lOut: layer.lOut,
      nPaths: layer.nPaths,
      degrees: layer.degrees,
      width: layer.width,
      groups: layer.groups,
      messagePerElement: layer.messagePerElement,
      nSkip: layer.nSkip,
      paths: storePaths(memory, layer),
      up: layer.up ? store(memory, blockColumns(layer.up, padded, padded)) : 0,
      tables: Array.from({ length: layer.nRadials }, () => room(layer.width)),
      densityTable: layer.densityWeight ? room(1) : 0,
      message: store(memory, blockColumns(layer.message, layer.groups * layer.width, padded)),
      skip: layer.skip ? store(memory, blockColumns(layer.skip, padded, padded)) : 0,
      product: store(memory, blockColumns(layer.product, padded, padded)),
      contractions: layer.contractions.map(({ l, nTerms, terms, coefficients }) => ({
        l,
        nTerms,
        terms: store(memory, terms),
        coefficients: store(memory, coefficients),
      })),
      adjoint: adjoint ? storeAdjoint(memory, layer, padded) : null,
    })),
  };
}

function storeAdjoint(
  memory: WebAssembly.Memory,
  layer: BakedLayer,
  padded: number,
): StoredAdjoint {
  const { up, message, skip, product } = bakeAdjoint(layer, padded);
  const blocked = (matrices: Float32Array | null, columns: number) =>
    matrices ? store(memory, blockColumns(matrices, padded, columns)) : 0;
  return {
    up: blocked(up, padded),
    message: blocked(message, layer.groups * layer.width),
    skip: blocked(skip, padded),
    product: blocked(product, padded),
  };
}

function storePaths(memory: WebAssembly.Memory, layer: BakedLayer): StoredPath[] {
  const couplings = store(memory, layer.couplings);
  return layer.degrees.map((l3, p) => {
    const [l1, l2, , first, last] = layer.paths.subarray(5 * p, 5 * p + 5);
    return { l1, l2, l3, couplings: couplings + 12 * first, nCouplings: last - first };
  });
}

/** Matrices (n, m) one after the other become (m / 8, n, 8) each, as channel_mix reads them. */
export function blockColumns(matrices: Float32Array, n: number, m: number): Float32Array {
  const out = new Float32Array(matrices.length);
  for (let start = 0; start < matrices.length; start += n * m) {
    for (let u = 0; u < n; u++) {
      for (let w = 0; w < m; w++) {
        out[start + 8 * (Math.floor(w / 8) * n + u) + w % 8] = matrices[start + u * m + w];
      }
    }
  }
  return out;
}
