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
  // A block holds whole rows of pairs; a row has at most the edges of its atom.
  const row = graph.firstEdge.reduce(
    (most, e, n, first) => Math.max(most, e - first[n - 1] || 0),
    0,
  );
  const pairs = (adjoint ? 2 : 1) * 32 * (2 * model.lMax + 1) * (BLOCK_PAIRS + row);
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
