import type { Graph } from "../frame.ts";
import type { BakedInteraction, BakedSchnet } from "../model/bake_schnet.ts";
import type { Pooling } from "../model/pooling.ts";
import { tablePlaces } from "../model/radial_table.ts";
import type { Gpu } from "./device.ts";
import { storageBuffer } from "./kernel.ts";
import { dropPadding, type ModelKernels, Stage } from "./stage.ts";

type Weights = "in2f" | "in2fBias" | "table" | "hidden" | "hiddenBias" | "out" | "outBias";
const WEIGHTS: readonly Weights[] = [
  "in2f",
  "in2fBias",
  "table",
  "hidden",
  "hiddenBias",
  "out",
  "outBias",
];

/** Weights of one interaction on the device. */
export interface SchnetBuffers extends Readonly<Record<Weights, GPUBuffer>> {
  readonly layer: BakedInteraction;
}

/** Copies the weights of every interaction to the device. */
export function uploadSchnet(gpu: Gpu, model: BakedSchnet): SchnetBuffers[] {
  return model.layers.map((layer, t) => {
    const buffers = WEIGHTS.map((name) => [
      name,
      storageBuffer(gpu, `interaction ${t} ${name}`, layer[name]),
    ]);
    return { layer, ...Object.fromEntries(buffers) as Record<Weights, GPUBuffer> };
  });
}

/** Frees the weights. */
export function destroySchnet(layers: readonly SchnetBuffers[]): void {
  for (const layer of layers) for (const name of WEIGHTS) layer[name].destroy();
}

/**
 * Features of a batch of graphs by the WGSL kernels, step by step as in `src/model/schnet.ts`, in one
 * submission and one readback.
 *
 * @param elements atomic numbers that pooling per element tells apart
 * @param pooling null for the atoms themselves
 * @returns shape (n_rows, channels), rows as `describeGraphs` gives them
 */
export async function describeSchnet(
  gpu: Gpu,
  kernels: ModelKernels,
  model: BakedSchnet,
  layers: readonly SchnetBuffers[],
  elements: readonly number[],
  graphs: readonly Graph[],
  pooling: Pooling | null,
): Promise<Float32Array> {
  const stage = new Stage(gpu, kernels);
  try {
    const { padded } = model;
    const { nAtoms, atoms, firstEdge, edges, h } = uploadBatch(stage, model, elements, graphs);
    const dense = (x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, nIn: number, nOut: number) => {
      // One component per row, added to the output where that is h.
      const fields = [nAtoms, nIn, nOut, 1, 0, 1, 0, 1, 0, 0, out === h ? 1 : 0];
      const nItems = nAtoms * nOut / 4;
      stage.rows(kernels.channel_mix, nItems, numbers(fields), [x, weight, atoms, out]);
    };
    const addBias = (x: GPUBuffer, bias: GPUBuffer, n: number, activate: boolean) =>
      stage.rows(kernels.add_bias, nAtoms * n / 4, numbers([nAtoms, n, activate ? 1 : 0]), [
        bias,
        x,
      ]);
    layers.forEach((layer, t) => {
      const { nFilters, nHidden } = layer.layer;
      const [x, sums] = ["filters", "sums"].map((name) =>
        stage.buffer(`interaction ${t} ${name}`, nAtoms * nFilters)
      );
      const hidden = stage.buffer(`interaction ${t} hidden`, nAtoms * nHidden);
      dense(h, layer.in2f, x, padded, nFilters);
      addBias(x, layer.in2fBias, nFilters, false);
      const tensors = [firstEdge, edges, layer.table, x, sums];
      const nItems = nAtoms * nFilters / 4;
      stage.rows(kernels.filter_convolution, nItems, numbers([nAtoms, nFilters]), tensors);
      dense(sums, layer.hidden, hidden, nFilters, nHidden);
      addBias(hidden, layer.hiddenBias, nHidden, true);
      dense(hidden, layer.out, h, nHidden, padded);
      addBias(h, layer.outBias, padded, false);
    });
    const pooled = { frames: graphs, atoms, nElements: elements.length };
    const [rows] = await stage.finish([stage.poolRows(h, nAtoms, padded, pooling, pooled)]);
    return dropPadding(rows, padded, model.channels);
  } finally {
    stage.destroy();
  }
}

function numbers(fields: readonly number[]) {
  return fields.map((value): readonly ["u32", number] => ["u32", value]);
}

/** A batch of graphs on the device, atoms and edges numbered through. */
function uploadBatch(
  stage: Stage,
  { padded, embedding, rMax, nIntervals }: BakedSchnet,
  elements: readonly number[],
  graphs: readonly Graph[],
) {
  const nAtoms = graphs.reduce((sum, graph) => sum + graph.nAtoms, 0);
  const nEdges = graphs.reduce((sum, graph) => sum + graph.nEdges, 0);
  const atoms = new Uint32Array(4 * nAtoms);
  const firstEdge = new Uint32Array(nAtoms + 1);
  const edges = new Uint32Array(4 * nEdges);
  const h = new Float32Array(nAtoms * padded);
  let [atom0, edge0] = [0, 0];
  for (const graph of graphs) {
    graph.species.forEach((z, n) => {
      atoms[4 * (atom0 + n) + 2] = elements.indexOf(z);
      firstEdge[atom0 + n + 1] = edge0 + graph.firstEdge[n + 1];
      h.set(embedding.subarray(z * padded, (z + 1) * padded), (atom0 + n) * padded);
    });
    const { interval, place } = tablePlaces(graph.vectors, rMax, nIntervals);
    const bits = new Uint32Array(place.buffer);
    graph.sender.forEach((j, e) => edges.set([atom0 + j, interval[e], bits[e]], 4 * (edge0 + e)));
    atom0 += graph.nAtoms;
    edge0 += graph.nEdges;
  }
  return {
    nAtoms,
    atoms: stage.upload("atoms", atoms),
    firstEdge: stage.upload("first edges", firstEdge),
    edges: stage.upload("edges", edges),
    h: stage.upload("embedding", h),
  };
}
