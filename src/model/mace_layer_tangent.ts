/** Tangents of a layer and of its adjoint: how all stages change where the edges do. */
import { type Graph, receiverOf } from "../frame.ts";
import { atomicBasis, atomicBasisAdjoint, pathOffsets } from "./atomic_basis.ts";
import { edgeDensityTangent } from "./edge_density.ts";
import {
  coefficientsOf,
  degreeOf,
  type EdgeStages,
  type LayerAdjoints,
  type LayerStages,
  normOf,
  setDegree,
} from "./mace_layer.ts";
import { mixDegrees, mixElements, mixPaths, transpose } from "./mace_mixes.ts";
import type { MaceLayer, MaceModel } from "./mace_model.ts";
import {
  productBasisAdjoint,
  productBasisAdjointTangent,
  productBasisTangent,
} from "./product_basis.ts";
import { radialWeights, radialWeightsTangent } from "./radial_weights.ts";

/** What a layer is run on, and how its edges change. */
export interface TangentInput {
  readonly model: MaceModel;
  readonly layer: MaceLayer;
  readonly graph: Graph;
  readonly elements: Uint8Array;
  readonly edges: EdgeStages;
  /** Tangents of harmonics and radial embedding, in their shapes. */
  readonly edgesDot: Pick<EdgeStages, "harmonics" | "basis">;
  readonly stages: LayerStages;
  readonly radials: Radials;
}

/** Radial weights R of all edges and their tangents, and what the atomic basis is told. */
type Radials = ReturnType<typeof radialsOf>;

/** Tangents of the stages of a layer, in their shapes. */
export type LayerTangents = Omit<LayerStages, "message" | "skip">;

/** Tangent of `maceLayer`.
 * @param hDot that of the features that enter */
export function maceLayerTangent(input: TangentInput, hDot: Float64Array): LayerTangents {
  const { model, layer, graph, elements, edges, edgesDot, stages } = input;
  const { channels: C, lMax } = model;
  const { nAtoms } = graph;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const scale = 1 / Math.sqrt(C);
  const up = mixDegrees(hDot, layer.linearUp, layer.lIn, nAtoms, C, scale);
  const sums = new Float64Array(nAtoms * pathOffsets(layer.paths).total * C);
  const { R, RDot, ends, shape } = input.radials;
  atomicBasis(ends, RDot, edges.harmonics, stages.up, sums, shape);
  atomicBasis(ends, R, edgesDot.harmonics, stages.up, sums, shape);
  atomicBasis(ends, R, edges.harmonics, up, sums, shape);
  const density = new Float64Array(nAtoms);
  if (layer.densityWeight) {
    const rhoDot = edgeDensityTangent(edges.basis, layer.densityWeight, edgesDot.basis);
    ends.receiver.forEach((n, e) => density[n] += rhoDot[e]);
  }
  const normalized = mixPaths(sums, layer, lMax, nAtoms, C);
  for (let i = 0; i < normalized.length; i++) {
    const n = Math.floor(i / (d * C));
    const norm = normOf(layer, stages.density, n);
    normalized[i] = (normalized[i] - stages.normalized[i] * density[n]) / norm;
  }
  const skip = new Float64Array(nAtoms * dOut * C);
  let x = normalized;
  if (layer.residual) {
    const l = Math.min(layer.nSkip - 1, layer.lIn, layer.lOut);
    mixElements(model, layer, elements, hDot, dIn, skip, dOut, l);
  } else {
    x = new Float64Array(nAtoms * d * C);
    mixElements(model, layer, elements, normalized, d, x, d, lMax);
  }
  const product = new Float64Array(nAtoms * dOut * C);
  for (const contraction of layer.contractions) {
    const coefficients = coefficientsOf(model, contraction, elements);
    const one = { d, channels: C };
    const own = productBasisTangent(stages.x, x, contraction, coefficients, elements, one);
    setDegree(product, own, contraction.l, layer.lOut, C);
  }
  const features = mixDegrees(product, layer.productLinear, layer.lOut, nAtoms, C, scale)
    .map((f, i) => f + skip[i]);
  return { up, atomicBasis: sums, density, normalized, x, productBasis: product, features };
}

