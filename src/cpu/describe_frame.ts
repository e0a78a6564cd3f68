import type { Frame } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import type { Arena } from "./arena.ts";
import { describeEdges } from "./edges.ts";
import { embed, type Run } from "./frame_run.ts";
import { runLayer } from "./layer.ts";
import type { Kernels } from "./memory.ts";
import { scratchBytes } from "./scratch.ts";
import type { StoredModel } from "./weights.ts";

/**
 * Descriptors of one frame by the float32 kernels, stage by stage as in `src/model/mace.ts`. Inside,
 * atoms stand element after element.
 *
 * @returns invariants of all layers, shape (n_atoms, n_layers · channels)
 */
export function describeFrame(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  frame: Frame,
): Float32Array {
  const graph = neighborList(frame, model.rMax);
  const bytes = (nSegments: number) => scratchBytes(model, graph, false, nSegments);
  const edges = describeEdges(kernels, arena, model, frame, graph, bytes);
  const run = { kernels, arena, model, edges };
  let h = embed(run);
  const out = new Float32Array(graph.nAtoms * model.layers.length * model.channels);
  model.layers.forEach((layer, t) => {
    const width = (layer.lOut + 1) ** 2 * model.padded;
    const features = arena.take(4 * graph.nAtoms * width);
    const mark = arena.mark();
    runLayer(run, layer, h, features);
    arena.release(mark);
    copyInvariants(run, features, width, out, t);
    h = features;
  });
  return out;
}

/** Copies the invariants of layer t to their columns and atoms to their places. */
function copyInvariants(
  { arena, model, edges: { nAtoms, order } }: Run,
  address: number,
  stride: number,
  out: Float32Array,
  t: number,
): void {
  const { channels } = model;
  const features = new Float32Array(arena.memory.buffer, address, nAtoms * stride);
  const width = model.layers.length * channels;
  for (let n = 0; n < nAtoms; n++) {
    const row = features.subarray(n * stride, n * stride + channels);
    out.set(row, order[n] * width + t * channels);
  }
}
