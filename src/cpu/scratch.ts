import type { Graph } from "../frame.ts";
import { BLOCK_PAIRS, edgeBytes, RECORDS } from "./edges.ts";
import { GRADIENT_BLOCK } from "./edge_forces.ts";
import type { StoredLayer, StoredModel } from "./weights.ts";

/**
 * Scratch that one frame needs, in bytes, generously rounded.
 *
 * @param adjoint whether the way back is gone too
 */
export function scratchBytes(model: StoredModel, graph: Graph, adjoint: boolean): number {
  const { padded, layers } = model;
  const d = (model.lMax + 1) ** 2;
  let kept = padded;
  let most = 0;
  for (const layer of layers) {
    const dIn = (layer.lIn + 1) ** 2;
    const dOut = (layer.lOut + 1) ** 2;
    const stages = (d + dIn) * padded + 4;
    const forth = dOut * padded + sumNumbers(layer, 1);
    const back = (dIn + dOut + d) * padded + sumNumbers(layer, 2);
    kept += dOut * padded + (adjoint ? stages + dIn * padded : 0);
    most = Math.max(most, adjoint ? Math.max(forth, back) : stages + forth);
  }
  if (adjoint) kept += (layers[layers.length - 1].lOut + 1) ** 2 * padded;
  const rows = 4 * d + 4;
  const atoms = 4 * graph.nAtoms * (kept + most + rows);
  // A block holds whole rows of pairs; a row has at most the edges of its atom.
  const row = graph.firstEdge.reduce(
    (most, e, n, first) => Math.max(most, e - first[n - 1] || 0),
    0,
  );
  const pairs = (adjoint ? 2 : 1) * 32 * (2 * model.lMax + 1) * (BLOCK_PAIRS + row);
  const gradients = adjoint ? recordBytes(model, graph) + 48 * GRADIENT_BLOCK : 0;
  return edgeBytes(graph) + atoms + pairs + gradients + 65536;
}

/** Numbers per atom of the largest path: its sums, and what the kernels hold of eight channels. */
function sumNumbers({ paths, groups, width }: StoredLayer, copies: number): number {
  return Math.max(...paths.map(({ l1, l2, l3 }) => {
    const sums = (2 * l3 + 1) * groups * width;
    return sums + 8 * (2 * l1 + 1) * (copies + (2 * l2 + 1) * groups);
  }));
}

/** Bytes of the records of all degrees of a frame's edges. */
function recordBytes({ lMax }: StoredModel, { nEdges }: Graph): number {
  return 2 * nEdges * RECORDS.slice(0, lMax + 1).reduce((sum, n) => sum + n, 0);
}
