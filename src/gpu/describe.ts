import type { Graph } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import type { Pooling } from "../model/pooling.ts";
import { embed, startRun } from "./batch.ts";
import type { Gpu } from "./device.ts";
import { finish, runLayer } from "./layer.ts";
import type { PathKernels } from "./path_kernels.ts";
import { dropPadding, type ModelKernels, Stage } from "./stage.ts";
import type { LayerBuffers } from "./weights.ts";

/**
 * Descriptors of a batch of graphs by the WGSL kernels, stage by stage as in `src/model/mace.ts`, in
 * one submission and one readback.
 *
 * @param paths the kernels of every path, layer by layer
 * @param pooling null for the atoms themselves
 * @returns invariants of all layers, shape (n_rows, n_layers · channels): a row per atom, or pooled a
 *   row per graph, one per graph and element, or the graph's mean and its standard deviation
 */
export async function describeGraphs(
  gpu: Gpu,
  kernels: ModelKernels,
  model: BakedModel,
  layers: readonly LayerBuffers[],
  paths: readonly PathKernels[],
  graphs: readonly Graph[],
  pooling: Pooling | null,
): Promise<Float32Array> {
  const stage = new Stage(gpu, kernels);
  try {
    const run = startRun(stage, model, graphs);
    const { nAtoms, atoms } = run.batch;
    const columns = layers.length * model.padded;
    const output = stage.buffer("descriptors", nAtoms * columns);
    let h = embed(run, graphs);
    layers.forEach((layer, t) => {
      const { features, product } = runLayer(run, t, layer, paths[t].forward, h);
      // The invariants once more, side by side with those of the other layers, for one readback.
      finish(run, layer, product, h, output, 0, layers.length, t);
      h = features;
    });
    const pooled = { graphs, atoms, nElements: model.nElements };
    const rows = await stage.finishRows(output, nAtoms, columns, pooling, pooled);
    return dropPadding(rows, model.padded, model.channels);
  } finally {
    stage.destroy();
  }
}
