import process from "node:process";
import { GpuUnavailableError, ShaderError } from "../errors.ts";
import "../shipped_files.ts";

/** An open device. */
export interface Gpu {
  readonly device: GPUDevice;
  /** Vendor, device and driver as the adapter tells them. */
  readonly description: string;
  readonly software: boolean;
  /** Largest storage binding, bytes. */
  readonly maxBinding: number;
}

const IS_BUN = "Bun" in globalThis;

/**
 * Opens a GPU: an adapter that is neither null nor (unless allowed) software, with every limit it
 * offers. It is not to be trusted before `proveComputing`.
 *
 * @throws {GpuUnavailableError} saying what was found
 */
export async function openDevice({ allowSoftware }: { allowSoftware: boolean }): Promise<Gpu> {
  const adapter = await requestAdapter();
  if (!adapter) throw unavailable("no adapter was found");
  const { info } = adapter;
  const words = [info.vendor, info.architecture, info.device, info.description];
  // Some runtimes give vendor and device as numbers, which tell nobody anything.
  const description = [...new Set(words.filter((word) => word && !/^\d+$/.test(word)))].join(" ");
  if (/null-backend/i.test(description)) throw unavailable("the only adapter is a null adapter");
  const software = isSoftware(info, description);
  if (software && !allowSoftware) {
    throw unavailable(`the only adapter is software (${description})`);
  }
  let device: GPUDevice;
  try {
    device = await requestDevice(adapter);
  } catch (error) {
    throw unavailable(`the adapter ${description} gave no device: ${(error as Error).message}`);
  }
  return {
    device,
    description,
    software,
    maxBinding: Math.min(
      device.limits.maxStorageBufferBindingSize,
      device.limits.maxBufferSize,
      2 ** 31 - 1,
    ),
  };
}

function unavailable(reason: string): GpuUnavailableError {
  return new GpuUnavailableError(
    `Cannot use the GPU: ${reason}; run cpd doctor, or use --backend cpu`,
  );
}

async function requestAdapter(): Promise<GPUAdapter | null> {
  process.env.NODEVICE_SELECT ??= "1";
  process.env.DENO_WEBGPU_BACKEND ??= "vulkan,metal,dx12";
  const options: GPURequestAdapterOptions & { backendType?: string } = {
    powerPreference: "high-performance",
  };
  if (IS_BUN) {
    try {
      const { setupGlobals } = await import("bun-webgpu");
      const libPath = globalThis.cpdFiles?.dawn;
      await setupGlobals(libPath === undefined ? {} : { libPath });
    } catch {
      return null;
    }
    // Without an explicit type Dawn hands out its null adapter where it finds no driver.
    options.backendType = { darwin: "Metal", win32: "D3D12" }[process.platform as string] ??
      "Vulkan";
  }
  try {
    return await navigator.gpu?.requestAdapter(options) ?? null;
  } catch {
    return null;
  }
}

/**
 * bun-webgpu hands the limits over by an address that does not keep them alive while it makes its
 * callbacks: a garbage collection in between leaves nonsense there, which Dawn refuses. With nothing
 * left to collect none is due, and the adapter may be asked once more.
 */
async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const descriptor = { requiredLimits: limitsOf(adapter) };
  if (!IS_BUN) return adapter.requestDevice(descriptor);
  const { gc } = (globalThis as unknown as { Bun: { gc(force: boolean): void } }).Bun;
  gc(true);
  try {
    return await adapter.requestDevice(descriptor);
  } catch {
    gc(true);
    return await adapter.requestDevice(descriptor);
  }
}

function isSoftware(info: GPUAdapterInfo, description: string): boolean {
  let fallback = false;
  try {
    fallback = (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  } catch { /* not implemented by every runtime */ }
  return fallback || /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(description);
}

/** Every limit of the adapter: a partial list is refused by some implementations. */
function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === "number") limits[name] = value;
  }
  return limits;
}

/** Runs `work` in error scopes.
 * @throws {ShaderError} with the driver's message */
export async function checked<T>(gpu: Gpu, label: string, work: () => T): Promise<T> {
  gpu.device.pushErrorScope("out-of-memory");
  gpu.device.pushErrorScope("validation");
  const result = work();
  const validation = await gpu.device.popErrorScope();
  const memory = await gpu.device.popErrorScope();
  const error = validation ?? memory;
  if (error) throw new ShaderError(`Cannot run "${label}" on ${gpu.description}: ${error.message}`);
  return result;
}
