import type { Potential } from "../backend.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { Prediction } from "../model/prediction.ts";
import { readoutModel } from "../model/readout.ts";
import { BATCH_ATOMS, type Device, openMace, splitGraphs } from "./engine.ts";
import { predictGraphs, uploadReadouts } from "./predict.ts";

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
        for (const part of splitGraphs(device, engine, group.frames, model.rMax, "predict")) {
          const run = engine.tiling.run((paths) =>
            predictGraphs(gpu, kernels, group.model, engine.layers, paths, energies, part)
          );
          predictions.push(...await run);
        }
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
