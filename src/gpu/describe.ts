import type { Graph } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import type { Pooling } from "../model/pooling.ts";
import type { Gpu } from "./device.ts";
import { fold, type Kernel } from "./kernel.ts";
import { type DescriptorKernels, dropPadding, Stage } from "./stage.ts";
import type { LayerBuffers } from "./weights.ts";

/** A batch of graphs on the device, atoms and edges numbered through. */
interface Batch {
  readonly nAtoms: number;
  readonly nEdges: number;
  readonly atoms: GPUBuffer;
  readonly edges: GPUBuffer;
  readonly vectors: GPUBuffer;
  readonly geometry: GPUBuffer;
}

/**
 * Descriptors of a batch of graphs by the WGSL kernels, stage by stage as in `src/model/mace.ts`, in
 * one submission and one readback.
 *
 * @param paths the atomic basis of every path of every layer
 * @param pooling null for the atoms themselves
 * @returns invariants of all layers, shape (n_rows, n_layers · channels): a row per atom, or pooled a
 *   row per graph, one per graph and element, or the graph's mean and its standard deviation
 */
export async function describeGraphs(
  gpu: Gpu,
  kernels: DescriptorKernels,
  model: BakedModel,
  layers: readonly LayerBuffers[],
  paths: readonly (readonly Kernel[])[],
  graphs: readonly Graph[],
  pooling: Pooling | null,
): Promise<Float32Array> {
  const stage = new Stage(gpu, kernels);
  const run = new MaceRun(stage, model, paths);
  try {
    const batch = uploadBatch(stage, model, graphs);
    run.geometry(batch);
    const columns = layers.length * model.padded;
    const output = stage.buffer("descriptors", batch.nAtoms * columns);
    let h = stage.upload("embedding", embed(model, graphs, batch.nAtoms));
    layers.forEach((layer, t) => h = run.layer(batch, layer, h, output, t, layers.length));
    const pooled = { graphs, atoms: batch.atoms, nElements: model.nElements };
    const rows = await stage.finishRows(output, batch.nAtoms, columns, pooling, pooled);
    return dropPadding(rows, model.padded, model.channels);
  } finally {
    stage.destroy();
  }
}

/** One model on its way over a batch. */
class MaceRun {
  constructor(
    readonly stage: Stage,
    readonly model: BakedModel,
    readonly paths: readonly (readonly Kernel[])[],
  ) {}

  geometry({ nEdges, vectors, geometry }: Batch): void {
    const kernel = this.stage.kernels.spherical_harmonics;
    this.stage.rows(kernel, nEdges, [["u32", nEdges], ["u32", this.model.lMax]], [
      vectors,
      geometry,
    ]);
  }

  /** One interaction and product basis; returns the features that leave it. */
  layer(
    batch: Batch,
    buffers: LayerBuffers,
    h: GPUBuffer,
    output: GPUBuffer,
    t: number,
    nLayers: number,
  ): GPUBuffer {
    const { layer } = buffers;
    const { padded } = this.model;
    const d = (this.model.lMax + 1) ** 2;
    const dIn = (layer.lIn + 1) ** 2;
    const dOut = (layer.lOut + 1) ** 2;
    const square = padded * padded;
    const features = (label: string, components: number) =>
      this.stage.buffer(`layer ${t} ${label}`, batch.nAtoms * components * padded);
    const mix = (x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, at: Mix) =>
      this.#mix(batch, x, weight, out, at);

    let up = null;
    for (let l = 0; buffers.up && l <= layer.lIn; l++) {
      up ??= features("up", dIn);
      const at = { dIn, first: l * l, dOut: dIn, target: l * l, l, weight: l * square };
      mix(h, buffers.up, up, at);
    }
    const width = layer.groups * layer.width;
    const sums = this.stage.buffer(`layer ${t} sums`, batch.nAtoms * layer.nComponents * width);
    this.#sumNeighbors(batch, buffers, this.paths[t], up, sums);

    const message = features("message", d);
    layer.degrees.forEach((l, p) => {
      mix(sums, buffers.message, message, {
        dIn: layer.nComponents,
        first: layer.paths[5 * p + 2],
        dOut: d,
        target: l * l,
        l,
        nIn: width,
        weight: p * width * padded,
        elementStride: layer.messagePerElement ? layer.nPaths * width * padded : 0,
        accumulate: layer.degrees.indexOf(l) < p,
      });
    });
    const product = features("product", dOut);
    layer.contractions.forEach((contraction, i) =>
      this.#contract(batch, contraction, buffers.contractions[i], message, product, dOut)
    );
    const next = features("features", dOut);
    const finish = (l: number, out: GPUBuffer, dTarget: number, target: number) => {
      const at = { dOut: dTarget, target, first: l * l, l };
      mix(product, buffers.product, out, { ...at, dIn: dOut, weight: l * square });
      if (!buffers.skip || l >= layer.nSkip) return;
      const elementStride = layer.nSkip * square;
      const residual = { ...at, dIn, weight: l * square, elementStride, accumulate: true };
      mix(h, buffers.skip, out, residual);
    };
    for (let l = 0; l <= layer.lOut; l++) finish(l, next, dOut, l * l);
    // The invariants once more, side by side with those of the other layers, for one readback.
    finish(0, output, nLayers, t);
    return next;
  }

