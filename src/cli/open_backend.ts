import { type Backend, type BackendName, referenceBackend } from "../backend.ts";
import { openCpuBackend } from "../cpu/backend.ts";
import type { Build } from "../cpu/memory.ts";
import { GpuUnavailableError } from "../errors.ts";
import { openGpuBackend } from "../gpu/backend.ts";
import type { Console } from "./output/output.ts";

/**
 * Opens the backend that was asked for. `auto` takes a hardware GPU that passes its self-test and the
 * CPU otherwise, and says which and why.
 *
 * @throws {GpuUnavailableError} if `gpu` was asked for and there is none
 */
export async function openBackend(
  options: { backend: BackendName | "auto"; allowSoftware: boolean; threads: number },
  console: Console,
): Promise<Backend> {
  switch (options.backend) {
    case "reference":
      return referenceBackend;
    case "cpu":
      return await openCpuBackend(options.threads);
    case "gpu":
      return await openGpuBackend({ allowSoftware: options.allowSoftware });
  }
  try {
    const backend = await openGpuBackend({ allowSoftware: options.allowSoftware });
    console.say(`Backend gpu: ${backend.description}`);
    return backend;
  } catch (error) {
    if (!(error instanceof GpuUnavailableError)) throw error;
    const backend = await openCpuBackend(options.threads);
    const reason = error.message.replace(/^Cannot use the GPU: /, "").split("; ")[0];
    console.say(`Backend cpu: ${backend.description} (no GPU: ${reason})`);
    return backend;
  }
}

/**
 * The same where `auto` is the CPU, because nothing has been measured that says that a GPU is faster.
 *
 * @param does what the backend is for, as in "trains"
 * @param build of the CPU's kernels; the fastest if not given
 */
export async function openBackendOnCpu(
  options: Parameters<typeof openBackend>[0],
  does: string,
  console: Console,
  build?: Build,
): Promise<Backend> {
  const { threads, backend } = options;
  if (backend === "cpu") return await openCpuBackend(threads, build);
  if (backend !== "auto") return await openBackend(options, console);
  const cpu = await openCpuBackend(threads, build);
  console.say(`Backend cpu: ${cpu.description} (--backend gpu ${does} on a GPU)`);
  return cpu;
}
