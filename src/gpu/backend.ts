import type { Backend } from "../backend.ts";
import { openDescriber } from "./describer.ts";
import { openDevice } from "./device.ts";
import { openKernel } from "./kernel.ts";
import { leadingSubspace } from "./leading_subspace.ts";
import { countNeighbors } from "./neighbor_count.ts";
import { openPotential } from "./potential.ts";
import { proveComputing } from "./self_test.ts";
import { type Kernels, SHADERS } from "./shaders.ts";
import { Tilings } from "./tiling.ts";
import { openTrainer } from "./trainer.ts";

/** The backend, and what its device can hold. */
export interface GpuBackend extends Backend {
  /** Limits of the device by their WebGPU names. */
  readonly limits: Readonly<Record<string, number>>;
  /** Whether it is a software adapter, whose times say nothing of a GPU. */
  readonly software: boolean;
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
  const compiled: Partial<Record<keyof Kernels, Kernels[keyof Kernels]>> = {};
  for (const [name, code] of Object.entries(SHADERS)) {
    compiled[name as keyof Kernels] = await openKernel(gpu, name, code);
  }
  const kernels = compiled as Kernels;
  const tilings = new Tilings(gpu, SHADERS);
  const device = { gpu, kernels, tilings };
  return {
    name: "gpu",
    description: gpu.description,
    software: gpu.software,
    limits: Object.fromEntries(LIMITS.map((name) => [name, gpu.device.limits[name]])),
    openDescriber: (model, nLayers, elements) => openDescriber(device, model, nLayers, elements),
    openPotential: (model, elements, head) => openPotential(device, model, elements, head),
    openTrainer: (model, elements, head) => openTrainer(device, model, elements, head),
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
