import type { BakedLayer, BakedModel } from "../model/bake.ts";
import { type AdjointWeights, bakeAdjoint } from "../model/bake_adjoint.ts";
import { bakeDensity, bakeTable, type TablePlan } from "../model/bake_tables.ts";
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
  /** Null where descriptors alone are wanted. */
  readonly adjoint: AdjointBuffers | null;
}

/** The weights of the way back on the device. */
export type AdjointBuffers = Pick<LayerBuffers, "up" | "message" | "skip" | "product">;

/** Bytes of one class of pairs in a layer's table. */
function tableBytes({ nRadials, width }: BakedLayer, nIntervals: number): number {
  return 16 * nIntervals * nRadials * width;
}

/** Classes of pairs whose tables fit the bindings of the device. */
export function countSlots(
  { maxBinding }: Gpu,
  { layers, nIntervals, nClasses }: BakedModel,
): number {
  const largest = Math.max(...layers.map((layer) => tableBytes(layer, nIntervals)));
  return Math.min(nClasses, Math.floor(maxBinding / largest));
}

/** Fills one slot with the tables of a class of pairs. */
export function uploadTables(
  gpu: Gpu,
  { nIntervals }: BakedModel,
  buffers: readonly LayerBuffers[],
  { class: k, slot }: TablePlan["load"][number],
): void {
  for (const { layer, table, densityTable } of buffers) {
    const write = (buffer: GPUBuffer, content: Float32Array) =>
      gpu.device.queue.writeBuffer(
        buffer,
        slot * content.byteLength,
        content as Float32Array<ArrayBuffer>,
      );
    write(table, bakeTable(layer, k, nIntervals));
    if (layer.densityWeight) write(densityTable, bakeDensity(layer, k, nIntervals));
  }
}

/**
 * Copies the weights of every layer to the device, and makes room for the tables.
 *
 * @param adjoint whether the weights of the way back are copied too
 */
export function uploadLayers(
  gpu: Gpu,
  model: BakedModel,
  nSlots: number,
  adjoint: boolean,
): LayerBuffers[] {
  const { nIntervals, padded } = model;
  return model.layers.map((layer, t) => {
    const upload = (name: string, content: Float32Array | Uint32Array) =>
      storageBuffer(gpu, `layer ${t} ${name}`, content);
    return {
      layer,
      up: layer.up && upload("up", layer.up),
      table: storageBuffer(gpu, `layer ${t} table`, nSlots * tableBytes(layer, nIntervals)),
      densityTable: storageBuffer(gpu, `layer ${t} density table`, nSlots * 16 * nIntervals),
      message: upload("message", layer.message),
      skip: layer.skip && upload("skip", layer.skip),
      product: upload("product", layer.product),
      contractions: layer.contractions.map(({ l, terms, coefficients }) => ({
        terms: upload(`terms ${l}`, new Uint32Array(terms.buffer as ArrayBuffer)),
        coefficients: upload(`coefficients ${l}`, coefficients),
      })),
      adjoint: adjoint ? uploadAdjoint(gpu, t, bakeAdjoint(layer, padded)) : null,
    };
  });
}

function uploadAdjoint(
  gpu: Gpu,
  t: number,
  { up, message, skip, product }: AdjointWeights,
): AdjointBuffers {
  const upload = (name: string, content: Float32Array) =>
    storageBuffer(gpu, `layer ${t} ${name}, transposed`, content);
  return {
    up: up && upload("up", up),
    message: upload("message", message),
    skip: skip && upload("skip", skip),
    product: upload("product", product),
  };
}

/** Every buffer of a layer. */
export function layerBuffers(buffers: LayerBuffers): GPUBuffer[] {
  const { up, table, densityTable, message, skip, product, contractions, adjoint } = buffers;
  const back = adjoint ? [adjoint.up, adjoint.message, adjoint.skip, adjoint.product] : [];
  const rest = contractions.flatMap(({ terms, coefficients }) => [terms, coefficients]);
  return [up, table, densityTable, message, skip, product, ...back, ...rest].filter((buffer) =>
    buffer !== null
  );
}
