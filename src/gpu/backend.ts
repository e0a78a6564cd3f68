import type { Backend } from "../backend.ts";
import { GpuUnavailableError } from "../errors.ts";
export function openGpuBackend(_: { allowSoftware: boolean }): Promise<Backend> {
  return Promise.reject(new GpuUnavailableError("Cannot use the GPU: no adapter"));
}
