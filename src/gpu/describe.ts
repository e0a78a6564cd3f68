import type { Frame } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import type { Pooling } from "../model/pooling.ts";
import { embed, startRun } from "./batch.ts";
import type { Gpu } from "./device.ts";
import { finish, runLayer } from "./layer.ts";
import type { PathKernels } from "./path_kernels.ts";
import { dropPadding, type ModelKernels, Stage } from "./stage.ts";
import type { LayerBuffers } from "./weights.ts";

/** What a run that had room for so many edges says of itself, and its result if that was enough. */
export interface Outcome<Result> {
  /** Edges in all; whether two atoms are at the same place. */
  readonly state: Float32Array;
  readonly result: Result;
}

/**
 * Descriptors of a batch of frames by the WGSL kernels, stage by stage as in `src/model/mace.ts`, in
 * one submission and one readback.
 *
 * @param paths the kernels of every path, layer by layer
 * @param capacity edges that room is made for
 * @param pooling null for the atoms themselves
 * @returns invariants of all layers, shape (n_rows, n_layers · channels): a row per atom, or pooled a
 *   row per frame, one per frame and element, or the frame's mean and its standard deviation
 */
export async function describeFrames(
  gpu: Gpu,
  kernels: ModelKernels,
  model: BakedModel,
  layers: readonly LayerBuffers[],
  paths: readonly PathKernels[],
  frames: readonly Frame[],
  capacity: number,
  pooling: Pooling | null,
): Promise<Outcome<Float32Array>> {
  const stage = new Stage(gpu, kernels);
  try {
    const run = startRun(stage, model, frames, capacity);
    const { nAtoms, atoms } = run.batch;
    const columns = layers.length * model.padded;
    const output = stage.buffer("descriptors", nAtoms * columns);
    let h = embed(run, frames);
    layers.forEach((layer, t) => {
      const { features, product } = runLayer(run, t, layer, paths[t].forward, h);
      // The invariants once more, side by side with those of the other layers, for one readback.
      finish(run, layer, product, h, output, 0, layers.length, t);
      h = features;
    });
    const pooled = { frames, atoms, nElements: model.nElements };
    const wanted = stage.poolRows(output, nAtoms, columns, pooling, pooled);
    const [state, rows] = await stage.finish([[run.batch.state, 4], wanted]);
    return { state, result: dropPadding(rows, model.padded, model.channels) };
  } finally {
    stage.destroy();
  }
}
