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
  | "nComponents"
  | "messagePerElement"
  | "nSkip";

export interface StoredLayer extends Pick<BakedLayer, Shape> {
  /** First component of each path. */
  readonly offsets: readonly number[];
  readonly paths: number;
  readonly couplings: number;
  readonly up: number;
  readonly table: number;
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
  return {
    ...model,
    layers: model.layers.map((layer) => ({
      lIn: layer.lIn,
      lOut: layer.lOut,
      nPaths: layer.nPaths,
      degrees: layer.degrees,
      offsets: layer.degrees.map((_, p) => layer.paths[5 * p + 2]),
      nComponents: layer.nComponents,
      messagePerElement: layer.messagePerElement,
      nSkip: layer.nSkip,
      paths: store(memory, layer.paths),
      couplings: store(memory, layer.couplings),
      up: store(memory, layer.up),
      table: store(memory, layer.table),
      densityTable: layer.densityTable ? store(memory, layer.densityTable) : 0,
      message: store(memory, layer.message),
      skip: layer.skip ? store(memory, layer.skip) : 0,
      product: store(memory, layer.product),
      contractions: layer.contractions.map(({ l, nTerms, terms, coefficients }) => ({
        l,
        nTerms,
        terms: store(memory, terms),
        coefficients: store(memory, coefficients),
      })),
    })),
  };
}
