import { type Graph, receiverOf } from "../frame.ts";
import { atomicBasis, atomicBasisAdjoint, pathOffsets } from "./atomic_basis.ts";
import { mixDegrees, mixElements, mixPaths, transpose } from "./mace_mixes.ts";
import type { Contraction, MaceLayer, MaceModel } from "./mace_model.ts";
import { elementCoefficients, productBasis, productBasisAdjoint } from "./product_basis.ts";
import { radialWeights, radialWeightsAdjoint } from "./radial_weights.ts";
import { edgeDensity, edgeDensityAdjoint } from "./edge_density.ts";

/** Edges whose radial weights are held at a time; bounds memory, not results. */
const EDGE_BLOCK = 2048;

/** What one layer computes, every array with the channel fastest. */
export interface LayerStages {
  /** Features after linear_up, shape (n_atoms, (lIn + 1)², C). */
  readonly up: Float64Array;
  /** Atomic basis per path, shape (n_atoms, Σ_p (2 l3 + 1), C). */
  readonly atomicBasis: Float64Array;
  /** Sum of edge densities, shape (n_atoms); zeros without density normalisation. */
  readonly density: Float64Array;
  /** Message after the linear layer, shape (n_atoms, d, C). */
  readonly message: Float64Array;
  /** Message after normalisation, shape (n_atoms, d, C). */
  readonly normalized: Float64Array;
  /** Input of the product basis, shape (n_atoms, d, C). */
  readonly x: Float64Array;
  /** Product basis, shape (n_atoms, (lOut + 1)², C). */
  readonly productBasis: Float64Array;
  /** Skip connection, shape (n_atoms, (lOut + 1)², C); zeros in blocks that have none. */
  readonly skip: Float64Array;
  /** Features that leave the layer, shape (n_atoms, (lOut + 1)², C). */
  readonly features: Float64Array;
}

/** Geometry of the edges. */
export interface EdgeStages {
  /** Lengths, shape (n_edges), Å. */
  readonly r: Float64Array;
  /** Shape (n_edges, (lMax + 1)²). */
  readonly harmonics: Float64Array;
  /** Shape (n_edges, n_bessel). */
  readonly basis: Float64Array;
}

/**
 * One interaction and product basis (Batatia et al. 2022, eqs. 8-13; the order of operations and the
 * normalisations are those of the ACEsuit code).
 *
 * @param h input features, shape (n_atoms, (lIn + 1)², C)
 */
export function maceLayer(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  elements: Uint8Array,
  h: Float64Array,
): LayerStages {
  const C = model.channels;
  const nAtoms = graph.nAtoms;
  const d = (model.lMax + 1) ** 2;
  const dIn = (layer.lIn + 1) ** 2;
  const dOut = (layer.lOut + 1) ** 2;
  const rootC = Math.sqrt(C);
  const up = mixDegrees(h, layer.linearUp, layer.lIn, nAtoms, C, 1 / rootC);
  const { sums, density } = neighborSums(model, layer, graph, edges, up);

  const message = mixPaths(sums, layer, model.lMax, nAtoms, C);
  const normalized = message.slice();
  for (let n = 0; n < nAtoms; n++) {
    const norm = normOf(layer, density, n);
    for (let i = n * d * C; i < (n + 1) * d * C; i++) normalized[i] /= norm;
  }

  const skip = new Float64Array(nAtoms * dOut * C);
  let x = normalized;
  if (layer.residual) {
    const l = Math.min(layer.nSkip - 1, layer.lIn, layer.lOut);
    mixElements(model, layer, elements, h, dIn, skip, dOut, l);
  } else {
    x = new Float64Array(nAtoms * d * C);
    mixElements(model, layer, elements, normalized, d, x, d, model.lMax);
  }

  const product = new Float64Array(nAtoms * dOut * C);
  for (const contraction of layer.contractions) {
    const { l } = contraction;
    const coefficients = coefficientsOf(model, contraction, elements);
    const b = productBasis(x, contraction, coefficients, elements, { d, channels: C });
    setDegree(product, b, l, layer.lOut, C);
  }
  const features = mixDegrees(product, layer.productLinear, layer.lOut, nAtoms, C, 1 / rootC);
  for (let i = 0; i < features.length; i++) features[i] += skip[i];
  return {
    up,
    atomicBasis: sums,
    density,
    message,
    normalized,
    x,
    productBasis: product,
    skip,
    features,
  };
}

