import type { Frame } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import type { BakedModel } from "../model/bake.ts";
import type { ZblModel } from "../model/mace_model.ts";
import { addRepulsion, repulsionReach } from "../model/pair_repulsion.ts";
import type { Prediction } from "../model/prediction.ts";
import { bakeReadout, finishEnergies, type ReadoutModel } from "../model/readout.ts";
import { embed, type Run, startRun } from "./batch.ts";
import type { Outcome } from "./describe.ts";
import type { Gpu } from "./device.ts";
import { reverseEdges } from "./graph.ts";
import { storageBuffer } from "./kernel.ts";
import { type LayerStages, runLayer } from "./layer.ts";
import { type LayerAdjoints, runLayerAdjoint } from "./layer_adjoint.ts";
import type { PathKernels } from "./path_kernels.ts";
import { type ModelKernels, Stage } from "./stage.ts";
import type { LayerBuffers } from "./weights.ts";

/** What finishes the energies of a model: on the device, and in float64 here. */
export interface Energies {
  readonly readout: ReadoutModel;
  /** Index of the readout head. */
  readonly head: number;
  readonly zbl: ZblModel | null;
  /** Weights of the head's readout of every layer on the device. */
  readonly weights: readonly { readonly width: number; readonly buffer: GPUBuffer }[];
}

/** Copies the readouts of a head to the device. */
export function uploadReadouts(
  gpu: Gpu,
  readout: ReadoutModel,
  head: number,
  zbl: ZblModel | null,
): Energies {
  const weights = readout.readouts.map((_, t) => {
    const { width, numbers } = bakeReadout(readout, t, head);
    return { width, buffer: storageBuffer(gpu, `readout ${t}`, numbers) };
  });
  return { readout, head, zbl, weights };
}

/**
 * Energies, forces and virials of a batch of frames by the WGSL kernels, stage by stage as in
 * `src/model/potential.ts`, in one submission and one readback.
 *
 * @param paths the kernels of every path, layer by layer
 */
export async function predictFrames(
  gpu: Gpu,
  kernels: ModelKernels,
  model: BakedModel,
  layers: readonly LayerBuffers[],
  paths: readonly PathKernels[],
  energies: Energies,
  frames: readonly Frame[],
  capacity: number,
): Promise<Outcome<Prediction[]>> {
  const stage = new Stage(gpu, kernels);
  try {
    const run = startRun(stage, model, frames, capacity);
    const { nAtoms } = run.batch;
    const stages = runLayers(run, layers, paths, frames);
    const { readouts, bar } = runLayersAdjoint(run, layers, paths, energies, stages, false);
    const forces = sumForces(run, bar);
    const [state, atoms, ...perLayer] = await stage.finish([
      [run.batch.state, 4],
      [forces, 12 * nAtoms],
      ...readouts.map((buffer) => [buffer, nAtoms] as const),
    ]);
    return { state, result: finishFrames(energies, frames, atoms, perLayer) };
  } finally {
    stage.destroy();
  }
}

/** All layers, from the embedding of the frames' elements. */
export function runLayers(
  run: Run,
  layers: readonly LayerBuffers[],
  paths: readonly PathKernels[],
  frames: readonly Frame[],
): LayerStages[] {
  let h = embed(run, frames);
  return layers.map((layer, t) => {
    const computed = runLayer(run, t, layer, paths[t].forward, h);
    h = computed.features;
    return computed;
  });
}

/** The readouts and the way back through all layers.
 * @param keep whether the sums of the stages stay */
export function runLayersAdjoint(
  run: Run,
  layers: readonly LayerBuffers[],
  paths: readonly PathKernels[],
  { readout, head, weights }: Energies,
  stages: readonly LayerStages[],
  keep: boolean,
) {
  const { stage, model, batch: { nAtoms, capacity } } = run;
  const bar = stage.buffer("adjoints of the edges", 16 * capacity);
  const readouts: GPUBuffer[] = new Array(layers.length);
  const adjoints: LayerAdjoints[] = new Array(layers.length);
  let featuresBar: GPUBuffer | null = null;
  for (let t = layers.length - 1; t >= 0; t--) {
    const stride = (layers[t].layer.lOut + 1) ** 2 * model.padded;
    featuresBar ??= stage.buffer("adjoint of the features", nAtoms * stride);
    readouts[t] = stage.buffer(`energies ${t}`, nAtoms);
    const counts = [nAtoms, model.channels, stride, weights[t].width];
    stage.rows(
      stage.kernels.readout,
      nAtoms,
      [...counts.map((value) => ["u32", value] as const), ["f32", readout.scale[head]]],
      [stages[t].features, weights[t].buffer, readouts[t], featuresBar],
    );
    const rest = [layers[t], paths[t], stages[t], featuresBar, bar, keep] as const;
    adjoints[t] = runLayerAdjoint(run, t, ...rest);
    featuresBar = adjoints[t].h;
  }
  return { readouts, bar, adjoints };
}

/** What the device says of all frames, finished. */
export function finishFrames(
  energies: Energies,
  frames: readonly Frame[],
  atoms: Float32Array,
  perLayer: readonly Float32Array[],
): Prediction[] {
  let first = 0;
  return frames.map((frame) => {
    const last = first + frame.species.length;
    const parts = perLayer.map((numbers) => numbers.subarray(first, last));
    const prediction = finishFrame(energies, frame, atoms.subarray(12 * first, 12 * last), parts);
    first = last;
    return prediction;
  });
}

/** Forces and virials of the atoms on the device, shape (n_atoms, 12). */
export function sumForces(run: Run, bar: GPUBuffer): GPUBuffer {
  const { stage, model: { lMax, nIntervals, rMax }, batch } = run;
  const { nAtoms, capacity, atoms, vectors } = batch;
  const gradients = stage.buffer("gradients", 4 * capacity);
  const counts = [["u32", capacity], ["u32", lMax], ["u32", nIntervals], ["f32", rMax]] as const;
  stage.rows(stage.kernels.edge_gradients, capacity, counts, [vectors, bar, gradients]);
  const forces = stage.buffer("forces", 12 * nAtoms);
  const reversed = reverseEdges(stage, batch);
  stage.rows(stage.kernels.edge_forces, nAtoms, [["u32", nAtoms]], [
    ...[atoms, reversed, vectors, gradients, forces],
  ]);
  return forces;
}

/** What the device says of one frame, finished in float64.
 * @param atoms as `edge_forces` writes them
 * @param readouts of every layer, shape (n_atoms) each */
function finishFrame(
  { readout, head, zbl }: Energies,
  frame: Frame,
  atoms: Float32Array,
  readouts: readonly Float32Array[],
): Prediction {
  const { species } = frame;
  const nAtoms = species.length;
  const forces = new Float64Array(3 * nAtoms);
  const [xx, yy, zz, yz, xz, xy] = [3, 4, 5, 6, 7, 8].map((column) => {
    let sum = 0;
    for (let n = 0; n < nAtoms; n++) sum += atoms[12 * n + column];
    return sum;
  });
  const virial = Float64Array.of(xx, xy, xz, xy, yy, yz, xz, yz, zz);
  const sums = new Float64Array(nAtoms);
  for (let n = 0; n < nAtoms; n++) {
    for (let k = 0; k < 3; k++) forces[3 * n + k] = atoms[12 * n + k];
    for (const layer of readouts) sums[n] += layer[n];
  }
  if (zbl) {
    const near = neighborList(frame, repulsionReach(zbl, species));
    addRepulsion(near, zbl, readout.scale[head], sums, forces, virial);
  }
  return { ...finishEnergies(readout, species, sums, head), forces, virial };
}
