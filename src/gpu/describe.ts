import type { Graph } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import type { Pooling } from "../model/pooling.ts";
import type { Gpu } from "./device.ts";
import { fold, type Kernel, readBack, storageBuffer, uniform } from "./kernel.ts";
import type { LayerBuffers } from "./weights.ts";

export type DescriptorKernels = Readonly<
  Record<
    "spherical_harmonics" | "radial_basis" | "channel_mix" | "product_basis" | "pool_atoms",
    Kernel
  >
>;

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
  const stage = new Stage(gpu, kernels, model, paths);
  try {
    const batch = uploadBatch(stage, model, graphs);
    stage.geometry(batch);
    const columns = layers.length * model.padded;
    const output = stage.buffer("descriptors", batch.nAtoms * columns);
    let h = stage.upload("embedding", embed(model, graphs, batch.nAtoms));
    layers.forEach((layer, t) => h = stage.layer(batch, layer, h, output, t, layers.length));
    const rows = pooling
      ? stage.pool(batch, graphs, output, columns, pooling)
      : { buffer: output, count: batch.nAtoms };
    const [result] = await stage.finish([[rows.buffer, 4 * rows.count * columns]]);
    return dropPadding(new Float32Array(result), model.padded, model.channels);
  } finally {
    stage.destroy();
  }
}

/** One compute pass and the buffers that live as long as it. */
class Stage {
  readonly #encoder: GPUCommandEncoder;
  readonly #pass: GPUComputePassEncoder;
  readonly #owned: GPUBuffer[] = [];

  constructor(
    readonly gpu: Gpu,
    readonly kernels: DescriptorKernels,
    readonly model: BakedModel,
    readonly paths: readonly (readonly Kernel[])[],
  ) {
    this.#encoder = gpu.device.createCommandEncoder();
    this.#pass = this.#encoder.beginComputePass();
  }

  buffer(label: string, count: number): GPUBuffer {
    return this.#own(storageBuffer(this.gpu, label, 4 * count));
  }

  upload(label: string, content: Float32Array | Uint32Array): GPUBuffer {
    return this.#own(storageBuffer(this.gpu, label, content));
  }

  finish(sources: readonly (readonly [GPUBuffer, number])[]): Promise<ArrayBuffer[]> {
    this.#pass.end();
    return readBack(this.gpu, this.#encoder, sources);
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy();
  }

  geometry({ nEdges, vectors, geometry }: Batch): void {
    const kernel = this.kernels.spherical_harmonics;
    this.#rows(kernel, nEdges, [["u32", nEdges], ["u32", this.model.lMax]], [vectors, geometry]);
  }

  /** Pools the atoms' rows of every graph. */
  pool(
    batch: Batch,
    graphs: readonly Graph[],
    descriptors: GPUBuffer,
    columns: number,
    pooling: Pooling,
  ): { buffer: GPUBuffer; count: number } {
    const nBlocks = pooling === "per-element-mean" ? this.model.nElements : 1;
    const deviations = pooling === "mean-std" ? 1 : 0;
    const count = graphs.length * (nBlocks + deviations);
    const buffer = this.buffer("pooled", count * columns);
    const ends = new Uint32Array(2 * graphs.length);
    let atom = 0;
    graphs.forEach(({ nAtoms }, f) => ends.set([atom, atom += nAtoms], 2 * f));
    const { x, y } = fold(graphs.length);
    const fields = [graphs.length, columns, nBlocks, deviations, x];
    const params = this.#params("pool_atoms", fields.map((value) => ["u32", value]));
    const tensors = [descriptors, batch.atoms, this.upload("frames", ends), buffer];
    this.kernels.pool_atoms.dispatch(this.#pass, [params, ...tensors], x, y, nBlocks);
    return { buffer, count };
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
      this.buffer(`layer ${t} ${label}`, batch.nAtoms * components * padded);
    const mix = (x: GPUBuffer, weight: GPUBuffer, out: GPUBuffer, at: Mix) =>
      this.#mix(batch, x, weight, out, at);

    let up = null;
    for (let l = 0; buffers.up && l <= layer.lIn; l++) {
      up ??= features("up", dIn);
      const at = { dIn, first: l * l, dOut: dIn, target: l * l, l, weight: l * square };
      mix(h, buffers.up, up, at);
    }
    const width = layer.groups * layer.width;
    const sums = this.buffer(`layer ${t} sums`, batch.nAtoms * layer.nComponents * width);
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
    this.#rows(
      this.kernels.radial_basis,
      nAtoms,
      [
        ["u32", nAtoms],
        ["u32", nIntervals],
        ["f32", rMax],
        ["u32", layer.densityTable ? 1 : 0],
      ],
      [vectors, buffers.densityTable, atoms, edges, geometry],
    );
    const { x, y } = fold(nAtoms);
    const { width, groups, nRadials, nComponents } = layer;
    const senders = up ?? this.upload("ones", new Float32Array(width).fill(1));
    const stride = up ? (layer.lIn + 1) ** 2 * width : 0;
    kernels.forEach((kernel, p) => {
      const [l1, l2, first] = layer.paths.subarray(5 * p, 5 * p + 3);
      const radial = Math.min(p, nRadials - 1);
      const input = [2 * l2, stride, l1 * l1 * width];
      const output = [nComponents, first, groups, x];
      const fields = [nAtoms, width, nRadials, radial, ...input, ...output];
      const params = this.#params("atomic_basis", fields.map((value) => ["u32", value]));
      const tensors = [atoms, edges, geometry, buffers.table, senders, sums];
      kernel.dispatch(this.#pass, [params, ...tensors], x, y, groups);
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
    this.#rows(
      this.kernels.product_basis,
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
    this.#rows(
      this.kernels.channel_mix,
      batch.nAtoms * count * padded / 4,
      fields.map((value) => ["u32", value]),
      [x, weight, batch.atoms, out],
    );
  }

  /** Dispatches one invocation per item, 64 to a workgroup; the row length is the last parameter. */
  #rows(
    kernel: Kernel,
    nItems: number,
    fields: readonly (readonly ["u32" | "f32", number])[],
    buffers: readonly GPUBuffer[],
  ): void {
    const { x, y } = fold(Math.ceil(nItems / 64));
    const params = this.#params(kernel.label, [...fields, ["u32", 64 * x]]);
    kernel.dispatch(this.#pass, [params, ...buffers], x, y);
  }

  #params(label: string, fields: readonly (readonly ["u32" | "f32", number])[]): GPUBuffer {
    return this.#own(uniform(this.gpu, `${label}.params`, fields));
  }

  #own(buffer: GPUBuffer): GPUBuffer {
    this.#owned.push(buffer);
    return buffer;
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

function dropPadding(rows: Float32Array, padded: number, channels: number): Float32Array {
  if (padded === channels) return rows;
  const n = rows.length / padded;
  const out = new Float32Array(n * channels);
  for (let i = 0; i < n; i++) {
    out.set(rows.subarray(i * padded, i * padded + channels), i * channels);
  }
  return out;
}
