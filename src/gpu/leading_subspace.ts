import { type Matrix, matrix } from "../matrix.ts";
import { uniform as randomUniform } from "../rng.ts";
import type { Gpu } from "./device.ts";
import { type Kernel, readBack, storageBuffer, uniform } from "./kernel.ts";

/** Steps of the iteration, a dispatch each: software drivers stop silently after 65535 loop iterations. */
const STEPS = 16;

/** Leading subspace of the covariance by the WGSL kernels; see `src/linalg/subspace.ts`. */
export async function leadingSubspace(
  gpu: Gpu,
  kernels: { covariance: Kernel; power_iteration: Kernel },
  centred: Matrix,
  m: number,
): Promise<Matrix> {
  const { rows, cols } = centred;
  const start = Float32Array.from(
    { length: m * cols },
    (_, i) => randomUniform(0n, 3n, BigInt(i)) - 0.5,
  );
  const y = storageBuffer(gpu, "covariance.y", Float32Array.from(centred.data));
  const c = storageBuffer(gpu, "covariance.out", 4 * cols * cols);
  const v = storageBuffer(gpu, "power_iteration.v", start);
  const image = storageBuffer(gpu, "power_iteration.image", start.byteLength);
  const gram = uniform(gpu, "covariance.params", [
    ["u32", rows],
    ["u32", cols],
    ["f32", 1 / Math.max(rows - 1, 1)],
  ]);
  const power = uniform(gpu, "power_iteration.params", [["u32", cols], ["u32", m]]);
  try {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const tiles = Math.ceil(cols / 8);
    kernels.covariance.dispatch(pass, [gram, y, c], tiles, tiles);
    for (let step = 0; step < STEPS; step++) {
      kernels.power_iteration.dispatch(pass, [power, c, v, image], 1);
    }
    pass.end();
    const [bytes] = await readBack(gpu, encoder, [[v, start.byteLength]]);
    const columns = new Float32Array(bytes);
    const out = matrix(cols, m);
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j < m; j++) out.data[i * m + j] = columns[j * cols + i];
    }
    return out;
  } finally {
    for (const buffer of [y, c, v, image, gram, power]) buffer.destroy();
  }
}
