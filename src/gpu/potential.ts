import type { Potential } from "../backend.ts";
import type { Frame } from "../frame.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { Prediction } from "../model/prediction.ts";
import { readoutModel } from "../model/readout.ts";
import { BATCH_ATOMS, type Device, openMace, runInBatches } from "./engine.ts";
import { predictFrames, uploadReadouts } from "./predict.ts";

/** Copies a model to the device, to predict with one of its heads. */
export async function openPotential(
  device: Device,
  model: MaceModel,
  elements: readonly number[],
  head: number,
): Promise<Potential> {
  const { gpu, kernels } = device;
  const engine = await openMace(device, model, model.layers.length, elements, true);
  const energies = uploadReadouts(gpu, readoutModel(model), head, model.zbl);
  return {
    batchAtoms: BATCH_ATOMS,
    async predict(frames) {
      const predictions: Prediction[] = [];
      for (const group of engine.groups(frames)) {
        const run = (some: readonly Frame[], capacity: number) =>
          engine.tiling.run((paths) =>
            predictFrames(gpu, kernels, group.model, engine.layers, paths, energies, some, capacity)
          );
        const batches = runInBatches(device, engine, group.frames, model.rMax, "predict", run);
        for await (const { result } of batches) predictions.push(...result);
      }
      return predictions;
    },
    close() {
      engine.close();
      for (const { buffer } of energies.weights) buffer.destroy();
      return Promise.resolve();
    },
  };
}
