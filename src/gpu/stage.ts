import type { Pooling } from "../model/pooling.ts";
import type { Gpu } from "./device.ts";
import { fold, type Kernel, readBack, storageBuffer, uniform } from "./kernel.ts";

/** The kernels of a model; those of paths are compiled for each. */
export type ModelKernels = Readonly<
  Record<
    | "neighbor_list"
    | "edge_offsets"
    | "reverse_edges"
    | "spherical_harmonics"
    | "radial_basis"
    | "channel_mix"
    | "product_basis"
    | "filter_convolution"
    | "add_bias"
    | "pool_atoms"
    | "readout"
    | "product_basis_adjoint"
    | "edge_density_adjoint"
    | "edge_gradients"
    | "edge_forces"
    | "edge_tangents"
    | "row_edges"
    | "row_offsets"
    | "channel_mix_weights"
    | "product_basis_tangent"
    | "product_basis_adjoint_tangent"
    | "product_basis_weights"
    | "edge_density_tangent"
    | "edge_density_weights"
    | "density_weights"
    | "readout_tangent",
    Kernel
  >
>;

type Field = readonly ["u32" | "f32", number];

/** Whose rows are pooled: the atoms' elements are at z of `atoms`, shape (n_atoms, 4). */
export interface Pooled {
  readonly frames: readonly { readonly species: Uint8Array }[];
  readonly atoms: GPUBuffer;
  readonly nElements: number;
}

/** One compute pass and the buffers that live as long as it. */
export class Stage {
  readonly #encoder: GPUCommandEncoder;
  readonly #pass: GPUComputePassEncoder;
  readonly #owned: GPUBuffer[] = [];

  constructor(readonly gpu: Gpu, readonly kernels: ModelKernels) {
    this.#encoder = gpu.device.createCommandEncoder();
    this.#pass = this.#encoder.beginComputePass();
  }

  buffer(label: string, count: number): GPUBuffer {
    return this.#own(storageBuffer(this.gpu, label, 4 * count));
  }

  upload(label: string, content: Float32Array | Uint32Array): GPUBuffer {
    return this.#own(storageBuffer(this.gpu, label, content));
  }

  params(label: string, fields: readonly Field[]): GPUBuffer {
    return this.#own(uniform(this.gpu, `${label}.params`, fields));
  }

  dispatch(kernel: Kernel, buffers: readonly GPUBuffer[], x: number, y: number, z = 1): void {
    kernel.dispatch(this.#pass, buffers, x, y, z);
  }

  /** Dispatches one invocation per item, 64 to a workgroup; the row length is the last parameter. */
  rows(
    kernel: Kernel,
    nItems: number,
    fields: readonly Field[],
    buffers: readonly GPUBuffer[],
  ): void {
    const { x, y } = fold(Math.ceil(nItems / 64));
    const params = this.params(kernel.label, [...fields, ["u32", 64 * x]]);
    this.dispatch(kernel, [params, ...buffers], x, y);
  }

  /** The atoms' rows, or pooled ones, and how many numbers there are. */
  poolRows(
    rows: GPUBuffer,
    nAtoms: number,
    columns: number,
    pooling: Pooling | null,
    pooled: Pooled,
  ): readonly [GPUBuffer, number] {
    const { buffer, count } = pooling
      ? this.#pool(rows, columns, pooling, pooled)
      : { buffer: rows, count: nAtoms };
    return [buffer, count * columns];
  }

  /** Runs everything and reads float32 buffers back, of so many numbers each. */
  async finish(buffers: readonly (readonly [GPUBuffer, number])[]): Promise<Float32Array[]> {
    this.#pass.end();
    const sources = buffers.map(([buffer, count]) => [buffer, 4 * count] as const);
    const results = await readBack(this.gpu, this.#encoder, sources);
    return results.map((result) => new Float32Array(result));
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy();
  }

  /** Pools the atoms' rows of every graph. */
  #pool(rows: GPUBuffer, columns: number, pooling: Pooling, { frames, atoms, nElements }: Pooled) {
    const nBlocks = pooling === "per-element-mean" ? nElements : 1;
    const deviations = pooling === "mean-std" ? 1 : 0;
    const count = frames.length * (nBlocks + deviations);
    const buffer = this.buffer("pooled", count * columns);
    const ends = new Uint32Array(2 * frames.length);
    let atom = 0;
    frames.forEach(({ species }, f) => ends.set([atom, atom += species.length], 2 * f));
    const { x, y } = fold(frames.length);
    const fields = [frames.length, columns, nBlocks, deviations, x];
    const params = this.params("pool_atoms", fields.map((value): Field => ["u32", value]));
    const tensors = [rows, atoms, this.upload("frames", ends), buffer];
    this.dispatch(this.kernels.pool_atoms, [params, ...tensors], x, y, nBlocks);
    return { buffer, count };
  }

  #own(buffer: GPUBuffer): GPUBuffer {
    this.#owned.push(buffer);
    return buffer;
  }
}

/** Rows of padded channels without the padding. */
export function dropPadding(rows: Float32Array, padded: number, channels: number): Float32Array {
  if (padded === channels) return rows;
  const n = rows.length / padded;
  const out = new Float32Array(n * channels);
  for (let i = 0; i < n; i++) {
    out.set(rows.subarray(i * padded, i * padded + channels), i * channels);
  }
  return out;
}
