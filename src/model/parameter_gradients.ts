import { type Graph, receiverOf } from "../frame.ts";
import { atomicBasisAdjoint } from "./atomic_basis.ts";
import { maceStages } from "./mace.ts";
import { degreeWeights, elementMixWeights, pathWeights } from "./mace_mixes.ts";
import {
  degreeOf,
  type EdgeStages,
  type LayerAdjoints,
  type LayerStages,
  maceLayerAdjoint,
} from "./mace_layer.ts";
import type { MaceLayer, MaceModel } from "./mace_model.ts";
import { productBasisWeights } from "./product_basis.ts";
import { radialMlpWeights } from "./radial_weights.ts";
import { edgeDensityWeights } from "./edge_density.ts";
import { addReadoutAdjoint, addReadoutWeights } from "./readout.ts";
import type { LayerWeights, ModelWeights } from "./model_weights.ts";

/**
 * Adds g · ∂E/∂θ of one frame to what is known of every trainable number θ. The energies of isolated
 * atoms, scale, shift and the pair repulsion have none.
 *
 * @param head index of the readout head
 */
export function addEnergyGradient(
  model: MaceModel,
  graph: Graph,
  head: number,
  g: number,
  gradient: ModelWeights,
): void {
  const { elements, edges, embedding, layers } = maceStages(model, graph);
  const edgesBar = {
    harmonics: new Float64Array(edges.harmonics.length),
    basis: new Float64Array(edges.basis.length),
  };
  const seed = g * model.scale[head];
  let bar: Float64Array = new Float64Array(layers[layers.length - 1].features.length);
  for (let t = layers.length - 1; t >= 0; t--) {
    const { features } = layers[t];
    const stride = features.length / graph.nAtoms;
    addReadoutAdjoint(model, t, features, stride, head, seed, bar);
    addReadoutWeights(model, t, features, stride, head, seed, gradient.readouts[t]);
    const layer = model.layers[t];
    const adjoints = maceLayerAdjoint(
      ...[model, layer, graph, edges, elements, layers[t], bar, edgesBar] as const,
    );
    const h = t === 0 ? embedding : layers[t - 1].features;
    const stages = { ...layers[t], h };
    addLayerWeights(model, layer, graph, edges, elements, stages, adjoints, gradient.layers[t]);
    bar = adjoints.h;
  }
  const scale = 1 / Math.sqrt(model.elementNormalizer);
  elements.forEach((z, n) => {
    const C = model.channels;
    for (let c = 0; c < C; c++) gradient.embedding[z * C + c] += scale * bar[n * C + c];
  });
}

/** The weights of one layer, stage by stage, from what entered a stage and the adjoint of what left it. */
function addLayerWeights(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  elements: Uint8Array,
  stages: LayerStages & { readonly h: Float64Array },
  adjoints: LayerAdjoints,
  gradient: LayerWeights,
): void {
  const { channels: C, lMax } = model;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const shape = { d, channels: C };
  degreeWeights(stages.productBasis, adjoints.features, gradient.productLinear, layer.lOut, C);
  layer.contractions.forEach((contraction, i) => {
    const outBar = degreeOf(adjoints.productBasis, contraction.l, layer.lOut, C);
    const weightsBar = gradient.contractions[i];
    productBasisWeights(stages.x, contraction, elements, shape, outBar, weightsBar);
  });
  const [skipIn, skipBar, lSkip] = layer.residual
    ? [stages.h, adjoints.features, Math.min(layer.nSkip - 1, layer.lIn, layer.lOut)] as const
    : [stages.normalized, adjoints.x, lMax] as const;
  const [dSkip, dBar] = layer.residual ? [dIn, dOut] : [d, d];
  elementMixWeights(model, elements, skipIn, dSkip, skipBar, dBar, lSkip, gradient.skip);
  pathWeights(stages.atomicBasis, adjoints.message, layer, lMax, graph.nAtoms, C, gradient.linear);
  addRadial(model, layer, graph, edges, stages.up, adjoints, gradient);
  degreeWeights(stages.h, adjoints.up, gradient.linearUp, layer.lIn, C);
}

/** Weights of the radial MLP and of the edge densities. */
function addRadial(
  model: MaceModel,
  layer: MaceLayer,
  { sender, nEdges, ...graph }: Graph,
  edges: EdgeStages,
  up: Float64Array,
  adjoints: LayerAdjoints,
  gradient: LayerWeights,
): void {
  const receiver = receiverOf({ ...graph, sender, nEdges });
  const { channels: C, lMax, siluScale } = model;
  const shape = { paths: layer.paths, channels: C, lIn: layer.lIn, d: (lMax + 1) ** 2 };
  const radialBar = new Float64Array(nEdges * layer.paths.length * C);
  // What a change of the radial weights means does not depend on their values.
  const unread = new Float64Array(radialBar.length);
  atomicBasisAdjoint(
    ...[{ sender, receiver }, unread, edges.harmonics, up, adjoints.atomicBasis, shape] as const,
    {
      radial: radialBar,
      harmonics: new Float64Array(edges.harmonics.length),
      h: new Float64Array(up.length),
    },
  );
  radialMlpWeights(edges.basis, layer, siluScale, radialBar, gradient.radialMlp);
  if (!layer.densityWeight || !gradient.densityWeight) return;
  const rhoBar = Float64Array.from(receiver, (n) => adjoints.density[n]);
  edgeDensityWeights(edges.basis, layer.densityWeight, rhoBar, gradient.densityWeight);
}