/** Sums over neighbors, in blocks of edges. */
function neighborSums(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  up: Float64Array,
) {
  const nb = model.radial.bessel.length;
  const d = (model.lMax + 1) ** 2;
  const { total } = pathOffsets(layer.paths);
  const sums = new Float64Array(graph.nAtoms * total * model.channels);
  const density = new Float64Array(graph.nAtoms);
  const receiver = receiverOf(graph);
  const shape = { paths: layer.paths, channels: model.channels, lIn: layer.lIn, d };
  for (let e = 0; e < graph.nEdges; e += EDGE_BLOCK) {
    const end = Math.min(e + EDGE_BLOCK, graph.nEdges);
    const basis = edges.basis.subarray(e * nb, end * nb);
    const block = { sender: graph.sender.subarray(e, end), receiver: receiver.subarray(e, end) };
    const radial = radialWeights(basis, layer, model.siluScale);
    atomicBasis(block, radial, edges.harmonics.subarray(e * d, end * d), up, sums, shape);
    if (layer.densityWeight) {
      const rho = edgeDensity(basis, layer.densityWeight);
      block.receiver.forEach((n, i) => density[n] += rho[i]);
    }
  }
  return { sums, density };
}

/** Adjoints of the edges' harmonics and radial embedding, added to layer by layer. */
export interface EdgeAdjoints {
  /** Shape (n_edges, (lMax + 1)²). */
  readonly harmonics: Float64Array;
  /** Shape (n_edges, n_bessel). */
  readonly basis: Float64Array;
}

/** Adjoints of the stages of a layer, shaped as these, and of the features h that enter. */
export type LayerAdjoints = Readonly<
  Record<Exclude<keyof LayerStages, "normalized" | "skip"> | "h", Float64Array>
>;

/**
 * Adjoint of `maceLayer`: what a change of the features that leave it means for those that enter it and
 * for the edges.
 *
 * @param stages what the layer computed
 * @param featuresBar adjoint of the features that leave, shape (n_atoms, (lOut + 1)², C)
 * @param edgesBar added to
 * @returns the adjoints of all stages
 */
export function maceLayerAdjoint(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  elements: Uint8Array,
  stages: LayerStages,
  featuresBar: Float64Array,
  edgesBar: EdgeAdjoints,
): LayerAdjoints {
  const { channels: C, lMax } = model;
  const { nAtoms } = graph;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const scale = 1 / Math.sqrt(C);
  const { productLinear, lOut } = layer;
  const productBar = mixDegrees(featuresBar, productLinear, lOut, nAtoms, C, scale, transpose);
  const xBar = contractionsAdjoint(model, layer, elements, stages.x, productBar);
  let normalizedBar = xBar;
  if (!layer.residual) {
    normalizedBar = new Float64Array(nAtoms * d * C);
    mixElements(model, layer, elements, xBar, d, normalizedBar, d, lMax, transpose);
  }
  const { messageBar, densityBar } = normalizeAdjoint(layer, stages, normalizedBar, nAtoms);
  const sumsBar = mixPaths(messageBar, layer, lMax, nAtoms, C, transpose);
  const upBar = neighborSumsAdjoint(
    model,
    layer,
    graph,
    edges,
    stages.up,
    sumsBar,
    densityBar,
    edgesBar,
  );
  const hBar = mixDegrees(upBar, layer.linearUp, layer.lIn, nAtoms, C, scale, transpose);
  if (layer.residual) {
    const l = Math.min(layer.nSkip - 1, layer.lIn, lOut);
    mixElements(model, layer, elements, featuresBar, dOut, hBar, dIn, l, transpose);
  }
  return {
    ...{ features: featuresBar, productBasis: productBar, x: xBar, message: messageBar },
    ...{ density: densityBar, atomicBasis: sumsBar, up: upBar, h: hBar },
  };
}

/** Adjoint of the contractions of all degrees, from their outputs to their common input. */
function contractionsAdjoint(
  model: MaceModel,
  layer: MaceLayer,
  elements: Uint8Array,
  x: Float64Array,
  productBar: Float64Array,
): Float64Array {
  const { channels, lMax } = model;
  const d = (lMax + 1) ** 2;
  const xBar = new Float64Array(x.length);
  for (const contraction of layer.contractions) {
    const outBar = degreeOf(productBar, contraction.l, layer.lOut, channels);
    const coefficients = coefficientsOf(model, contraction, elements);
    const shape = { d, channels };
    productBasisAdjoint(x, contraction, coefficients, elements, shape, outBar, xBar);
  }
  return xBar;
}

