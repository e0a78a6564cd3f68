import { GpuUnavailableError } from "../errors.ts";
import selfTest from "../../shaders/self_test.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { openKernel, readBack, storageBuffer, uniform } from "./kernel.ts";

const N = 1000;

/** Runs a kernel whose result is known: a null or broken adapter accepts work and computes nothing.
 * @throws {GpuUnavailableError} if a number is wrong */
export async function proveComputing(gpu: Gpu): Promise<void> {
  const kernel = await openKernel(gpu, "self_test", selfTest);
  const input = Float32Array.from({ length: N }, (_, i) => i + 1);
  const buffer = storageBuffer(gpu, "self_test.values", input);
  const params = uniform(gpu, "self_test.params", [["u32", N]]);
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  kernel.dispatch(pass, [params, buffer], Math.ceil(N / 64));
  pass.end();
  const [output] = await readBack(gpu, encoder, [[buffer, 4 * N]]);
  buffer.destroy();
  params.destroy();
  const values = new Float32Array(output);
  if (values.every((value, i) => value === 2 * input[i])) return;
  gpu.device.destroy();
  throw new GpuUnavailableError(
    `Cannot use the GPU: ${gpu.description} computed a wrong result in its self-test; ` +
      "update its driver, or use --backend cpu",
  );
}
