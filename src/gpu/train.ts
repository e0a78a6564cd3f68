import type { Frame } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import { type Prediction, stressOf } from "../model/prediction.ts";
import { addReadoutTangents, addReadoutWeights, type ReadoutWeights } from "../model/readout.ts";
import {
  type BatchSize,
  frameLoss,
  type LossOptions,
  type LossTerms,
  type PredictionBar,
} from "../train/loss.ts";
import { strainOf } from "../train/direction.ts";
import type { LabelledFrame } from "../train/trainer.ts";
import { type Run, startRun } from "./batch.ts";
import type { Outcome } from "./describe.ts";
import type { Gpu } from "./device.ts";
import { edgesByRow } from "./graph.ts";
import { fold } from "./kernel.ts";
import type { LayerStages } from "./layer.ts";
import type { LayerAdjoints } from "./layer_adjoint.ts";
import { type LayerTangents, runLayerTangent, type TangentRun } from "./layer_tangent.ts";
import { type LayerGradient, runLayerWeights } from "./layer_weights.ts";
import type { TrainingKernels } from "./path_kernels.ts";
import { type Energies, finishFrames, runLayers, runLayersAdjoint, sumForces } from "./predict.ts";
import { type ModelKernels, Stage } from "./stage.ts";
import type { LayerBuffers } from "./weights.ts";

/** A model on the device, to be trained. */
export interface TrainedModel {
  readonly gpu: Gpu;
  readonly kernels: ModelKernels;
  readonly model: BakedModel;
  readonly layers: readonly LayerBuffers[];
  readonly paths: readonly TrainingKernels[];
  readonly energies: Energies;
}

/** What some frames add to a batch. */
export interface TrainedFrames {
  readonly predictions: readonly Prediction[];
  readonly terms: readonly LossTerms[];
  /** Layer by layer, in the shapes of `LayerGradient`. */
  readonly layers: readonly DownloadedGradient[];
  /** Adjoint of the features of every element, shape (n_elements, padded). */
  readonly embedding: Float64Array;
  readonly readouts: readonly ReadoutWeights[];
}

/** The gradient of a layer in the host's memory. */
export interface DownloadedGradient {
  readonly up: Float32Array | null;
  readonly message: Float32Array;
  readonly skip: Float32Array | null;
  readonly product: Float32Array;
  readonly coefficients: readonly Float32Array[];
  readonly table: Float32Array;
  readonly densityTable: Float32Array | null;
}

/**
 * Losses of some frames and their gradient by the WGSL kernels, in two submissions: forces first, then, with the
 * losses known, tangents forth and back. As in `src/train/loss_gradient.ts`; the gradient of the energy's share
 * runs along with the tangent, which is linear in it.
 */
export async function trainFrames(
  trained: TrainedModel,
  batch: readonly LabelledFrame[],
  size: BatchSize,
  options: LossOptions,
  capacity: number,
): Promise<Outcome<TrainedFrames | null>> {
  const { gpu, kernels, model, layers, paths, energies } = trained;
  const frames = batch.map(({ frame }) => frame);
  const first = new Stage(gpu, kernels);
  const second = new Stage(gpu, kernels);
  try {
    const run = startRun(first, model, frames, capacity);
    const { nAtoms, state: stateBuffer } = run.batch;
    const stages = runLayers(run, layers, paths, frames);
    const { readouts, bar, adjoints } = runLayersAdjoint(
      run,
      layers,
      paths,
      energies,
      stages,
      true,
    );
    const [state, atoms, ...perLayer] = await first.finish([
      [stateBuffer, 4],
      [sumForces(run, bar), 12 * nAtoms],
      ...readouts.map((buffer) => [buffer, nAtoms] as const),
    ]);
    const [found] = new Uint32Array(state.buffer, state.byteOffset, 1);
    if (found > capacity) return { state, result: null };
    const predictions = finishFrames(energies, frames, atoms, perLayer);
    const losses = batch.map(({ frame, labels }, f) => {
      const prediction = predictions[f];
      return frameLoss({ prediction, stress: stressOf(prediction, frame), labels }, size, options);
    });
    const bars = losses.map((loss) => loss.bar);
    const tangentRun = startTangents({ ...run, stage: second }, frames, bars);
    const gradient = await runWeights(trained, tangentRun, stages, adjoints, frames, bars);
    return { state, result: { predictions, terms: losses.map(({ terms }) => terms), ...gradient } };
  } finally {
    first.destroy();
    second.destroy();
  }
}

