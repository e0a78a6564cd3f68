import type { MaceModel } from "./mace_model.ts";
import type { SchnetModel } from "./schnet_model.ts";

/** A model whose features describe atoms. */
export type DescriptorModel = MaceModel | SchnetModel;

export function isSchnet(model: DescriptorModel): model is SchnetModel {
  return model.kind === "SchNet";
}

/** Descriptors per atom over the first `nLayers` layers: the invariants of every layer of a MACE model,
 * the features after the last of these layers of a SchNet. */
export function descriptorLength(model: DescriptorModel, nLayers = model.layers.length): number {
  return isSchnet(model) ? model.channels : nLayers * model.channels;
}

/** Place of each atomic number among the model's elements, -1 if unknown, shape (256). */
export function elementIndices({ elements }: DescriptorModel): Int16Array {
  const table = new Int16Array(256).fill(-1);
  elements.forEach((z, i) => table[z] = i);
  return table;
}
