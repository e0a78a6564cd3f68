import { RequestError } from "../errors.ts";
import type { Frame } from "../frame.ts";
import { bakeModel } from "../model/bake.ts";
import { addBakedGradient, type BakedLayerGradient } from "../model/bake_weights.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { type ModelWeights, zeroWeights } from "../model/model_weights.ts";
import type { Prediction } from "../model/prediction.ts";
import { readoutModel } from "../model/readout.ts";
import { tableGradient } from "../model/table_gradient.ts";
import { type LossTerms, lossValue, sumTerms } from "../train/loss.ts";
import type { Trainer } from "../train/trainer.ts";
import { type Device, needsOf, runInBatches } from "./engine.ts";
import { uploadReadouts } from "./predict.ts";
import {
  type DownloadedGradient,
  type TrainedFrames,
  type TrainedModel,
  trainFrames,
} from "./train.ts";
import { countSlots, layerBuffers, uploadLayers, uploadTables } from "./weights.ts";

/**
 * Gradients by the kernels on a device.
 *
 * @param start model to begin with; how its tables are divided stays
 * @param species atomic numbers of all frames, ascending
 */
export async function openTrainer(
  device: Device,
  start: MaceModel,
  species: readonly number[],
  head: number,
): Promise<Trainer> {
  const first = bakeModel(start, species, { training: true });
  const { nIntervals } = first;
  if (countSlots(device.gpu, first) < first.nClasses) {
    throw new RequestError(
      `Cannot train with ${species.length} elements on the GPU: the radial tables of their ` +
        `${first.nClasses} kinds of pairs do not fit a binding; use --backend cpu`,
    );
  }
  const paths = await device.tilings.training(first);
  return {
    async gradient(model, batch, options) {
      const baked = bakeModel(model, species, { nIntervals, training: true });
      const trained = upload(device, model, baked, paths, head);
      try {
        const labels = new Map(batch.map((own) => [own.frame, own]));
        const size = {
          frames: batch.length,
          atoms: batch.reduce((sum, { frame }) => sum + frame.species.length, 0),
        };
        const run = (frames: readonly Frame[], capacity: number) =>
          trainFrames(trained, frames.map((frame) => labels.get(frame)!), size, options, capacity);
        const frames = batch.map(({ frame }) => frame);
        const parts = runInBatches(
          ...[device, needsOf(baked), frames, model.rMax, "train on", run] as const,
        );
        const predictions: Prediction[] = [];
        const terms: LossTerms[] = [];
        const gradient = zeroWeights(model);
        for await (const { result } of parts) {
          predictions.push(...result!.predictions);
          terms.push(...result!.terms);
          collect(model, species, trained, result!, gradient);
        }
        const sum = sumTerms(terms);
        return { value: lossValue(sum, options), terms: sum, predictions, gradient };
      } finally {
        destroy(trained);
      }
    },
    forecast: () => null,
    close: () => Promise.resolve(),
  };
}

/** Copies weights and tables to the device. */
function upload(
  { gpu, kernels }: Device,
  model: MaceModel,
  baked: TrainedModel["model"],
  paths: TrainedModel["paths"],
  head: number,
): TrainedModel {
  const layers = uploadLayers(gpu, baked, baked.nClasses, true);
  for (let k = 0; k < baked.nClasses; k++) uploadTables(gpu, baked, layers, { class: k, slot: k });
  const energies = uploadReadouts(gpu, readoutModel(model), head, model.zbl);
  return { gpu, kernels, model: baked, layers, paths, energies };
}

function destroy({ layers, energies }: TrainedModel): void {
  for (const layer of layers) for (const buffer of layerBuffers(layer)) buffer.destroy();
  for (const { buffer } of energies.weights) buffer.destroy();
}

/** Adds what some frames mean for the trainable numbers. */
function collect(
  model: MaceModel,
  species: readonly number[],
  { model: baked }: TrainedModel,
  { layers, embedding, readouts }: TrainedFrames,
  gradient: ModelWeights,
): void {
  const bars = layers.map((own, t) => ({ ...own, ...tableGradients(baked, t, own) }));
  addBakedGradient(model, species, baked, { embedding, layers: bars, readouts }, gradient);
}

/** Leads the adjoints of a layer's tables back, class by class. */
function tableGradients(
  { layers, nClasses, nIntervals }: TrainedModel["model"],
  t: number,
  { table, densityTable }: DownloadedGradient,
): Pick<BakedLayerGradient, "radialMlp" | "densityWeight"> {
  const part = (all: Float32Array, k: number) => {
    const length = all.length / nClasses;
    return all.subarray(k * length, (k + 1) * length);
  };
  const classes = Array.from({ length: nClasses }, (_, k) =>
    tableGradient(
      ...[layers[t], k, nIntervals, part(table, k), densityTable && part(densityTable, k)] as const,
    ));
  return classes.reduce((sum, { radialMlp, densityWeight }) => {
    radialMlp.forEach((array, i) => array.forEach((x, j) => sum.radialMlp[i][j] += x));
    densityWeight?.forEach((x, j) => sum.densityWeight![j] += x);
    return sum;
  });
}
