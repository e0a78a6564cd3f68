import type { Graph } from "../frame.ts";
import { WeightsError } from "../errors.ts";
import { chemicalSymbol } from "../frame.ts";
import { atomicBasis, pathOffsets } from "./atomic_basis.ts";
import { channelMix, elementWeights } from "./channel_mix.ts";
import { type MaceLayer, type MaceModel } from "./mace_model.ts";
import { elementIndices } from "./descriptor_model.ts";
import { pairRepulsion } from "./pair_repulsion.ts";
import { elementCoefficients, productBasis } from "./product_basis.ts";
import { edgeDensity, radialBasis, radialWeights, silu } from "./radial_basis.ts";
import { sphericalHarmonics } from "./spherical_harmonics.ts";

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

/** Element index of each atom in the model's weights.
 * @throws {WeightsError} naming an element that the model does not know */
function atomElements(model: MaceModel, species: Uint8Array): Uint8Array {
  const table = elementIndices(model);
  return species.map((z) => {
    if (table[z] < 0) {
      const symbols = model.elements.map(chemicalSymbol).join(", ");
      throw new WeightsError(
        `Cannot describe ${
          chemicalSymbol(z)
        }: the model knows ${symbols}; choose another with --model`,
      );
    }
    return table[z];
  });
}

/** Lengths, harmonics and radial embedding of every edge. */
function edgeStages(model: MaceModel, graph: Graph): EdgeStages {
  const { vectors, nEdges, species, sender } = graph;
  const r = new Float64Array(nEdges);
  for (let e = 0; e < nEdges; e++) {
    const [x, y, z] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
    r[e] = Math.sqrt(x * x + y * y + z * z);
  }
  const senders = Uint8Array.from(sender, (j) => species[j]);
  const receivers = Uint8Array.from(receiverOf(graph), (i) => species[i]);
  return {
    r,
    harmonics: sphericalHarmonics(vectors, model.lMax),
    basis: radialBasis(r, senders, receivers, model.radial, model.rMax),
  };
}

function receiverOf({ nAtoms, nEdges, firstEdge }: Graph): Uint32Array {
  const receiver = new Uint32Array(nEdges);
  for (let n = 0; n < nAtoms; n++) receiver.fill(n, firstEdge[n], firstEdge[n + 1]);
  return receiver;
}

/** Node embedding h⁰[n, c] = W[z_n, c] / √n_elements, shape (n_atoms, 1, C). */
function nodeEmbedding(model: MaceModel, elements: Uint8Array): Float64Array {
  const { channels: C, embedding, elementNormalizer } = model;
  const h = new Float64Array(elements.length * C);
  const scale = 1 / Math.sqrt(elementNormalizer);
  elements.forEach((z, n) => {
    for (let c = 0; c < C; c++) h[n * C + c] = embedding[z * C + c] * scale;
  });
  return h;
}

/**
 * One interaction and product basis (Batatia et al. 2022, eqs. 8-13; the order of operations and the
 * normalisations are those of the ACEsuit code).
 *
 * @param h input features, shape (n_atoms, (lIn + 1)², C)
 */
