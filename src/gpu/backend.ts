import type { Backend, Describer } from "../backend.ts";
import { RequestError } from "../errors.ts";
import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import { bakeModel } from "../model/bake.ts";
import { TableSlots } from "../model/bake_tables.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { SchnetModel } from "../model/schnet_model.ts";
import { elementFractions, type Pooling } from "../model/pooling.ts";
import addBias from "../../shaders/add_bias.wgsl" with { type: "text" };
import atomicBasis from "../../shaders/atomic_basis.wgsl" with { type: "text" };
import channelMix from "../../shaders/channel_mix.wgsl" with { type: "text" };
import covariance from "../../shaders/covariance.wgsl" with { type: "text" };
import filterConvolution from "../../shaders/filter_convolution.wgsl" with { type: "text" };
import poolAtoms from "../../shaders/pool_atoms.wgsl" with { type: "text" };
import neighborCount from "../../shaders/neighbor_count.wgsl" with { type: "text" };
import powerIteration from "../../shaders/power_iteration.wgsl" with { type: "text" };
import productBasis from "../../shaders/product_basis.wgsl" with { type: "text" };
import radialBasis from "../../shaders/radial_basis.wgsl" with { type: "text" };
import sphericalHarmonics from "../../shaders/spherical_harmonics.wgsl" with { type: "text" };
import { describeGraphs } from "./describe.ts";
import { describeSchnet, destroySchnet, uploadSchnet } from "./describe_schnet.ts";
import { type Gpu, openDevice } from "./device.ts";
import { openKernel } from "./kernel.ts";
import { leadingSubspace } from "./leading_subspace.ts";
import { countNeighbors } from "./neighbor_count.ts";
import { proveComputing } from "./self_test.ts";
import { Tilings } from "./tiling.ts";
import { countSlots, layerBuffers, uploadLayers, uploadTables } from "./weights.ts";

/** Every kernel by the name of its file and entry point. */
export const SHADERS = {
  add_bias: addBias,
  atomic_basis: atomicBasis,
  channel_mix: channelMix,
  covariance,
  filter_convolution: filterConvolution,
  neighbor_count: neighborCount,
  pool_atoms: poolAtoms,
  power_iteration: powerIteration,
  product_basis: productBasis,
  radial_basis: radialBasis,
  spherical_harmonics: sphericalHarmonics,
};

type Kernels = Record<keyof typeof SHADERS, Awaited<ReturnType<typeof openKernel>>>;

/** Atoms described in one submission, where the limits of the device allow it. */
const BATCH_ATOMS = 4096;

