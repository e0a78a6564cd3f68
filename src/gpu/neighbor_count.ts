import type { Matrix } from "../matrix.ts";
import { accumulate, firstRadius, type NeighborCounts } from "../select/neighbor_count.ts";
import { float32Windows } from "../select/windows.ts";
import type { Gpu } from "./device.ts";
import { type Kernel, readBack, storageBuffer, uniform } from "./kernel.ts";

/** Rows of one dispatch; keeps each well below the watchdog of integrated GPUs. */
const ROWS = 4096;
const WORKGROUP = 32;
/** Radii that the kernel's workgroup memory holds. */
const MOST_RADII = 120;
/** Undecided pairs that the list holds: this share of the pairs of a dispatch, within bounds. */
const UNDECIDED_SHARE = 1 / 512;
const [LEAST_LISTED, MOST_LISTED] = [1 << 18, 1 << 22];
/** Iterations of all loops of one invocation; software drivers stop silently at 65535. */
const MAX_ITERATIONS = 60_000;

/**
 * Neighbor counts by the WGSL kernel; see `src/select/neighbor_count.ts`. What float32 cannot decide is
 * listed by the kernel and decided here; where a list is too short, fewer rows are taken at a time.
 */
export async function countNeighbors(
  gpu: Gpu,
  kernel: Kernel,
  points: Matrix,
  radii: Float64Array,
): Promise<NeighborCounts> {
  const n = points.rows;
  const nRadii = radii.length;
  if (nRadii > MOST_RADII) {
    throw new RangeError(`Cannot sort into ${nRadii} radii on the GPU, at most ${MOST_RADII}`);
  }
  const histogram = new Uint32Array(n * nRadii);
  if (n < 2 || nRadii === 0) return { counts: histogram, nDecided: 0 };
  const job = openJob(gpu, kernel, points, radii);
  let [rows, nListed] = [ROWS, 0];
  try {
    for (let row0 = 0; row0 < n;) {
      const nRows = Math.min(rows, n - row0);
      const { counts, listed } = await countRows(job, row0, nRows);
      if (listed > job.capacity) {
        rows = Math.ceil(nRows / 2);
        continue;
      }
      histogram.set(counts, row0 * nRadii);
      const pairs = await readPairs(job, listed);
      for (let p = 0; p < pairs.length; p += 2) {
        const b = firstRadius(points, pairs[p], pairs[p + 1], radii);
        if (b < nRadii) histogram[pairs[p] * nRadii + b]++;
      }
      nListed += listed;
      row0 += nRows;
    }
  } finally {
    for (const buffer of [...job.inputs, job.counts, job.list]) buffer.destroy();
  }
  return { counts: accumulate(histogram, nRadii), nDecided: nListed / 2 };
}

interface Job {
  readonly gpu: Gpu;
  readonly kernel: Kernel;
  readonly n: number;
  readonly nRadii: number;
  /** 4-vectors per point. */
  readonly nVectors: number;
  /** Columns of one dispatch. */
  readonly columns: number;
  /** Pairs that the list holds. */
  readonly capacity: number;
  readonly inputs: readonly GPUBuffer[];
  readonly counts: GPUBuffer;
  readonly list: GPUBuffer;
}

function openJob(gpu: Gpu, kernel: Kernel, points: Matrix, radii: Float64Array): Job {
  const { rows: n, cols } = points;
  const nRadii = radii.length;
  const { centred, low, high, start } = float32Windows(points, radii);
  const windows = new Float32Array(2 * nRadii);
  low.forEach((value, b) => windows.set([value, high[b]], 2 * b));
  const { vectors, nVectors } = padToVectors(centred, cols);
  const wanted = Math.ceil(ROWS * n * UNDECIDED_SHARE);
  // One row always fits.
  const capacity = Math.max(n, Math.min(Math.max(wanted, LEAST_LISTED), MOST_LISTED));
  return {
    ...{ gpu, kernel, n, nRadii, nVectors, capacity },
    columns: Math.floor((MAX_ITERATIONS - 2 * nRadii) / (1 + nVectors + longestRun(start))),
    inputs: [
      storageBuffer(gpu, "neighbor_count.points", vectors),
      storageBuffer(gpu, "neighbor_count.windows", windows),
      storageBuffer(gpu, "neighbor_count.start", new Uint32Array(start.buffer as ArrayBuffer)),
    ],
    counts: storageBuffer(gpu, "neighbor_count.histogram", 4 * Math.min(n, ROWS) * nRadii),
    list: storageBuffer(gpu, "neighbor_count.undecided", 4 * (1 + 2 * capacity)),
  };
}

/** Histogram of some rows without their undecided pairs, and the number of these. */
async function countRows(job: Job, row0: number, nRows: number) {
  const { gpu, n, nRadii, counts, list } = job;
  const encoder = gpu.device.createCommandEncoder();
  encoder.clearBuffer(list, 0, 4);
  encoder.clearBuffer(counts);
  const pass = encoder.beginComputePass();
  const tiles: GPUBuffer[] = [];
  for (let column0 = 0; column0 < n; column0 += job.columns) {
    const column1 = Math.min(column0 + job.columns, n);
    const fields = [column0, column1, job.nVectors, row0, nRows, nRadii, job.capacity];
    const params = uniform(gpu, "neighbor_count.params", fields.map((x) => ["u32", x]));
    const buffers = [params, ...job.inputs, counts, list];
    job.kernel.dispatch(pass, buffers, Math.ceil(nRows / WORKGROUP));
    tiles.push(params);
  }
  pass.end();
  const [part, length] = await readBack(gpu, encoder, [[counts, 4 * nRows * nRadii], [list, 4]]);
  for (const params of tiles) params.destroy();
  return { counts: new Uint32Array(part), listed: new Uint32Array(length)[0] };
}

/** Listed pairs i, j, i, j, … */
async function readPairs({ gpu, list }: Job, n: number): Promise<Uint32Array> {
  const encoder = gpu.device.createCommandEncoder();
  const [bytes] = await readBack(gpu, encoder, [[list, 4 * (1 + 2 * n)]]);
  return new Uint32Array(bytes).subarray(1);
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