/** Tangents of the geometry, along the direction that the losses tell. */
function startTangents(
  run: Run,
  frames: readonly Frame[],
  bars: readonly PredictionBar[],
): TangentRun {
  const { stage, model, batch } = run;
  const { nAtoms, capacity, atoms, edges, vectors } = batch;
  const motion = new Float32Array(4 * nAtoms);
  const strains = new Float32Array(12 * frames.length);
  let n = 0;
  frames.forEach((frame, f) => {
    const { forces, stress } = bars[f];
    const strain = strainOf(frame, stress);
    for (let k = 0; k < 9; k++) strains[12 * f + 4 * (k % 3) + Math.floor(k / 3)] = strain[k];
    for (let i = 0; i < frame.species.length; i++, n++) {
      for (let k = 0; k < 3; k++) motion[4 * n + k] = -forces[3 * i + k];
      motion[4 * n + 3] = f;
    }
  });
  const dots = stage.buffer("tangents of the geometry", 36 * capacity);
  const { x, y } = fold(nAtoms);
  const params = stage.params("edge_tangents", [
    ...[nAtoms, model.lMax, model.nIntervals].map((value) => ["u32", value] as const),
    ...[["f32", model.rMax], ["u32", x]] as const,
  ]);
  const inputs = [stage.upload("motion", motion), stage.upload("strains", strains)];
  stage.dispatch(
    stage.kernels.edge_tangents,
    [params, atoms, edges, vectors, ...inputs, dots],
    x,
    y,
  );
  const nRows = model.nClasses * model.nIntervals;
  return { ...run, dots, listed: edgesByRow(stage, batch, nRows) };
}

/** Tangents of all layers, the way back with the gradients of their weights, and all of it read back. */
async function runWeights(
  { model, layers, paths, energies }: TrainedModel,
  run: TangentRun,
  stages: readonly LayerStages[],
  adjoints: readonly LayerAdjoints[],
  frames: readonly Frame[],
  bars: readonly PredictionBar[],
): Promise<Pick<TrainedFrames, "layers" | "embedding" | "readouts">> {
  const { stage, batch: { nAtoms } } = run;
  const tangents: LayerTangents[] = [];
  layers.forEach((buffers, t) => {
    const hDot = t > 0 ? tangents[t - 1].features : null;
    tangents.push(runLayerTangent(run, t, buffers, paths[t], stages[t], hDot));
  });
  const shares = Float32Array.from(
    frames.flatMap(({ species }, f) => new Array(species.length).fill(bars[f].energy)),
  );
  const gradients = layers.map((buffers, t) => roomFor(stage, model, buffers, t));
  const atoms = stage.upload("shares of the loss", shares);
  let barDot: GPUBuffer | null = null;
  for (let t = layers.length - 1; t >= 0; t--) {
    const width = featureWidth(model, layers[t]);
    barDot ??= stage.buffer("tangent of the adjoint of the features", nAtoms * width);
    readoutTangent(run, energies, t, width, stages[t], tangents[t], atoms, barDot);
    const record = {
      ...{ buffers: layers[t], kernels: paths[t], stages: stages[t], dot: tangents[t] },
      ...{ bar: adjoints[t], gradient: gradients[t] },
      hDot: t > 0 ? tangents[t - 1].features : null,
    };
    barDot = runLayerWeights(run, t, record, barDot);
  }
  const wanted = [
    ...gradients.flatMap(({ sizes }) => sizes),
    ...layers.flatMap((buffers, t) =>
      [stages[t].features, tangents[t].features].map((buffer) =>
        [buffer, nAtoms * featureWidth(model, buffers)] as const
      )
    ),
    ...(barDot ? [[barDot, nAtoms * model.padded] as const] : []),
  ];
  const results = await stage.finish(wanted);
  return {
    layers: gradients.map((gradient) => download(gradient, results)),
    readouts: readoutWeights(energies, layers, model, frames, bars, results),
    embedding: sumElements(model, frames, barDot ? results.shift()! : null),
  };
}