/** Evaluates the radial weights of a layer, once for all that need them. */
export function radialsOf(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  edgesDot: TangentInput["edgesDot"],
) {
  return {
    R: radialWeights(edges.basis, layer, model.siluScale),
    RDot: radialWeightsTangent(edges.basis, layer, model.siluScale, edgesDot.basis),
    ends: { sender: graph.sender, receiver: receiverOf(graph) },
    shape: {
      paths: layer.paths,
      channels: model.channels,
      lIn: layer.lIn,
      d: (model.lMax + 1) ** 2,
    },
  };
}

/** Tangent of `maceLayerAdjoint`.
 * @param featuresBarDot that of the adjoint of the features that leave */
export function maceLayerAdjointTangent(
  input: TangentInput,
  stagesDot: LayerTangents,
  adjoints: LayerAdjoints,
  featuresBarDot: Float64Array,
): LayerAdjoints {
  const { model, layer, graph, elements, stages } = input;
  const { channels: C, lMax } = model;
  const { nAtoms } = graph;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const scale = 1 / Math.sqrt(C);
  const back = (x: Float64Array, weights: Float64Array, l: number) =>
    mixDegrees(x, weights, l, nAtoms, C, scale, transpose);
  const productBasis = back(featuresBarDot, layer.productLinear, layer.lOut);
  const x = new Float64Array(stages.x.length);
  for (const contraction of layer.contractions) {
    const coefficients = coefficientsOf(model, contraction, elements);
    const [bar, barDot] = [adjoints.productBasis, productBasis]
      .map((all) => degreeOf(all, contraction.l, layer.lOut, C));
    const shape = { d, channels: C };
    productBasisAdjoint(stages.x, contraction, coefficients, elements, shape, barDot, x);
    productBasisAdjointTangent(
      ...[stages.x, stagesDot.x, contraction, coefficients, elements, shape, bar, x] as const,
    );
  }
  const unskipped = (xBar: Float64Array) => {
    if (layer.residual) return xBar;
    const out = new Float64Array(xBar.length);
    mixElements(model, layer, elements, xBar, d, out, d, lMax, transpose);
    return out;
  };
  const [normalizedBar, normalizedBarDot] = [adjoints.x, x].map(unskipped);
  const message = new Float64Array(x.length);
  const density = new Float64Array(nAtoms);
  for (let n = 0; n < nAtoms; n++) {
    const norm = normOf(layer, stages.density, n);
    const normDot = stagesDot.density[n];
    for (let i = n * d * C; i < (n + 1) * d * C; i++) {
      message[i] = (normalizedBarDot[i] - adjoints.message[i] * normDot) / norm;
      if (!layer.density) continue;
      density[n] -= (normalizedBarDot[i] * stages.normalized[i] +
        normalizedBar[i] * stagesDot.normalized[i]) / norm;
    }
    if (layer.density) density[n] -= adjoints.density[n] * normDot / norm;
  }
  const sums = mixPaths(message, layer, lMax, nAtoms, C, transpose);
  const up = upTangent(input, adjoints.atomicBasis, sums);
  const h = back(up, layer.linearUp, layer.lIn);
  if (layer.residual) {
    const l = Math.min(layer.nSkip - 1, layer.lIn, layer.lOut);
    mixElements(model, layer, elements, featuresBarDot, dOut, h, dIn, l, transpose);
  }
  return { features: featuresBarDot, productBasis, x, message, density, atomicBasis: sums, up, h };
}

/** Tangent of the adjoint of the features after linear_up. */
function upTangent(input: TangentInput, sumsBar: Float64Array, sumsBarDot: Float64Array) {
  const { edges, edgesDot, stages, radials: { R, RDot, ends, shape } } = input;
  const up = new Float64Array(stages.up.length);
  const bar = {
    radial: new Float64Array(R.length),
    harmonics: new Float64Array(edges.harmonics.length),
    h: up,
  };
  atomicBasisAdjoint(ends, RDot, edges.harmonics, stages.up, sumsBar, shape, bar);
  atomicBasisAdjoint(ends, R, edgesDot.harmonics, stages.up, sumsBar, shape, bar);
  atomicBasisAdjoint(ends, R, edges.harmonics, stages.up, sumsBarDot, shape, bar);
  return up;
}
