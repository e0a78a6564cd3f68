import { type Backend, referenceBackend } from "../src/backend.ts";
import process from "node:process";
import { after } from "node:test";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { GpuUnavailableError } from "../src/errors.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";

/** A software adapter is good enough to prove the WGSL; without any adapter the reason is printed. */
export async function openGpuOrSkip(): Promise<Backend | null> {
  try {
    return await openGpuBackend({ allowSoftware: true });
  } catch (error) {
    if (!(error instanceof GpuUnavailableError) || process.env.REQUIRE_GPU === "1") throw error;
    console.log(`skipped: gpu backend: ${error.message}`);
    return null;
  }
}

export interface NamedBackend {
  readonly label: string;
  readonly backend: Backend;
}

/** The fast backends, the CPU with 1 and 2 threads and the GPU where there is an adapter; closed when
 * the file's tests are done. */
export async function useFastBackends(): Promise<NamedBackend[]> {
  const gpu = await openGpuOrSkip();
  const backends = [
    { label: "cpu, 1 thread", backend: await openCpuBackend(1) },
    { label: "cpu, 2 threads", backend: await openCpuBackend(2) },
    ...(gpu ? [{ label: "gpu", backend: gpu }] : []),
  ];
  after(async () => {
    for (const { backend } of backends) await backend.close();
  });
  return backends;
}

/** Every backend. */
export async function useAllBackends(): Promise<NamedBackend[]> {
  return [{ label: "reference", backend: referenceBackend }, ...await useFastBackends()];
}
