import type { Graph } from "../frame.ts";
import { BLOCK_PAIRS, edgeBytes, recordNumbers } from "./edges.ts";
import { GRADIENT_BLOCK } from "./edge_forces.ts";
import type { StoredLayer, StoredModel } from "./weights.ts";

/**
 * Scratch that one frame needs, in bytes, generously rounded.
 *
 * @param adjoint whether the way back is gone too
 * @param nSegments of the list of pairs
 */
export function scratchBytes(
  model: StoredModel,
  graph: Graph,
  adjoint: boolean,
  nSegments: number,
): number {
  const { padded, layers } = model;
  const d = (model.lMax + 1) ** 2;
  let kept = padded;
  let most = 0;
  for (const layer of layers) {
    // What enters the first layer has neither linear_up nor an adjoint.
    const dIn = layer.up ? (layer.lIn + 1) ** 2 : 0;
    const dOut = (layer.lOut + 1) ** 2;
    const stages = (d + dIn) * padded + 4;
    const forth = dOut * padded + sumNumbers(layer, 1, 0);
    const pull = dIn * padded + sumNumbers(layer, dIn ? 2 : 1, d * padded);
    const back = d * padded + Math.max(dOut * padded + 4, pull);
    kept += dOut * padded + (adjoint ? stages + dIn * padded : 0);
    most = Math.max(most, adjoint ? Math.max(forth, back) : stages + forth);
  }
  if (adjoint) kept += (layers[layers.length - 1].lOut + 1) ** 2 * padded;
  // Places of rows, at most 2 l_max + 1 twice, while channels are mixed.
  const rows = 2 * (2 * model.lMax + 1);
  const atoms = 4 * graph.nAtoms * (kept + most + rows);
  const pairs = (adjoint ? 2 : 1) * 32 * (2 * model.lMax + 1) * (BLOCK_PAIRS + longestRow(graph));
  const gradients = adjoint
    ? 2 * graph.nEdges * recordNumbers(model.lMax) + 48 * GRADIENT_BLOCK
    : 0;
  const { kept: edges, most: describing } = edgeBytes(graph, nSegments);
  return edges + Math.max(describing, atoms + pairs + gradients) + 65536;
}

/** Numbers per atom of the largest path: its sums, unless they find room for `free` numbers elsewhere, and
 * what the kernels hold of eight channels, several copies of it where there is a way back. */
function sumNumbers({ paths, groups, width }: StoredLayer, copies: number, free: number): number {
  return Math.max(...paths.map(({ l1, l2, l3 }) => {
    const sums = (2 * l3 + 1) * groups * width;
    const held = 8 * (2 * l1 + 1) * (copies + (2 * l2 + 1) * groups);
    return held + (sums > free ? sums : 0);
  }));
}

/** Scratch that one frame needs for the gradient of the weights, in bytes: all stages of all layers, their
 * tangents, adjoints and the tangents of these. */
export function trainBytes(model: StoredModel, graph: Graph, nSegments: number): number {
  const { padded, layers, lMax } = model;
  const d = (lMax + 1) ** 2;
  let kept = padded;
  let most = 0;
  for (const layer of layers) {
    const [dIn, dOut] = [layer.lIn, layer.lOut].map((l) => (l + 1) ** 2);
    const components = layer.paths.reduce((sum, { l3 }) => sum + 2 * l3 + 1, 0);
    const stages = (d + dIn + 2 * dOut) * padded + components * layer.groups * layer.width + 4;
    const adjoints = (d + 2 * dIn + 2 * dOut) * padded + 4;
    kept += 2 * stages + adjoints + 2 * dIn * padded;
    // Of the way back and of the weights, which hold the adjoints of the sums twice.
    const widest = Math.max(...layer.paths.map(({ l1, l2, l3 }) => {
      const [a, b] = [2 * l1 + 1, 2 * l2 + 1];
      return 2 * (2 * l3 + 1) * layer.groups * layer.width + 8 * (4 * a + 2 * a * b * layer.groups);
    }));
    most = Math.max(most, widest + (d + dIn + dOut) * padded + 8);
  }
  const rows = 2 * (2 * lMax + 1);
  const atoms = 4 * graph.nAtoms * (kept + most + rows + dOutOf(layers) * padded);
  const pairs = 4 * 32 * (2 * lMax + 1) * (BLOCK_PAIRS + longestRow(graph));
  const gradients = 4 * graph.nEdges * recordNumbers(lMax) + 48 * GRADIENT_BLOCK;
  const { kept: edges, most: describing } = edgeBytes(graph, nSegments);
  return edges + Math.max(describing, atoms + pairs + gradients) + 65536;
}

/** Components that leave the last layer. */
function dOutOf(layers: StoredModel["layers"]): number {
  return 2 * (layers[layers.length - 1].lOut + 1) ** 2;
}

/** Edges of the atom that has most: a block of pairs holds whole rows. */
function longestRow({ firstEdge }: Graph): number {
  return firstEdge.reduce((most, e, n, first) => Math.max(most, e - first[n - 1] || 0), 0);
}
