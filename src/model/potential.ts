import type { Graph } from "../frame.ts";
import { maceStages } from "./mace.ts";
import { type EdgeAdjoints, maceLayerAdjoint, receiverOf } from "./mace_layer.ts";
import type { MaceModel } from "./mace_model.ts";
import { pairRepulsion, pairRepulsionAdjoint } from "./pair_repulsion.ts";
import { radialBasisAdjoint, silu, siluSlope } from "./radial_basis.ts";
import { sphericalHarmonicsAdjoint } from "./spherical_harmonics.ts";

/** What a potential says of one frame. */
export interface Prediction {
  /** Sum of the energies of the atoms, eV. */
  readonly energy: number;
  /** Shape (n_atoms), eV, energies of isolated atoms included. */
  readonly nodeEnergies: Float64Array;
  /** -dE/dr, shape (n_atoms, 3), eV/Å. */
  readonly forces: Float64Array;
  /** -dE/dε of a symmetric strain ε, shape (3, 3), eV; minus the volume times the stress. */
  readonly virial: Float64Array;
}

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
  layers.forEach(({ features }, t) => addReadout(model, t, features, head, energy));
  return energy.map((e, n) =>
    model.atomicEnergies[head * model.elements.length + elements[n]] +
    model.scale[head] * e + model.shift[head]
  );
}

/** Adds what the readout of layer t gives to the energies of the atoms. */
function addReadout(
  model: MaceModel,
  t: number,
  features: Float64Array,
  head: number,
  energy: Float64Array,
): void {
  const C = model.channels;
  const nHeads = model.heads.length;
  const d = (model.layers[t].lOut + 1) ** 2;
  const readout = model.readouts[t];
  for (let n = 0; n < energy.length; n++) {
    const h = features.subarray(n * d * C, n * d * C + C);
    if (readout.kind === "linear") {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += h[c] * readout.weight[c * nHeads + head];
      energy[n] += sum / Math.sqrt(C);
      continue;
    }
    const { width, hidden, output } = readout;
    let sum = 0;
    for (let w = head * width; w < (head + 1) * width; w++) {
      sum += model.siluScale * silu(hiddenSum(h, hidden, w)) * output[w * nHeads + head];
    }
    energy[n] += sum / Math.sqrt(width * nHeads);
  }
}

/** Hidden sum w of a readout, Σ_c h_c W_cw / √C. */
function hiddenSum(h: Float64Array, hidden: Float64Array, w: number): number {
  const C = h.length;
  const width = hidden.length / C;
  let sum = 0;
  for (let c = 0; c < C; c++) sum += h[c] * hidden[c * width + w];
  return sum / Math.sqrt(C);
}

/** Adjoint of `addReadout` for an adjoint g of every atom's energy, added to that of the features. */
function addReadoutAdjoint(
  model: MaceModel,
  t: number,
  features: Float64Array,
  head: number,
  g: number,
  featuresBar: Float64Array,
): void {
  const C = model.channels;
  const nHeads = model.heads.length;
  const row = (model.layers[t].lOut + 1) ** 2 * C;
  const readout = model.readouts[t];
  for (let at = 0; at < features.length; at += row) {
    if (readout.kind === "linear") {
      for (let c = 0; c < C; c++) {
        featuresBar[at + c] += g * readout.weight[c * nHeads + head] / Math.sqrt(C);
      }
      continue;
    }
    const { width, hidden, output } = readout;
    for (let w = head * width; w < (head + 1) * width; w++) {
      const h = features.subarray(at, at + C);
      const slope = model.siluScale * siluSlope(hiddenSum(h, hidden, w));
      const aBar = g * output[w * nHeads + head] / Math.sqrt(width * nHeads) * slope / Math.sqrt(C);
      for (let c = 0; c < C; c++) featuresBar[at + c] += aBar * hidden[c * width * nHeads + w];
    }
  }
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
    addReadoutAdjoint(model, t, features, head, g, bar);
    const layer = model.layers[t];
    bar = maceLayerAdjoint(model, layer, graph, edges, elements, layers[t], bar, edgesBar);
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