function maceLayer(
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
    const norm = layer.density ? density[n] + 1 : layer.avgNumNeighbors;
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
    const coefficients = model.elements.map((_, z) =>
      elements.includes(z) ? elementCoefficients(contraction, z, C) : new Float64Array(0)
    );
    const b = productBasis(x, contraction, coefficients, elements, { d, channels: C });
    const rows = (2 * l + 1) * C;
    for (let n = 0; n < nAtoms; n++) {
      product.set(b.subarray(n * rows, (n + 1) * rows), (n * dOut + l * l) * C);
    }
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

/** out[l] = scale · x[l] W[l] for every degree l, shapes (n_atoms, (lMax + 1)², C). */
function mixDegrees(
  x: Float64Array,
  weights: Float64Array,
  lMax: number,
  nAtoms: number,
  channels: number,
  scale: number,
): Float64Array {
  const d = (lMax + 1) ** 2;
  const out = new Float64Array(x.length);
  for (let l = 0; l <= lMax; l++) {
    const weight = weights.subarray(l * channels * channels, (l + 1) * channels * channels);
    const at = { dIn: d, first: l * l, dOut: d, target: l * l, count: 2 * l + 1 };
    channelMix(x, weight, out, { nAtoms, channels, scale, ...at });
  }
  return out;
}

/** The linear layer of an interaction: paths of equal l3 are summed, 1/√(C n_l) normalised. */
function mixPaths(
  sums: Float64Array,
  layer: MaceLayer,
  lMax: number,
  nAtoms: number,
  channels: number,
): Float64Array {
  const d = (lMax + 1) ** 2;
  const { offsets, total } = pathOffsets(layer.paths);
  const out = new Float64Array(nAtoms * d * channels);
  layer.paths.forEach(([, , l], p) => {
    const fanIn = channels * layer.paths.filter((path) => path[2] === l).length;
    const weight = layer.linear.subarray(p * channels ** 2, (p + 1) * channels ** 2);
    const at = { dIn: total, first: offsets[p], dOut: d, target: l * l, count: 2 * l + 1 };
    channelMix(sums, weight, out, { nAtoms, channels, scale: 1 / Math.sqrt(fanIn), ...at });
  });
  return out;
}

/** out[l] += 1/√(C n_elements) · x[l] W[l, z_n] for l = 0 … lMax. */
function mixElements(
  model: MaceModel,
  layer: MaceLayer,
  elements: Uint8Array,
  x: Float64Array,
  dIn: number,
  out: Float64Array,
  dOut: number,
  lMax: number,
): void {
  const C = model.channels;
  const scale = 1 / Math.sqrt(C * model.elementNormalizer);
  for (const z of new Set(elements)) {
    for (let l = 0; l <= lMax; l++) {
      const weight = elementWeights(layer.skip, l, z, model.elements.length, C);
      const at = { dIn, first: l * l, dOut, target: l * l, count: 2 * l + 1 };
      elements.forEach((zn, n) => {
        if (zn !== z) return;
        const from = x.subarray(n * dIn * C, (n + 1) * dIn * C);
        const to = out.subarray(n * dOut * C, (n + 1) * dOut * C);
        channelMix(from, weight, to, { nAtoms: 1, channels: C, scale, ...at });
      });
    }
  }
}

/** Every stage of the first `nLayers` layers. */
export function maceStages(model: MaceModel, graph: Graph, nLayers = model.layers.length) {
  const elements = atomElements(model, graph.species);
  const edges = edgeStages(model, graph);
  const embedding = nodeEmbedding(model, elements);
  const layers: LayerStages[] = [];
  let h = embedding;
  for (const layer of model.layers.slice(0, nLayers)) {
    layers.push(maceLayer(model, layer, graph, edges, elements, h));
    h = layers[layers.length - 1].features;
  }
  return { elements, edges, embedding, layers };
}

/**
 * Descriptors of every atom: the l = 0 features of each layer side by side
 * (`MACECalculator.get_descriptors(invariants_only=True)`).
 *
 * @returns shape (n_atoms, n_layers · C), dimensionless
 */
export function descriptors(
  model: MaceModel,
  graph: Graph,
  nLayers = model.layers.length,
): Float64Array {
  const { layers } = maceStages(model, graph, nLayers);
  const C = model.channels;
  const width = nLayers * C;
  const out = new Float64Array(graph.nAtoms * width);
  layers.forEach(({ features }, t) => {
    const row = (model.layers[t].lOut + 1) ** 2 * C;
    for (let n = 0; n < graph.nAtoms; n++) {
      out.set(features.subarray(n * row, n * row + C), n * width + t * C);
    }
  });
  return out;
}

/**
 * Equivariant features of every atom, all layers and degrees, in MACE's order: for each layer and l the
 * block [channel][component] (`invariants_only=False`).
 *
 * @returns shape (n_atoms, Σ_t (lOut_t + 1)² · C)
 */
export function equivariantFeatures(model: MaceModel, graph: Graph): Float64Array {
  const C = model.channels;
  const { layers } = maceStages(model, graph);
  const width = model.layers.reduce((sum, layer) => sum + (layer.lOut + 1) ** 2 * C, 0);
  const out = new Float64Array(graph.nAtoms * width);
  let column = 0;
  layers.forEach(({ features }, t) => {
    const d = (model.layers[t].lOut + 1) ** 2;
    for (let l = 0; l <= model.layers[t].lOut; l++) {
      for (let c = 0; c < C; c++) {
        for (let i = l * l; i < (l + 1) ** 2; i++, column++) {
          for (let n = 0; n < graph.nAtoms; n++) {
            out[n * width + column] = features[(n * d + i) * C + c];
          }
        }
      }
    }
  });
  return out;
}

/**
 * Energy of every atom: E0 + scale · (ZBL + readouts) + shift.
 *
 * @param head index of the readout head
 * @returns shape (n_atoms), eV
 */
export function nodeEnergies(model: MaceModel, graph: Graph, head = 0): Float64Array {
  const { elements, edges, layers } = maceStages(model, graph);
  const energy = model.zbl
    ? pairRepulsion(graph, edges.r, model.zbl)
    : new Float64Array(graph.nAtoms);
  layers.forEach(({ features }, t) => addReadout(model, t, features, head, energy));
  return energy.map((e, n) =>
    model.atomicEnergies[head * model.elements.length + elements[n]] +
    model.scale[head] * e + model.shift[head]
  );
}

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
      let a = 0;
      for (let c = 0; c < C; c++) a += h[c] * hidden[c * width * nHeads + w];
      sum += model.siluScale * silu(a / Math.sqrt(C)) * output[w * nHeads + head];
    }
    energy[n] += sum / Math.sqrt(width * nHeads);
  }
}
