import type { Matrix } from "../matrix.ts";
import type { PairHistogram } from "../select/neighbor_count.ts";
import { float32Windows } from "../select/windows.ts";
import type { Gpu } from "./device.ts";
import { type Kernel, readBack, storageBuffer, uniform } from "./kernel.ts";

/** Rows of one dispatch; keeps each well below the watchdog of integrated GPUs. */
const ROWS = 4096;
const WORKGROUP = 32;
/** Radii that the kernel's workgroup memory holds. */
const MOST_RADII = 120;
const CAPACITY = 1 << 18;
/** Iterations of all loops of one invocation; software drivers stop silently at 65535. */
const MAX_ITERATIONS = 60_000;

/** Pair histogram by the WGSL kernel; see `src/select/neighbor_count.ts`. */
export async function countPairs(
  gpu: Gpu,
  kernel: Kernel,
  points: Matrix,
  radii: Float64Array,
): Promise<PairHistogram> {
  const { rows: n, cols } = points;
  const nRadii = radii.length;
  if (nRadii > MOST_RADII) {
    throw new RangeError(`Cannot sort into ${nRadii} radii on the GPU, at most ${MOST_RADII}`);
  }
  const histogram = new Uint32Array(n * nRadii);
  if (n < 2 || nRadii === 0) return { histogram, undecided: new Uint32Array(0), overflowed: [] };
  const { centred, low, high, start } = float32Windows(points, radii);
  const windows = new Float32Array(2 * nRadii);
  low.forEach((value, b) => windows.set([value, high[b]], 2 * b));
  const { vectors, nVectors } = padToVectors(centred, cols);
  const inputs = [
    storageBuffer(gpu, "neighbor_count.points", vectors),
    storageBuffer(gpu, "neighbor_count.windows", windows),
    storageBuffer(gpu, "neighbor_count.start", new Uint32Array(start.buffer as ArrayBuffer)),
  ];
  const columns = Math.floor((MAX_ITERATIONS - 2 * nRadii) / (1 + nVectors + longestRun(start)));
  const counts = storageBuffer(gpu, "neighbor_count.histogram", 4 * Math.min(n, ROWS) * nRadii);
  const list = storageBuffer(gpu, "neighbor_count.undecided", 4 * (1 + 2 * CAPACITY));
  const undecided: number[] = [];
  const overflowed: number[] = [];
  try {
    for (let row0 = 0; row0 < n; row0 += ROWS) {
      const nRows = Math.min(ROWS, n - row0);
      const encoder = gpu.device.createCommandEncoder();
      encoder.clearBuffer(list, 0, 4);
      encoder.clearBuffer(counts);
      const pass = encoder.beginComputePass();
      const tiles: GPUBuffer[] = [];
      for (let column0 = 0; column0 < n; column0 += columns) {
        const column1 = Math.min(column0 + columns, n);
        const fields = [column0, column1, nVectors, row0, nRows, nRadii, CAPACITY];
        const params = uniform(gpu, "neighbor_count.params", fields.map((x) => ["u32", x]));
        kernel.dispatch(pass, [params, ...inputs, counts, list], Math.ceil(nRows / WORKGROUP));
        tiles.push(params);
      }
      pass.end();
      const [part, listed] = await readBack(gpu, encoder, [
        [counts, 4 * nRows * nRadii],
        [list, 4 * (1 + 2 * CAPACITY)],
      ]);
      for (const params of tiles) params.destroy();
      histogram.set(new Uint32Array(part), row0 * nRadii);
      const pairs = new Uint32Array(listed);
      if (pairs[0] > CAPACITY) { for (let i = row0; i < row0 + nRows; i++) overflowed.push(i); }
      else for (let p = 0; p < 2 * pairs[0]; p++) undecided.push(pairs[1 + p]);
    }
  } finally {
    for (const buffer of [...inputs, counts, list]) buffer.destroy();
  }
  return { histogram, undecided: Uint32Array.from(undecided), overflowed };
}

/** Rows of `cols` numbers as rows of whole vec4, padded with zeros. */
function padToVectors(rows: Float32Array, cols: number) {
  const nVectors = Math.ceil(cols / 4);
  const n = rows.length / cols;
  const vectors = new Float32Array(4 * nVectors * n);
  for (let i = 0; i < n; i++) {
    vectors.set(rows.subarray(i * cols, (i + 1) * cols), 4 * nVectors * i);
  }
  return { vectors, nVectors };
}

/** Most radii that one entry of the lookup table leaves to be stepped over, and one for the last test. */
function longestRun(start: Uint8Array): number {
  let longest = 1;
  for (let upper = 1; upper < 0x7F80; upper++) {
    longest = Math.max(longest, start[upper] - start[upper - 1] + 1);
  }
  return longest;
}
