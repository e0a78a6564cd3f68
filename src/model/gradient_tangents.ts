import { type Graph, receiverOf } from "../frame.ts";
import { atomicBasisAdjoint } from "./atomic_basis.ts";
import { edgeDensityWeightsTangent } from "./edge_density.ts";
import { maceStages } from "./mace.ts";
import { degreeOf, type LayerAdjoints, maceLayerAdjoint } from "./mace_layer.ts";
import {
  type LayerTangents,
  maceLayerAdjointTangent,
  maceLayerTangent,
  radialsOf,
  type TangentInput,
} from "./mace_layer_tangent.ts";
import { degreeWeights, elementMixWeights, pathWeights } from "./mace_mixes.ts";
import type { MaceModel } from "./mace_model.ts";
import type { LayerWeights, ModelWeights } from "./model_weights.ts";
import { productBasisWeights, productBasisWeightsTangent } from "./product_basis.ts";
import { radialBasisTangent } from "./radial_basis.ts";
import { radialMlpWeightsTangent } from "./radial_weights.ts";
import { addReadoutAdjoint, addReadoutTangents } from "./readout.ts";
import { sphericalHarmonicsTangent } from "./spherical_harmonics.ts";

/**
 * Adds d/dτ ∂E/∂θ along a change of the edges' vectors to what is known of every trainable number θ: the
 * mixed second derivative that a loss of forces and stresses needs, exactly, by tangents of the forward
 * and of the reverse pass.
 *
 * @param vectorsDot change of every edge's vector with τ, shape (n_edges, 3)
 * @param head index of the readout head
 */
export function addGradientTangent(
  model: MaceModel,
  graph: Graph,
  head: number,
  vectorsDot: Float64Array,
  gradient: ModelWeights,
): void {
  const { elements, edges, embedding, layers } = maceStages(model, graph);
  const { nAtoms } = graph;
  const edgesDot = edgeTangents(model, graph, edges.r, vectorsDot);
  const inputs = model.layers.map((layer, t): TangentInput => ({
    ...{ model, layer, graph, elements, edges, edgesDot },
    stages: layers[t],
    radials: radialsOf(model, layer, graph, edges, edgesDot),
  }));
  let hDot: Float64Array = new Float64Array(embedding.length);
  const tangents = inputs.map((input) => {
    const own = maceLayerTangent(input, hDot);
    hDot = own.features;
    return own;
  });
  const edgesBar = {
    harmonics: new Float64Array(edges.harmonics.length),
    basis: new Float64Array(edges.basis.length),
  };
  const g = model.scale[head];
  const last = layers[layers.length - 1].features.length;
  let bar: Float64Array = new Float64Array(last);
  let barDot: Float64Array = new Float64Array(last);
  for (let t = layers.length - 1; t >= 0; t--) {
    const { features } = layers[t];
    const stride = features.length / nAtoms;
    addReadoutAdjoint(model, t, features, stride, head, g, bar);
    addReadoutTangents(
      ...[model, t, features, tangents[t].features, stride, head, g, barDot] as const,
      gradient.readouts[t],
    );
    const adjoints = maceLayerAdjoint(
      ...[model, model.layers[t], graph, edges, elements, layers[t], bar, edgesBar] as const,
    );
    const dots = maceLayerAdjointTangent(inputs[t], tangents[t], adjoints, barDot);
    const h = t === 0 ? embedding : layers[t - 1].features;
    const before = t === 0 ? new Float64Array(h.length) : tangents[t - 1].features;
    addLayerTangent(inputs[t], h, before, tangents[t], adjoints, dots, gradient.layers[t]);
    [bar, barDot] = [adjoints.h, dots.h];
  }
  const scale = 1 / Math.sqrt(model.elementNormalizer);
  elements.forEach((z, n) => {
    const C = model.channels;
    for (let c = 0; c < C; c++) gradient.embedding[z * C + c] += scale * barDot[n * C + c];
  });
}

