import type { BakedLayer, BakedModel } from "../model/bake.ts";
import type { Gpu } from "./device.ts";
import { storageBuffer } from "./kernel.ts";

/** One layer's weights on the device. */
export interface LayerBuffers {
  readonly layer: BakedLayer;
  /** Null in the first layer. */
  readonly up: GPUBuffer | null;
  readonly table: GPUBuffer;
  readonly densityTable: GPUBuffer;
  readonly message: GPUBuffer;
  readonly skip: GPUBuffer | null;
  readonly product: GPUBuffer;
  readonly contractions: readonly { terms: GPUBuffer; coefficients: GPUBuffer }[];
}

/** Copies the weights of every layer to the device. */
export function uploadLayers(gpu: Gpu, model: BakedModel): LayerBuffers[] {
  return model.layers.map((layer, t) => {
    const upload = (name: string, content: Float32Array | Uint32Array) =>
      storageBuffer(gpu, `layer ${t} ${name}`, content);
    return {
      layer,
      up: layer.up && upload("up", layer.up),
      table: upload("table", layer.table),
      densityTable: upload("density table", layer.densityTable ?? new Float32Array(4)),
      message: upload("message", layer.message),
      skip: layer.skip && upload("skip", layer.skip),
      product: upload("product", layer.product),
      contractions: layer.contractions.map(({ l, terms, coefficients }) => ({
        terms: upload(`terms ${l}`, new Uint32Array(terms.buffer as ArrayBuffer)),
        coefficients: upload(`coefficients ${l}`, coefficients),
      })),
    };
  });
}

/** Every buffer of a layer. */
export function layerBuffers(buffers: LayerBuffers): GPUBuffer[] {
  const { up, table, densityTable, message, skip, product, contractions } = buffers;
  const rest = contractions.flatMap(({ terms, coefficients }) => [terms, coefficients]);
  return [up, table, densityTable, message, skip, product, ...rest].filter((buffer) =>
    buffer !== null
  );
}
