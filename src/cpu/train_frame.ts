import type { Frame } from "../frame.ts";
import { type Prediction, stressOf } from "../model/prediction.ts";
import {
  addReadoutAdjoint,
  addReadoutTangents,
  addReadoutWeights,
  type ReadoutWeights,
} from "../model/readout.ts";
import { directionOf } from "../train/direction.ts";
import {
  type BatchSize,
  frameLoss,
  type LossOptions,
  type LossTerms,
  type TrainLabels,
} from "../train/loss.ts";
import type { Arena } from "./arena.ts";
import { describeTangents } from "./edge_tangents.ts";
import { describeEdges } from "./edges.ts";
import { type StoredGradient } from "./gradient.ts";
import type { GraphCache } from "./graph_cache.ts";
import { zeros } from "./layer_adjoint.ts";
import { type LayerTangents, runLayerTangent, type TangentRun } from "./layer_tangent.ts";
import { runLayerWeights } from "./layer_weights.ts";
import type { Kernels } from "./memory.ts";
import {
  featureWidth,
  type ForthAndBack,
  runForthAndBack,
  type StoredPotential,
} from "./predict_frame.ts";
import { trainBytes } from "./scratch.ts";

/** A frame of a batch, and where its gradient goes. */
export interface TrainOrder {
  readonly potential: StoredPotential;
  readonly frame: Frame;
  readonly labels: TrainLabels;
  readonly batch: BatchSize;
  readonly options: LossOptions;
  readonly gradient: StoredGradient;
}

/** What a frame adds to a batch, besides the gradient in shared memory. */
export interface TrainedFrame {
  readonly prediction: Prediction;
  readonly terms: LossTerms;
  /** Adjoint of the features of every element, shape (n_elements, padded). */
  readonly embedding: Float64Array;
  readonly readouts: readonly ReadoutWeights[];
}

/**
 * Loss of one frame and its gradient by the float32 kernels, as in `src/train/loss_gradient.ts`. The gradient of
 * the energy's share of the loss runs along with the tangent, which is linear in it.
 */
export function trainFrame(
  kernels: Kernels,
  arena: Arena,
  graphs: GraphCache,
  order: TrainOrder,
): TrainedFrame {
  const { potential, frame, labels, batch, options, gradient } = order;
  const { model } = potential;
  const graph = graphs.graphOf(frame, model.rMax);
  const bytes = (nSegments: number) => trainBytes(model, graph, nSegments);
  const edges = describeEdges(kernels, arena, model, frame, graph, bytes);
  const still = { kernels, arena, model, edges };
  const ways = runForthAndBack(still, potential, graph, true);
  const { prediction } = ways;
  const stress = stressOf(prediction, frame);
  const { terms, bar } = frameLoss({ prediction, stress, labels }, batch, options);
  const dots = describeTangents(still, graph, directionOf(frame, graph, bar));
  const run = { ...still, dots };
  new Float32Array(arena.memory.buffer, gradient.start, gradient.bytes / 4).fill(0);
  const readouts = potential.readout.readouts.map((readout) =>
    (readout.kind === "linear" ? [readout.weight] : [readout.hidden, readout.output])
      .map((weights) => new Float64Array(weights.length))
  );
  const hBarDot = runWeights(run, order, ways, bar.energy, readouts);
  return { prediction, terms, embedding: sumElements(run, hBarDot), readouts };
}

/** Tangents of all layers, then the way back with the gradient of their weights.
 * @returns address of the tangent of the adjoint of the first features */
function runWeights(
  run: TangentRun,
  { potential, gradient }: TrainOrder,
  { layers, adjoints }: ForthAndBack,
  energyBar: number,
  readouts: readonly ReadoutWeights[],
): number {
  const { arena, model, edges: { nAtoms } } = run;
  const tangents: LayerTangents[] = [];
  model.layers.forEach((layer, t) => {
    tangents.push(runLayerTangent(run, layer, layers[t], t > 0 ? tangents[t - 1].features : 0));
  });
  let barDot = zeros(run, featureWidth(model, model.layers.length - 1));
  for (let t = model.layers.length - 1; t >= 0; t--) {
    const width = featureWidth(model, t);
    const [features, featuresDot, featuresBarDot] = [
      ...[layers[t].features, tangents[t].features, barDot],
    ].map((at) => new Float32Array(arena.memory.buffer, at, nAtoms * width));
    addReadouts(potential, t, features, featuresDot, width, energyBar, featuresBarDot, readouts[t]);
    const record = {
      ...{ layer: model.layers[t], stages: layers[t], dot: tangents[t], bar: adjoints[t] },
      hDot: t > 0 ? tangents[t - 1].features : 0,
      gradient: gradient.layers[t],
    };
    barDot = runLayerWeights(run, record, barDot);
  }
  return barDot;
}

/** The readout of layer t: of the tangent, and of the energy times its share. */
function addReadouts(
  { readout, head }: StoredPotential,
  t: number,
  features: Float32Array,
  featuresDot: Float32Array,
  stride: number,
  energyBar: number,
  featuresBarDot: Float32Array,
  weightsBar: ReadoutWeights,
): void {
  const g = readout.scale[head];
  addReadoutTangents(
    ...[readout, t, features, featuresDot, stride, head, g, featuresBarDot, weightsBar] as const,
  );
  addReadoutAdjoint(readout, t, features, stride, head, g * energyBar, featuresBarDot);
  addReadoutWeights(readout, t, features, stride, head, g * energyBar, weightsBar);
}

/** Sums of the rows of each element's atoms; zeros where there are none. */
function sumElements(
  { arena, model: { padded, nElements }, edges: { nAtoms, starts } }: TangentRun,
  at: number,
): Float64Array {
  const rows = new Float32Array(arena.memory.buffer, at, nAtoms * padded);
  const out = new Float64Array(nElements * padded);
  if (at === 0) return out;
  for (let z = 0; z < nElements; z++) {
    for (let n = starts[z]; n < starts[z + 1]; n++) {
      for (let c = 0; c < padded; c++) out[z * padded + c] += rows[n * padded + c];
    }
  }
  return out;
}