/** Components of degree l out of features (n_atoms, (lMax + 1)², C), shape (n_atoms, 2l + 1, C). */
export function degreeOf(
  features: Float64Array,
  l: number,
  lMax: number,
  channels: number,
): Float64Array {
  const row = (lMax + 1) ** 2 * channels;
  const size = (2 * l + 1) * channels;
  const out = new Float64Array(features.length / row * size);
  for (let n = 0; n * size < out.length; n++) {
    const from = n * row + l * l * channels;
    out.set(features.subarray(from, from + size), n * size);
  }
  return out;
}

/** Puts components of degree l, shape (n_atoms, 2l + 1, C), to their places among the features. */
export function setDegree(
  features: Float64Array,
  part: Float64Array,
  l: number,
  lMax: number,
  channels: number,
): void {
  const row = (lMax + 1) ** 2 * channels;
  const size = (2 * l + 1) * channels;
  for (let n = 0; n * size < part.length; n++) {
    features.set(part.subarray(n * size, (n + 1) * size), n * row + l * l * channels);
  }
}

/** What the message of atom n is divided by: Σ ρ + 1, or a number. */
export function normOf(layer: MaceLayer, density: Float64Array, n: number): number {
  return layer.density ? density[n] + 1 : layer.avgNumNeighbors;
}

/** Adjoint of m / norm. */
function normalizeAdjoint(
  layer: MaceLayer,
  { density, normalized }: LayerStages,
  normalizedBar: Float64Array,
  nAtoms: number,
) {
  const row = normalized.length / nAtoms;
  const messageBar = normalizedBar.slice();
  const densityBar = new Float64Array(nAtoms);
  for (let n = 0; n < nAtoms; n++) {
    const norm = normOf(layer, density, n);
    for (let i = n * row; i < (n + 1) * row; i++) {
      messageBar[i] /= norm;
      if (layer.density) densityBar[n] -= normalizedBar[i] * normalized[i] / norm;
    }
  }
  return { messageBar, densityBar };
}

/** Adjoint of the sums over neighbors, in blocks of edges; returns that of the features of the senders. */
function neighborSumsAdjoint(
  model: MaceModel,
  layer: MaceLayer,
  graph: Graph,
  edges: EdgeStages,
  up: Float64Array,
  sumsBar: Float64Array,
  densityBar: Float64Array,
  edgesBar: EdgeAdjoints,
): Float64Array {
  const nb = model.radial.bessel.length;
  const d = (model.lMax + 1) ** 2;
  const receiver = receiverOf(graph);
  const shape = { paths: layer.paths, channels: model.channels, lIn: layer.lIn, d };
  const upBar = new Float64Array(up.length);
  for (let e = 0; e < graph.nEdges; e += EDGE_BLOCK) {
    const end = Math.min(e + EDGE_BLOCK, graph.nEdges);
    const basis = edges.basis.subarray(e * nb, end * nb);
    const basisBar = edgesBar.basis.subarray(e * nb, end * nb);
    const block = { sender: graph.sender.subarray(e, end), receiver: receiver.subarray(e, end) };
    const radial = radialWeights(basis, layer, model.siluScale);
    const radialBar = new Float64Array(radial.length);
    atomicBasisAdjoint(
      block,
      radial,
      edges.harmonics.subarray(e * d, end * d),
      up,
      sumsBar,
      shape,
      {
        radial: radialBar,
        harmonics: edgesBar.harmonics.subarray(e * d, end * d),
        h: upBar,
      },
    );
    radialWeightsAdjoint(basis, layer, model.siluScale, radialBar, basisBar);
    if (layer.densityWeight) {
      const rhoBar = Float64Array.from(block.receiver, (n) => densityBar[n]);
      edgeDensityAdjoint(basis, layer.densityWeight, rhoBar, basisBar);
    }
  }
  return upBar;
}

/** Coefficients of a contraction for the elements that occur; empty for the others. */
export function coefficientsOf(model: MaceModel, contraction: Contraction, elements: Uint8Array) {
  return model.elements.map((_, z) =>
    elements.includes(z) ? elementCoefficients(contraction, z, model.channels) : new Float64Array(0)
  );
}
