import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import type { ZblModel } from "../model/mace_model.ts";
import { addRepulsion } from "../model/pair_repulsion.ts";
import type { Prediction } from "../model/prediction.ts";
import {
  addReadout,
  addReadoutAdjoint,
  finishEnergies,
  type ReadoutModel,
} from "../model/readout.ts";
import type { Arena } from "./arena.ts";
import { addForces, zeroRecords } from "./edge_forces.ts";
import { describeEdges } from "./edges.ts";
import { embed, type Run } from "./frame_run.ts";
import { type LayerStages, runLayer } from "./layer.ts";
import { type LayerAdjoints, runLayerAdjoint, zeros } from "./layer_adjoint.ts";
import type { Kernels } from "./memory.ts";
import { scratchBytes } from "./scratch.ts";
import type { StoredModel } from "./weights.ts";

/** A model in shared memory, and what finishes its energies in float64. */
export interface StoredPotential {
  /** With the weights of the way back. */
  readonly model: StoredModel;
  readonly readout: ReadoutModel;
  /** Index of the readout head. */
  readonly head: number;
  readonly zbl: ZblModel | null;
}

/** Energies, forces and virial of one frame, stage by stage as in `src/model/potential.ts`. */
export function predictFrame(
  kernels: Kernels,
  arena: Arena,
  potential: StoredPotential,
  frame: Frame,
): Prediction {
  const { model } = potential;
  const graph = neighborList(frame, model.rMax);
  const bytes = (nSegments: number) => scratchBytes(model, graph, true, nSegments);
  const edges = describeEdges(kernels, arena, model, frame, graph, bytes);
  return runForthAndBack({ kernels, arena, model, edges }, potential, graph, false).prediction;
}

/** What a frame's way through all layers and back gives. */
export interface ForthAndBack {
  readonly prediction: Prediction;
  readonly layers: readonly LayerStages[];
  readonly adjoints: readonly LayerAdjoints[];
}

/** @param keep whether stages and adjoints stay on the arena, for the gradients of the weights */
export function runForthAndBack(
  run: Run,
  potential: StoredPotential,
  graph: Graph,
  keep: boolean,
): ForthAndBack {
  const { readout, head, zbl } = potential;
  const layers = runLayers(run, keep);
  const readouts = readoutsOf(run, potential, layers);
  const { adjoints, recordsBar } = runLayersAdjoint(run, potential, layers, keep);
  const forces = new Float64Array(3 * graph.nAtoms);
  const virial = new Float64Array(9);
  addForces(run, graph, recordsBar, forces, virial);
  if (zbl) addRepulsion(graph, zbl, readout.scale[head], readouts, forces, virial);
  const energies = finishEnergies(readout, graph.species, readouts, head);
  return { prediction: { ...energies, forces, virial }, layers, adjoints };
}

function runLayers(run: Run, keep: boolean): LayerStages[] {
  const { arena, model, edges: { nAtoms } } = run;
  let h = embed(run);
  return model.layers.map((layer) => {
    const features = arena.take(4 * nAtoms * (layer.lOut + 1) ** 2 * model.padded);
    const stages = runLayer(run, layer, h, features, keep);
    h = features;
    return stages;
  });
}

/** Numbers per atom of the features that leave layer t. */
export function featureWidth({ layers, padded }: StoredModel, t: number): number {
  return (layers[t].lOut + 1) ** 2 * padded;
}

/** Sums of the readouts in the frame's order, shape (n_atoms), eV before scaling. */
function readoutsOf(
  { arena, model, edges: { nAtoms, order } }: Run,
  { readout, head }: StoredPotential,
  layers: readonly LayerStages[],
): Float64Array {
  const byRank = new Float64Array(nAtoms);
  layers.forEach(({ features }, t) => {
    const width = featureWidth(model, t);
    const view = new Float32Array(arena.memory.buffer, features, nAtoms * width);
    addReadout(readout, t, view, width, head, byRank);
  });
  const sums = new Float64Array(nAtoms);
  byRank.forEach((e, rank) => sums[order[rank]] = e);
  return sums;
}

/** The way back through all layers: adjoints of each, and addresses of those of the edges' records. */
function runLayersAdjoint(
  run: Run,
  { readout, head }: StoredPotential,
  layers: readonly LayerStages[],
  keep: boolean,
): { adjoints: LayerAdjoints[]; recordsBar: number[] } {
  const { arena, model, edges: { nAtoms } } = run;
  const recordsBar = zeroRecords(run);
  const adjoints: LayerAdjoints[] = new Array(layers.length);
  let bar = zeros(run, featureWidth(model, layers.length - 1));
  for (let t = layers.length - 1; t >= 0; t--) {
    const width = featureWidth(model, t);
    const [features, featuresBar] = [layers[t].features, bar].map((at) =>
      new Float32Array(arena.memory.buffer, at, nAtoms * width)
    );
    addReadoutAdjoint(readout, t, features, width, head, readout.scale[head], featuresBar);
    const how = { first: t === 0, keep };
    adjoints[t] = runLayerAdjoint(run, model.layers[t], layers[t], bar, recordsBar, how);
    bar = adjoints[t].h;
  }
  return { adjoints, recordsBar };
}
