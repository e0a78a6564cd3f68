import { type Graph, receiverOf } from "../frame.ts";
import { WeightsError } from "../errors.ts";
import { chemicalSymbol } from "../frame.ts";
import { type EdgeStages, type LayerStages, maceLayer } from "./mace_layer.ts";
import { type MaceModel } from "./mace_model.ts";
import { elementIndices } from "./descriptor_model.ts";
import { radialBasis } from "./radial_basis.ts";
import { sphericalHarmonics } from "./spherical_harmonics.ts";

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