/** Tangents of harmonics and radial embedding. */
function edgeTangents(
  model: MaceModel,
  graph: Graph,
  r: Float64Array,
  vectorsDot: Float64Array,
): TangentInput["edgesDot"] {
  const { vectors, species, sender } = graph;
  const rDot = r.map((length, e) =>
    [0, 1, 2].reduce((sum, k) => sum + vectors[3 * e + k] * vectorsDot[3 * e + k], 0) / length
  );
  const senders = Uint8Array.from(sender, (j) => species[j]);
  const receivers = Uint8Array.from(receiverOf(graph), (i) => species[i]);
  return {
    harmonics: sphericalHarmonicsTangent(vectors, model.lMax, vectorsDot),
    basis: radialBasisTangent(r, senders, receivers, model.radial, model.rMax, rDot),
  };
}

/** Tangent of a layer's weights: of every product of what entered a stage and the adjoint of what left it,
 * each factor in turn. */
function addLayerTangent(
  input: TangentInput,
  h: Float64Array,
  hDot: Float64Array,
  stagesDot: LayerTangents,
  adjoints: LayerAdjoints,
  adjointsDot: LayerAdjoints,
  gradient: LayerWeights,
): void {
  const { model, layer, graph, elements, stages } = input;
  const { channels: C, lMax } = model;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const turns = [
    [{ ...stagesDot, h: hDot }, adjoints],
    [{ ...stages, h }, adjointsDot],
  ] as const;
  for (const [s, a] of turns) {
    degreeWeights(s.productBasis, a.features, gradient.productLinear, layer.lOut, C);
    if (layer.residual) {
      const l = Math.min(layer.nSkip - 1, layer.lIn, layer.lOut);
      elementMixWeights(model, elements, s.h, dIn, a.features, dOut, l, gradient.skip);
    } else {
      elementMixWeights(model, elements, s.normalized, d, a.x, d, lMax, gradient.skip);
    }
    pathWeights(s.atomicBasis, a.message, layer, lMax, graph.nAtoms, C, gradient.linear);
    degreeWeights(s.h, a.up, gradient.linearUp, layer.lIn, C);
  }
  const shape = { d, channels: C };
  layer.contractions.forEach((contraction, i) => {
    const [bar, barDot] = [adjoints, adjointsDot]
      .map(({ productBasis }) => degreeOf(productBasis, contraction.l, layer.lOut, C));
    const weights = gradient.contractions[i];
    productBasisWeights(stages.x, contraction, elements, shape, barDot, weights);
    productBasisWeightsTangent(
      ...[stages.x, stagesDot.x, contraction, elements, shape, bar, weights] as const,
    );
  });
  addRadialTangent(input, stagesDot.up, adjoints, adjointsDot, gradient);
}

/** Tangent of the weights of the radial MLP and of the edge densities. */
function addRadialTangent(
  input: TangentInput,
  upDot: Float64Array,
  adjoints: LayerAdjoints,
  adjointsDot: LayerAdjoints,
  gradient: LayerWeights,
): void {
  const { model, layer, edges, edgesDot, stages, radials: { R, ends, shape } } = input;
  // What a change of the radial weights means does not depend on their values.
  const pull = (
    harmonics: Float64Array,
    up: Float64Array,
    sumsBar: Float64Array,
    radial: Float64Array,
  ) =>
    atomicBasisAdjoint(ends, R, harmonics, up, sumsBar, shape, {
      radial,
      harmonics: new Float64Array(harmonics.length),
      h: new Float64Array(up.length),
    });
  const [radialBar, radialBarDot] = [new Float64Array(R.length), new Float64Array(R.length)];
  pull(edges.harmonics, stages.up, adjoints.atomicBasis, radialBar);
  pull(edgesDot.harmonics, stages.up, adjoints.atomicBasis, radialBarDot);
  pull(edges.harmonics, upDot, adjoints.atomicBasis, radialBarDot);
  pull(edges.harmonics, stages.up, adjointsDot.atomicBasis, radialBarDot);
  radialMlpWeightsTangent(
    ...[edges.basis, layer, model.siluScale, radialBar, edgesDot.basis, radialBarDot] as const,
    gradient.radialMlp,
  );
  if (!layer.densityWeight || !gradient.densityWeight) return;
  const [rhoBar, rhoBarDot] = [adjoints, adjointsDot]
    .map(({ density }) => Float64Array.from(ends.receiver, (n) => density[n]));
  edgeDensityWeightsTangent(
    ...[edges.basis, layer.densityWeight, rhoBar, edgesDot.basis, rhoBarDot] as const,
    gradient.densityWeight,
  );
}
