import type { BakedLayer, BakedModel } from "../model/bake.ts";
import { store } from "./memory.ts";

/** A baked model in shared memory: addresses instead of arrays, plain numbers for the rest. */
export interface StoredModel extends Omit<BakedModel, "layers"> {
  readonly layers: readonly StoredLayer[];
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
  /** Cubics of four channels together, shape (width / 4, n_pairs · n_intervals, 4, 4). */
  readonly table: number;
}

export interface StoredLayer extends Pick<BakedLayer, Shape> {
  readonly paths: readonly StoredPath[];
  /** 0 in the first layer. */
  readonly up: number;
  readonly densityTable: number;
  readonly message: number;
  readonly skip: number;
  readonly product: number;
  readonly contractions: readonly {
    readonly l: number;
    readonly nTerms: number;
    readonly terms: number;
    readonly coefficients: number;
  }[];
}

/** Copies the weights into shared memory, once for all threads. */
export function storeModel(memory: WebAssembly.Memory, model: BakedModel): StoredModel {
  const { padded } = model;
  return {
    ...model,
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
      densityTable: layer.densityTable ? store(memory, layer.densityTable) : 0,
      message: store(memory, blockColumns(layer.message, layer.groups * layer.width, padded)),
      skip: layer.skip ? store(memory, blockColumns(layer.skip, padded, padded)) : 0,
      product: store(memory, blockColumns(layer.product, padded, padded)),
      contractions: layer.contractions.map(({ l, nTerms, terms, coefficients }) => ({
        l,
        nTerms,
        terms: store(memory, terms),
        coefficients: store(memory, coefficients),
      })),
    })),
  };
}

function storePaths(memory: WebAssembly.Memory, layer: BakedLayer): StoredPath[] {
  const { table, nRadials, width } = layer;
  const couplings = store(memory, layer.couplings);
  const tables = Array.from(
    { length: nRadials },
    (_, i) => store(memory, blockCubics(table, nRadials, width, i)),
  );
  return layer.degrees.map((l3, p) => {
    const [l1, l2, , first, last] = layer.paths.subarray(5 * p, 5 * p + 5);
    return {
      l1,
      l2,
      l3,
      couplings: couplings + 12 * first,
      nCouplings: last - first,
      table: tables[Math.min(p, nRadials - 1)],
    };
  });
}

/** Cubics of radial function i: (n_rows, n_radials, width, 4) becomes (width / 4, n_rows, 4, 4). */
function blockCubics(
  table: Float32Array,
  nRadials: number,
  width: number,
  i: number,
): Float32Array {
  const nRows = table.length / (4 * nRadials * width);
  const out = new Float32Array(4 * nRows * width);
  for (let row = 0; row < nRows; row++) {
    for (let c = 0; c < width; c++) {
      const from = 4 * ((row * nRadials + i) * width + c);
      const to = 16 * (Math.floor(c / 4) * nRows + row) + c % 4;
      for (let k = 0; k < 4; k++) out[to + 4 * k] = table[from + k];
    }
  }
  return out;
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
