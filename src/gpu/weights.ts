import type { BakedLayer, BakedModel } from "../model/bake.ts";
import type { Gpu } from "./device.ts";
import { storageBuffer } from "./kernel.ts";

/** One layer's weights on the device. */
export interface LayerBuffers {
  readonly layer: BakedLayer;
  readonly up: GPUBuffer;
  readonly table: GPUBuffer;
  readonly densityTable: GPUBuffer;
  readonly message: GPUBuffer;
  readonly skip: GPUBuffer | null;
  readonly product: GPUBuffer;
  readonly shape: GPUBuffer;
  readonly contractions: readonly { terms: GPUBuffer; coefficients: GPUBuffer }[];
}

/** Numbers per path in the shape buffer: a header and dense couplings (5, 7, 8). */
const SHAPE = 284;

/** Copies the weights of every layer to the device. */
export function uploadLayers(gpu: Gpu, model: BakedModel): LayerBuffers[] {
  return model.layers.map((layer, t) => {
    const upload = (name: string, content: Float32Array | Uint32Array) =>
      storageBuffer(gpu, `layer ${t} ${name}`, content);
    return {
      layer,
      up: upload("up", layer.up),
      table: upload("table", layer.table),
      densityTable: upload("density table", layer.densityTable ?? new Float32Array(2)),
      message: upload("message", layer.message),
      skip: layer.skip && upload("skip", layer.skip),
      product: upload("product", layer.product),
      shape: upload("shape", pathShapes(layer)),
      contractions: layer.contractions.map(({ l, terms, coefficients }) => ({
        terms: upload(`terms ${l}`, new Uint32Array(terms.buffer as ArrayBuffer)),
        coefficients: upload(`coefficients ${l}`, coefficients),
      })),
    };
  });
}

/** Every buffer of a layer. */
export function layerBuffers(buffers: LayerBuffers): GPUBuffer[] {
  const { up, table, densityTable, message, skip, product, shape, contractions } = buffers;
  const rest = contractions.flatMap(({ terms, coefficients }) => [terms, coefficients]);
  return [up, table, densityTable, message, ...(skip ? [skip] : []), product, shape, ...rest];
}

function pathShapes({ paths, nPaths, degrees, couplings }: BakedLayer): Float32Array {
  const out = new Float32Array(nPaths * SHAPE);
  const values = new Float32Array(couplings.buffer as ArrayBuffer);
  for (let p = 0; p < nPaths; p++) {
    const [l1, l2, first, begin, end] = paths.subarray(5 * p, 5 * p + 5);
    out.set([l1, l2, degrees[p], first], p * SHAPE);
    for (let i = begin; i < end; i++) {
      const [a, b] = [Math.floor(couplings[3 * i] / 7), couplings[3 * i] % 7];
      out[p * SHAPE + 4 + 8 * (7 * a + couplings[3 * i + 1]) + b] = values[3 * i + 2];
    }
  }
  return out;
}