/** The backend, and what its device can hold. */
export interface GpuBackend extends Backend {
  /** Limits of the device by their WebGPU names. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Limits of a device that the kernels live by. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/** WGSL kernels on a WebGPU device. Every kernel is compiled here, so a broken one fails at start. */
export async function openGpuBackend(options: { allowSoftware: boolean }): Promise<GpuBackend> {
  const gpu = await openDevice(options);
  await proveComputing(gpu);
  const kernels = {} as Kernels;
  for (const [name, code] of Object.entries(SHADERS)) {
    kernels[name as keyof Kernels] = await openKernel(gpu, name, code);
  }
  const tilings = new Tilings(gpu, SHADERS.atomic_basis);
  return {
    name: "gpu",
    description: gpu.description,
    limits: Object.fromEntries(LIMITS.map((name) => [name, gpu.device.limits[name]])),
    openDescriber: (model, nLayers, elements) =>
      openDescriber(gpu, kernels, tilings, model, nLayers, elements),
    openPotential: () =>
      Promise.reject(
        new RequestError("The GPU has no energies and forces yet; use --backend cpu"),
      ),
    async leadingSubspace(centred, m) {
      return { start: await leadingSubspace(gpu, kernels, centred, m), covariance: null };
    },
    countNeighbors: (points, radii) => countNeighbors(gpu, kernels.neighbor_count, points, radii),
    close() {
      gpu.device.destroy();
      return Promise.resolve();
    },
  };
}

/** Frames that the device is ready for. */
interface Group {
  readonly frames: readonly Frame[];
  /** Rows of a part that fits the device: of its atoms, or pooled. */
  rows(part: readonly Graph[], pooling: Pooling | null): Promise<Float32Array>;
}

/** A model on the device. */
interface Engine {
  readonly bytesPerAtom: number;
  readonly bytesPerEdge: number;
  /** Frames whose tables are on the device together, in their order, one group after the other. */
  groups(frames: readonly Frame[]): Iterable<Group>;
  close(): void;
}

async function openMace(
  gpu: Gpu,
  kernels: Kernels,
  tilings: Tilings,
  model: MaceModel,
  nLayers: number,
  elements: readonly number[],
): Promise<Engine> {
  const baked = bakeModel(model, elements, nLayers);
  const nSlots = countSlots(gpu, baked);
  if (nSlots === 0) {
    throw new RequestError(
      `Cannot hold a radial table on the GPU: a binding holds ${gpu.maxBinding} bytes; use --backend cpu`,
    );
  }
  const slots = new TableSlots(baked, nSlots);
  const layers = uploadLayers(gpu, baked, nSlots);
  const tiling = await tilings.of(baked);
  const sums = baked.layers.map(({ nComponents, groups, width }) => nComponents * groups * width);
  return {
    bytesPerAtom: 4 * Math.max(...sums, 16 * baked.padded),
    bytesPerEdge: 4 * 36,
    *groups(frames) {
      for (const plan of slots.plan(frames)) {
        for (const load of plan.load) uploadTables(gpu, baked, layers, load);
        const own = { ...baked, pairOf: plan.pairOf };
        yield {
          frames: plan.frames.map((f) => frames[f]),
          rows: (part, pooling) =>
            tiling.run((paths) => describeGraphs(gpu, kernels, own, layers, paths, part, pooling)),
        };
      }
    },
    close() {
      for (const layer of layers) for (const buffer of layerBuffers(layer)) buffer.destroy();
    },
  };
}

function openSchnet(
  gpu: Gpu,
  kernels: Kernels,
  model: SchnetModel,
  nLayers: number,
  elements: readonly number[],
): Engine {
  const baked = bakeSchnet(model, nLayers);
  const layers = uploadSchnet(gpu, baked);
  return {
    bytesPerAtom: 4 * Math.max(baked.padded, ...baked.layers.map(({ nFilters }) => nFilters)),
    bytesPerEdge: 16,
    groups: (frames) => [{
      frames,
      rows: (part, pooling) => describeSchnet(gpu, kernels, baked, layers, elements, part, pooling),
    }],
    close: () => destroySchnet(layers),
  };
}

async function openDescriber(
  gpu: Gpu,
  kernels: Kernels,
  tilings: Tilings,
  model: DescriptorModel,
  nLayers: number,
  elements: readonly number[],
): Promise<Describer> {
  const engine = isSchnet(model)
    ? openSchnet(gpu, kernels, model, nLayers, elements)
    : await openMace(gpu, kernels, tilings, model, nLayers, elements);
  const width = descriptorLength(model, nLayers);
  /** Rows of every part that fits the device, with its graphs. */
  async function* run(frames: readonly Frame[], pooling: Pooling | null) {
    for (const group of engine.groups(frames)) {
      for (const part of splitGraphs(gpu, engine, group.frames, model.rMax)) {
        yield { part, rows: await group.rows(part, pooling) };
      }
    }
  }
  return {
    width,
    batchAtoms: BATCH_ATOMS,
    async describe(frames) {
      const out: Float32Array[] = [];
      for await (const { part, rows } of run(frames, null)) {
        let at = 0;
        for (const { nAtoms } of part) out.push(rows.slice(at, at += nAtoms * width));
      }
      return out;
    },
    async pool(frames, pooling) {
      const out: Float64Array[] = [];
      for await (const { part, rows } of run(frames, pooling)) {
        const each = rows.length / part.length;
        part.forEach(({ species }, f) => {
          const row = rows.subarray(f * each, (f + 1) * each);
          const perElement = pooling === "per-element-mean";
          out.push(
            Float64Array.of(...row, ...perElement ? elementFractions(species, elements) : []),
          );
        });
      }
      return out;
    },
    close() {
      engine.close();
      return Promise.resolve();
    },
  };
}

/** Graphs in groups whose largest buffer fits one binding of the device. */
function* splitGraphs(
  gpu: Gpu,
  { bytesPerAtom, bytesPerEdge }: Engine,
  frames: readonly Frame[],
  rMax: number,
): Generator<Graph[]> {
  let part: Graph[] = [];
  let [atoms, edges] = [0, 0];
  for (const frame of frames) {
    const graph = neighborList(frame, rMax);
    if (
      graph.nAtoms * bytesPerAtom > gpu.maxBinding || graph.nEdges * bytesPerEdge > gpu.maxBinding
    ) {
      throw new RequestError(
        `Cannot describe ${frame.id} on the GPU: ${graph.nAtoms} atoms with ${graph.nEdges} edges ` +
          "exceed its largest binding; use --backend cpu",
      );
    }
    const full = (atoms + graph.nAtoms) * bytesPerAtom > gpu.maxBinding ||
      (edges + graph.nEdges) * bytesPerEdge > gpu.maxBinding;
    if (full) {
      yield part;
      part = [];
      [atoms, edges] = [0, 0];
    }
    part.push(graph);
    atoms += graph.nAtoms;
    edges += graph.nEdges;
  }
  if (part.length > 0) yield part;
}
