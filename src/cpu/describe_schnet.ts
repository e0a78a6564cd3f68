import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import type { BakedInteraction, BakedSchnet } from "../model/bake_schnet.ts";
import { tablePlaces } from "../model/radial_table.ts";
import type { Arena } from "./arena.ts";
import { type Kernels, store } from "./memory.ts";
import { blockColumns } from "./weights.ts";

type Weights = "in2f" | "in2fBias" | "table" | "hidden" | "hiddenBias" | "out" | "outBias";

/** A baked SchNet in shared memory: addresses instead of arrays. */
export interface StoredSchnet extends Omit<BakedSchnet, "layers"> {
  readonly layers: readonly StoredInteraction[];
}

type StoredInteraction =
  & Omit<BakedInteraction, Weights>
  & { readonly [name in Weights]: number };

/** Copies the weights into shared memory, once for all threads. */
export function storeSchnet(memory: WebAssembly.Memory, model: BakedSchnet): StoredSchnet {
  const { padded } = model;
  return {
    ...model,
    layers: model.layers.map((layer) => {
      const { nFilters, nHidden } = layer;
      const matrix = (weight: Float32Array, nIn: number, nOut: number) =>
        store(memory, blockColumns(weight, nIn, nOut));
      return {
        nFilters,
        nHidden,
        in2f: matrix(layer.in2f, padded, nFilters),
        in2fBias: store(memory, layer.in2fBias),
        table: store(memory, layer.table),
        hidden: matrix(layer.hidden, nFilters, nHidden),
        hiddenBias: store(memory, layer.hiddenBias),
        out: matrix(layer.out, nHidden, padded),
        outBias: store(memory, layer.outBias),
      };
    }),
  };
}

/**
 * Features of one frame by the float32 kernels, step by step as in `src/model/schnet.ts`.
 *
 * @returns shape (n_atoms, channels)
 */
export function describeSchnet(
  kernels: Kernels,
  arena: Arena,
  model: StoredSchnet,
  frame: Frame,
): Float32Array {
  const { padded, channels } = model;
  const graph = neighborList(frame, model.rMax);
  const { nAtoms } = graph;
  arena.reset(scratchBytes(model, graph));
  const { interval, place } = tablePlaces(graph.vectors, model.rMax, model.nIntervals);
  const edges = [graph.firstEdge, graph.sender, interval, place].map((array) => arena.put(array));
  const h = arena.take(4 * nAtoms * padded);
  const rows = new Float32Array(arena.memory.buffer, h, nAtoms * padded);
  graph.species.forEach((z, n) =>
    rows.set(model.embedding.subarray(z * padded, (z + 1) * padded), n * padded)
  );
  for (const layer of model.layers) {
    const mark = arena.mark();
    const dense = (x: number, weight: number, out: number, nIn: number, nOut: number, add = 0) =>
      kernels.channel_mix(
        ...[x, weight, out, listRows(arena, nAtoms, nIn), listRows(arena, nAtoms, nOut)],
        ...[nAtoms, nIn, nOut, add],
      );
    const { nFilters, nHidden } = layer;
    const [x, sums] = [arena.take(4 * nAtoms * nFilters), arena.take(4 * nAtoms * nFilters)];
    const hidden = arena.take(4 * nAtoms * nHidden);
    dense(h, layer.in2f, x, padded, nFilters);
    kernels.add_bias(x, layer.in2fBias, nAtoms, nFilters, 0);
    kernels.filter_convolution(nAtoms, ...edges, layer.table, x, sums, nFilters);
    dense(sums, layer.hidden, hidden, nFilters, nHidden);
    kernels.add_bias(hidden, layer.hiddenBias, nAtoms, nHidden, 1);
    dense(hidden, layer.out, h, nHidden, padded, 1);
    kernels.add_bias(h, layer.outBias, nAtoms, padded, 0);
    arena.release(mark);
  }
  const out = new Float32Array(nAtoms * channels);
  for (let n = 0; n < nAtoms; n++) {
    out.set(rows.subarray(n * padded, n * padded + channels), n * channels);
  }
  return out;
}

/** Element offsets of all rows, padded to a multiple of 4 by repeating the last one. */
function listRows(arena: Arena, nAtoms: number, width: number): number {
  const n = Math.ceil(nAtoms / 4) * 4;
  return arena.put(Uint32Array.from({ length: n }, (_, i) => Math.min(i, nAtoms - 1) * width));
}

/** Scratch that one frame needs, generously rounded. */
function scratchBytes({ padded, layers }: StoredSchnet, { nAtoms, nEdges }: Graph): number {
  const widest = Math.max(...layers.map(({ nFilters, nHidden }) => 2 * nFilters + nHidden));
  return 4 * nAtoms * (padded + widest + 7) + 12 * nEdges + 65536;
}