  #sumNeighbors(
    batch: Batch,
    buffers: LayerBuffers,
    kernels: readonly Kernel[],
    up: GPUBuffer | null,
    sums: GPUBuffer,
  ): void {
    const { layer } = buffers;
    const { nAtoms, vectors, atoms, edges, geometry } = batch;
    const { nIntervals, rMax } = this.model;
    this.stage.rows(
      this.stage.kernels.radial_basis,
      nAtoms,
      [
        ["u32", nAtoms],
        ["u32", nIntervals],
        ["f32", rMax],
        ["u32", layer.densityWeight ? 1 : 0],
      ],
      [vectors, buffers.densityTable, atoms, edges, geometry],
    );
    const { x, y } = fold(nAtoms);
    const { width, groups, nRadials, nComponents } = layer;
    const senders = up ?? this.stage.upload("ones", new Float32Array(width).fill(1));
    const stride = up ? (layer.lIn + 1) ** 2 * width : 0;
    kernels.forEach((kernel, p) => {
      const [l1, l2, first] = layer.paths.subarray(5 * p, 5 * p + 3);
      const radial = Math.min(p, nRadials - 1);
      const input = [2 * l2, stride, l1 * l1 * width];
      const output = [nComponents, first, groups, x];
      const fields = [nAtoms, width, nRadials, radial, ...input, ...output];
      const params = this.stage.params("atomic_basis", fields.map((value) => ["u32", value]));
      const tensors = [atoms, edges, geometry, buffers.table, senders, sums];
      this.stage.dispatch(kernel, [params, ...tensors], x, y, groups);
    });
  }

  #contract(
    batch: Batch,
    { l, nTerms }: { l: number; nTerms: number },
    { terms, coefficients }: { terms: GPUBuffer; coefficients: GPUBuffer },
    x: GPUBuffer,
    out: GPUBuffer,
    dOut: number,
  ): void {
    const { padded, lMax } = this.model;
    const fields = [batch.nAtoms, padded, (lMax + 1) ** 2, dOut, l * l, nTerms];
    this.stage.rows(
      this.stage.kernels.product_basis,
      batch.nAtoms * padded,
      fields.map((value) => ["u32", value]),
      [x, coefficients, terms, batch.atoms, out],
    );
  }

  #mix(batch: Batch, x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, at: Mix): void {
    const { padded } = this.model;
    const count = 2 * at.l + 1;
    const fields = [
      batch.nAtoms,
      at.nIn ?? padded,
      padded,
      at.dIn,
      at.first,
      at.dOut,
      at.target,
      count,
      at.weight,
      at.elementStride ?? 0,
      at.accumulate ? 1 : 0,
    ];
    this.stage.rows(
      this.stage.kernels.channel_mix,
      batch.nAtoms * count * padded / 4,
      fields.map((value) => ["u32", value]),
      [x, weight, batch.atoms, out],
    );
  }
}

/** Components and weights of one channel mix. */
interface Mix {
  readonly dIn: number;
  readonly first: number;
  readonly dOut: number;
  readonly target: number;
  readonly l: number;
  readonly weight: number;
  /** Numbers of an input row, the padded channels if not given. */
  readonly nIn?: number;
  readonly elementStride?: number;
  readonly accumulate?: boolean;
}

function uploadBatch(stage: Stage, model: BakedModel, graphs: readonly Graph[]): Batch {
  const nAtoms = graphs.reduce((sum, graph) => sum + graph.nAtoms, 0);
  const nEdges = graphs.reduce((sum, graph) => sum + graph.nEdges, 0);
  const atoms = new Uint32Array(4 * nAtoms);
  const edges = new Uint32Array(4 * nEdges);
  const vectors = new Float32Array(4 * nEdges);
  let [atom0, edge0] = [0, 0];
  for (const graph of graphs) {
    const elements = graph.species.map((z) => model.elementOf[z]);
    for (let n = 0; n < graph.nAtoms; n++) {
      const [first, last] = [graph.firstEdge[n], graph.firstEdge[n + 1]];
      atoms.set([edge0 + first, edge0 + last, elements[n]], 4 * (atom0 + n));
      for (let e = first; e < last; e++) {
        const j = graph.sender[e];
        const [x, y, z] = graph.vectors.subarray(3 * e, 3 * e + 3);
        const pair = model.pairOf[elements[n] * model.nElements + elements[j]];
        edges.set([atom0 + j, pair, 0, elements[j]], 4 * (edge0 + e));
        vectors.set([x, y, z, Math.sqrt(x * x + y * y + z * z)], 4 * (edge0 + e));
      }
    }
    atom0 += graph.nAtoms;
    edge0 += graph.nEdges;
  }
  return {
    nAtoms,
    nEdges,
    atoms: stage.upload("atoms", atoms),
    edges: stage.upload("edges", edges),
    vectors: stage.upload("vectors", vectors),
    geometry: stage.buffer("geometry", 36 * nEdges),
  };
}

function embed(model: BakedModel, graphs: readonly Graph[], nAtoms: number): Float32Array {
  const { padded, embedding, elementOf } = model;
  const h = new Float32Array(nAtoms * padded);
  let n = 0;
  for (const { species } of graphs) {
    for (const z of species) {
      const row = elementOf[z] * padded;
      h.set(embedding.subarray(row, row + padded), padded * n++);
    }
  }
  return h;
}
