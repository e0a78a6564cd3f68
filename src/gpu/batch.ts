import type { Frame } from "../frame.ts";
import type { BakedModel } from "../model/bake.ts";
import { type Batch, findEdges } from "./graph.ts";
import type { Stage } from "./stage.ts";

/** A model on its way over a batch. */
export interface Run {
  readonly stage: Stage;
  readonly model: BakedModel;
  readonly batch: Batch;
}

/** Finds the edges of some frames and describes them by their harmonics.
 * @param capacity edges that room is made for */
export function startRun(
  stage: Stage,
  model: BakedModel,
  frames: readonly Frame[],
  capacity: number,
): Run {
  const batch = findEdges(stage, model, frames, capacity);
  const { vectors, geometry } = batch;
  const fields = [["u32", capacity], ["u32", model.lMax]] as const;
  stage.rows(stage.kernels.spherical_harmonics, capacity, fields, [vectors, geometry]);
  return { stage, model, batch };
}

/** Copies every atom's element features to the device, shape (n_atoms, padded). */
export function embed({ stage, model, batch }: Run, frames: readonly Frame[]): GPUBuffer {
  const { padded, embedding, elementOf } = model;
  const h = new Float32Array(batch.nAtoms * padded);
  let n = 0;
  for (const { species } of frames) {
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

/** Adjoint of `mix` for its weights, added to `weightBar`.
 * @param at as `mix` is told; `unnormalised` divides every x by its atom's normaliser */
export function mixWeights(
  { stage, model: { padded, nElements }, batch }: Run,
  x: GPUBuffer,
  outBar: GPUBuffer,
  weightBar: GPUBuffer,
  at: Omit<Mix, "accumulate"> & { readonly unnormalised?: boolean },
): void {
  const [nIn, nOut] = [at.nIn ?? padded, at.nOut ?? padded];
  const nMatrices = at.elementStride ? nElements : 1;
  const fields = [
    ...[batch.nAtoms, nIn, nOut, at.dIn, at.first, at.dOut, at.target, 2 * at.l + 1],
    ...[at.weight, at.elementStride ?? 0, nMatrices, at.unnormalised ? 1 : 0],
  ];
  stage.rows(
    stage.kernels.channel_mix_weights,
    nMatrices * nIn * nOut / 4,
    fields.map((value) => ["u32", value]),
    [x, outBar, batch.atoms, weightBar],
  );
}
