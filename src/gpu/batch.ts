import type { Graph } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import type { Stage } from "./stage.ts";

/** A batch of graphs on the device, atoms and edges numbered through. */
export interface Batch {
  readonly nAtoms: number;
  readonly nEdges: number;
  /** First and last edge, element, bits of the normaliser of the message; u32 (n_atoms, 4). */
  readonly atoms: GPUBuffer;
  /** Sender, class of the pair, row of the radial tables, element of the sender; u32 (n_edges, 4). */
  readonly edges: GPUBuffer;
  /** Vector and length, Å; f32 (n_edges, 4). */
  readonly vectors: GPUBuffer;
  /** Harmonics by degree, 8 each, and the place in the interval; f32 (n_edges, 36). */
  readonly geometry: GPUBuffer;
}

/** A model on its way over a batch. */
export interface Run {
  readonly stage: Stage;
  readonly model: BakedModel;
  readonly batch: Batch;
}

/** Copies the graphs to the device and describes their edges by their harmonics. */
export function startRun(stage: Stage, model: BakedModel, graphs: readonly Graph[]): Run {
  const batch = uploadBatch(stage, model, graphs);
  const { nEdges, vectors, geometry } = batch;
  const fields = [["u32", nEdges], ["u32", model.lMax]] as const;
  stage.rows(stage.kernels.spherical_harmonics, nEdges, fields, [vectors, geometry]);
  return { stage, model, batch };
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
      const pairs = elements[n] * model.nElements;
      for (let e = first; e < last; e++) {
        const to = 4 * (edge0 + e);
        const j = graph.sender[e];
        edges[to] = atom0 + j;
        edges[to + 1] = model.pairOf[pairs + elements[j]];
        edges[to + 3] = elements[j];
        const x = graph.vectors[3 * e];
        const y = graph.vectors[3 * e + 1];
        const z = graph.vectors[3 * e + 2];
        vectors[to] = x;
        vectors[to + 1] = y;
        vectors[to + 2] = z;
        vectors[to + 3] = Math.sqrt(x * x + y * y + z * z);
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

/** Copies every atom's element features to the device, shape (n_atoms, padded). */
export function embed({ stage, model, batch }: Run, graphs: readonly Graph[]): GPUBuffer {
  const { padded, embedding, elementOf } = model;
  const h = new Float32Array(batch.nAtoms * padded);
  let n = 0;
  for (const { species } of graphs) {
    for (const z of species) {
      const row = elementOf[z] * padded;
      h.set(embedding.subarray(row, row + padded), padded * n++);
    }
  }
  return stage.upload("embedding", h);
}

/** Components and weights of one channel mix. */
export interface Mix {
  readonly dIn: number;
  readonly first: number;
  readonly dOut: number;
  readonly target: number;
  readonly l: number;
  readonly weight: number;
  /** Numbers of an input row, the padded channels if not given. */
  readonly nIn?: number;
  /** Numbers of an output row, the padded channels if not given. */
  readonly nOut?: number;
  readonly elementStride?: number;
  readonly accumulate?: boolean;
}

/** Mixes the channels of one degree of all atoms, x into out. */
export function mix(
  { stage, model: { padded }, batch }: Run,
  x: GPUBuffer,
  weight: GPUBuffer,
  out: GPUBuffer,
  at: Mix,
): void {
  const count = 2 * at.l + 1;
  const nOut = at.nOut ?? padded;
  const fields = [
    ...[batch.nAtoms, at.nIn ?? padded, nOut, at.dIn, at.first, at.dOut, at.target, count],
    ...[at.weight, at.elementStride ?? 0, at.accumulate ? 1 : 0],
  ];
  stage.rows(
    stage.kernels.channel_mix,
    batch.nAtoms * count * nOut / 4,
    fields.map((value) => ["u32", value]),
    [x, weight, batch.atoms, out],
  );
}

/** Linear layer of all degrees up to `lMax`, each with its own weights. */
export function mixDegrees(
  run: Run,
  x: GPUBuffer,
  weights: GPUBuffer,
  out: GPUBuffer,
  lMax: number,
): void {
  const d = (lMax + 1) ** 2;
  for (let l = 0; l <= lMax; l++) {
    const place = { first: l * l, target: l * l, l, weight: l * run.model.padded ** 2 };
    mix(run, x, weights, out, { dIn: d, dOut: d, ...place });
  }
}