function featureWidth({ padded }: BakedModel, { layer }: LayerBuffers): number {
  return (layer.lOut + 1) ** 2 * padded;
}

/** A buffer of the gradient, and the numbers in it. */
type Sized = readonly [GPUBuffer, number];

/** Buffers for the gradient of a layer, zeros. */
interface SizedGradient extends LayerGradient {
  readonly sizes: readonly Sized[];
}

function roomFor(
  stage: Stage,
  { padded, nElements, nClasses, nIntervals }: BakedModel,
  { layer }: LayerBuffers,
  t: number,
): SizedGradient {
  const sizes: Sized[] = [];
  const room = (label: string, count: number) => {
    const buffer = stage.buffer(`layer ${t} gradient of ${label}`, count);
    sizes.push([buffer, count]);
    return buffer;
  };
  const rows = nClasses * nIntervals;
  return {
    up: layer.up && room("up", layer.up.length),
    message: room("message", layer.message.length),
    skip: layer.skip && room("skip", layer.skip.length),
    product: room("product", layer.product.length),
    coefficients: layer.contractions.map(({ l, nTerms }) =>
      room(`coefficients ${l}`, nElements * nTerms * padded)
    ),
    table: room("table", 4 * rows * layer.nRadials * layer.width),
    densityTable: layer.densityWeight ? room("density table", 4 * rows) : null,
    sizes,
  };
}

/** The gradient of a layer out of what was read back, in the order of `roomFor`.
 * @param results shortened by what is taken */
function download(gradient: SizedGradient, results: Float32Array[]): DownloadedGradient {
  const next = () => results.shift()!;
  return {
    up: gradient.up && next(),
    message: next(),
    skip: gradient.skip && next(),
    product: next(),
    coefficients: gradient.coefficients.map(next),
    table: next(),
    densityTable: gradient.densityTable && next(),
  };
}

function readoutTangent(
  { stage, model, batch: { nAtoms } }: TangentRun,
  { readout, head, weights }: Energies,
  t: number,
  stride: number,
  { features }: LayerStages,
  dot: LayerTangents,
  shares: GPUBuffer,
  barDot: GPUBuffer,
): void {
  const counts = [nAtoms, model.channels, stride, weights[t].width];
  stage.rows(
    stage.kernels.readout_tangent,
    nAtoms,
    [...counts.map((value) => ["u32", value] as const), ["f32", readout.scale[head]]],
    [features, dot.features, weights[t].buffer, shares, barDot],
  );
}

/** The gradient of the readouts, in float64.
 * @param results features of every layer and their tangents; shortened by what is taken */
function readoutWeights(
  { readout, head }: Energies,
  layers: readonly LayerBuffers[],
  model: BakedModel,
  frames: readonly Frame[],
  bars: readonly PredictionBar[],
  results: Float32Array[],
): ReadoutWeights[] {
  const g = readout.scale[head];
  return readout.readouts.map((own, t) => {
    const [features, dot] = [results.shift()!, results.shift()!];
    const arrays = own.kind === "linear" ? [own.weight] : [own.hidden, own.output];
    const weightsBar = arrays.map((weights) => new Float64Array(weights.length));
    const stride = featureWidth(model, layers[t]);
    let first = 0;
    frames.forEach(({ species }, f) => {
      const last = first + species.length * stride;
      const [x, xDot] = [features, dot].map((all) => all.subarray(first, last));
      addReadoutTangents(
        ...[readout, t, x, xDot, stride, head, g, new Float64Array(x.length), weightsBar] as const,
      );
      addReadoutWeights(readout, t, x, stride, head, g * bars[f].energy, weightsBar);
      first = last;
    });
    return weightsBar;
  });
}

/** Sums of the rows of each element's atoms; zeros where there are none. */
function sumElements(
  { padded, nElements, elementOf }: BakedModel,
  frames: readonly Frame[],
  rows: Float32Array | null,
): Float64Array {
  const out = new Float64Array(nElements * padded);
  if (!rows) return out;
  let at = 0;
  for (const { species } of frames) {
    for (const z of species) {
      for (let c = 0; c < padded; c++, at++) out[elementOf[z] * padded + c] += rows[at];
    }
  }
  return out;
}
