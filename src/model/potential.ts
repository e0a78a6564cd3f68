import { type Graph, receiverOf } from "../frame.ts";
import { maceStages } from "./mace.ts";
import { type EdgeAdjoints, maceLayerAdjoint } from "./mace_layer.ts";
import type { MaceModel } from "./mace_model.ts";
import { pairRepulsion, pairRepulsionAdjoint } from "./pair_repulsion.ts";
import type { Prediction } from "./prediction.ts";
import { radialBasisAdjoint } from "./radial_basis.ts";
import { addReadout, addReadoutAdjoint, scaledEnergies } from "./readout.ts";
import { sphericalHarmonicsAdjoint } from "./spherical_harmonics.ts";

/**
 * Energy of every atom: E0 + scale · (ZBL + readouts) + shift.
 *
 * @param head index of the readout head
 * @returns shape (n_atoms), eV
 */
export function nodeEnergies(model: MaceModel, graph: Graph, head = 0): Float64Array {
  return energiesOf(model, graph, maceStages(model, graph), head);
}

function energiesOf(
  model: MaceModel,
  graph: Graph,
  { elements, edges, layers }: ReturnType<typeof maceStages>,
  head: number,
): Float64Array {
  const energy = model.zbl
    ? pairRepulsion(graph, edges.r, model.zbl)
    : new Float64Array(graph.nAtoms);
  layers.forEach(({ features }, t) => {
    addReadout(model, t, features, features.length / graph.nAtoms, head, energy);
  });
  return scaledEnergies(model, elements, energy, head);
}

/**
 * Energy, forces and virial of one frame. g_e = ∂E/∂v_e with v_e = r_receiver - r_sender + S · cell gives
 * F_n = Σ_{sender = n} g_e - Σ_{receiver = n} g_e and dE/dε = Σ_e v_e ⊗ g_e, symmetrised.
 *
 * @param graph all edges within the model's cutoff
 * @param head index of the readout head
 */
export function predict(model: MaceModel, graph: Graph, head = 0): Prediction {
  const { nodeEnergies, gradients } = energyGradients(model, graph, head);
  const energy = nodeEnergies.reduce((sum, e) => sum + e, 0);
  return { energy, nodeEnergies, ...forcesOf(gradients, graph) };
}

/**
 * Energies of the atoms, and ∂E/∂v of every edge, shape (n_edges, 3), eV/Å: the reverse pass through
 * every stage, from the scale of the energies to the vectors of the edges.
 */
export function energyGradients(model: MaceModel, graph: Graph, head = 0) {
  const stages = maceStages(model, graph);
  const { elements, edges, layers } = stages;
  const g = model.scale[head];
  const edgesBar: EdgeAdjoints = {
    harmonics: new Float64Array(edges.harmonics.length),
    basis: new Float64Array(edges.basis.length),
  };
  let bar: Float64Array = new Float64Array(layers[layers.length - 1].features.length);
  for (let t = layers.length - 1; t >= 0; t--) {
    const { features } = layers[t];
    addReadoutAdjoint(model, t, features, features.length / graph.nAtoms, head, g, bar);
    const layer = model.layers[t];
    bar = maceLayerAdjoint(model, layer, graph, edges, elements, layers[t], bar, edgesBar).h;
  }
  return {
    nodeEnergies: energiesOf(model, graph, stages, head),
    gradients: edgeGradients(model, graph, edges.r, edgesBar, g),
  };
}

/** ∂E/∂v of every edge, shape (n_edges, 3), eV/Å. */
function edgeGradients(
  model: MaceModel,
  graph: Graph,
  r: Float64Array,
  edgesBar: EdgeAdjoints,
  g: number,
): Float64Array {
  const { vectors, species, sender } = graph;
  const senders = Uint8Array.from(sender, (j) => species[j]);
  const receivers = Uint8Array.from(receiverOf(graph), (i) => species[i]);
  const rBar = radialBasisAdjoint(r, senders, receivers, model.radial, model.rMax, edgesBar.basis);
  if (model.zbl) {
    const repulsion = pairRepulsionAdjoint(graph, r, model.zbl);
    for (let e = 0; e < r.length; e++) rBar[e] += g * repulsion[e];
  }
  const gradients = sphericalHarmonicsAdjoint(vectors, model.lMax, edgesBar.harmonics);
  for (let i = 0; i < gradients.length; i++) {
    const e = Math.floor(i / 3);
    gradients[i] += rBar[e] * vectors[i] / r[e];
  }
  return gradients;
}

function forcesOf(gradients: Float64Array, graph: Graph) {
  const { nAtoms, nEdges, sender, vectors } = graph;
  const receiver = receiverOf(graph);
  const forces = new Float64Array(3 * nAtoms);
  const strain = new Float64Array(9);
  for (let e = 0; e < nEdges; e++) {
    for (let k = 0; k < 3; k++) {
      forces[3 * sender[e] + k] += gradients[3 * e + k];
      forces[3 * receiver[e] + k] -= gradients[3 * e + k];
      for (let x = 0; x < 3; x++) strain[3 * x + k] += vectors[3 * e + x] * gradients[3 * e + k];
    }
  }
  const virial = strain.map((_, i) => -0.5 * (strain[i] + strain[3 * (i % 3) + Math.floor(i / 3)]));
  return { forces, virial };
}
