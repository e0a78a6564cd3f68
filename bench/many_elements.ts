/**
 * A pool over 89 elements against one of a single element, medium architecture: µs per edge, memory, and
 * the error against frames described one by one: many_elements.ts [FRAMES] [THREADS] [cpu|gpu] [SYSTEMS]
 *
 * Frames belong to SYSTEMS of three elements each, all 89 elements among them; with as many systems as
 * frames no two frames have the same elements.
 */
import process from "node:process";
import { openCpuBackend } from "../src/cpu/backend.ts";
import type { Frame } from "../src/frame.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { uniformStream } from "../src/rng.ts";
import { mediumModel } from "../src/speed/medium_model.ts";

const [nFrames, threads] = [Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1)];
const gpu = process.argv[4] === "gpu";
const nSystems = Number(process.argv[5] ?? 30);
const ELEMENTS = Array.from({ length: 94 }, (_, i) => i + 1).filter((z) => z <= 83 || z >= 89);
const R_MAX = 5;
/** Atoms along an edge of the cell, and Å between them: some 60 neighbors per atom. */
const [SIDE, SPACING] = [4, 2.05];
const BATCH = 64;
const SAMPLE = 24;

/** A disordered crystal of the given elements, sorted by species for the pool as a campaign is. */
function frame(seed: number, elements: readonly number[]): Frame {
  const u = uniformStream(BigInt(seed), 5n);
  const n = SIDE ** 3;
  const positions = new Float64Array(3 * n).map((_, i) => {
    const site = Math.floor(i / 3);
    const at = [site % SIDE, Math.floor(site / SIDE) % SIDE, Math.floor(site / SIDE / SIDE)][i % 3];
    return SPACING * (at + 0.15 * u(BigInt(i)));
  });
  const a = SIDE * SPACING;
  return {
    id: `pool@${seed}`,
    file: "pool",
    index: seed,
    line: 1,
    species: Uint8Array.from(
      { length: n },
      (_, i) => elements[Math.floor(u(BigInt(4 * n + i)) * elements.length)],
    ),
    positions,
    cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
    pbc: [true, true, true],
    info: new Map(),
  };
}

/** The first thirty systems hold every element once, in seeded order; the others three at random. */
function mixed(seed: number): Frame {
  const system = seed % nSystems;
  const u = uniformStream(BigInt(Math.floor(system / 30)), 6n);
  const order = ELEMENTS.toSorted((a, b) => u(BigInt(a)) - u(BigInt(b)));
  const few = [0, 1, 2].map((k) => order[(3 * (system % 30) + k) % ELEMENTS.length]);
  return frame(seed, few);
}

const model = mediumModel({ elements: ELEMENTS, rMax: R_MAX, channels: 128 });
const backend = gpu ? await openGpuBackend({ allowSoftware: true }) : await openCpuBackend(threads);

async function measure(label: string, frames: readonly Frame[], elements: readonly number[]) {
  const describer = await backend.openDescriber(model, 2, elements);
  const edges = frames.reduce((sum, f) => sum + neighborList(f, R_MAX).nEdges, 0);
  const rows: ArrayLike<number>[] = [];
  const start = performance.now();
  for (let i = 0; i < frames.length; i += BATCH) {
    const described = await describer.describe(frames.slice(i, i + BATCH));
    if (rows.length < SAMPLE) rows.push(...described.slice(0, SAMPLE - rows.length));
  }
  const microseconds = 1000 * (performance.now() - start) / edges;
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${label.padEnd(44)} ${
      microseconds.toFixed(2)
    } µs/edge, ${edges} edges, ${megabytes} MiB resident`,
  );
  await describer.close();
  return { rows, microseconds };
}

const silicon = Array.from({ length: Math.min(nFrames, 300) }, (_, i) => frame(i, [14]));
await measure("one element (to warm up)", silicon.slice(0, 32), [14]);
const one = await measure("one element", silicon, [14]);
const pool = Array.from({ length: nFrames }, (_, i) => mixed(i));
// In the order in which describePool hands them on.
const key = ({ species }: Frame) => [...new Set(species)].sort((a, b) => a - b).join();
pool.sort((a, b) => (key(a) < key(b) ? -1 : 1));
const many = await measure(`89 elements, three in a frame, ${nSystems} systems`, pool, ELEMENTS);
console.log(`ratio ${(many.microseconds / one.microseconds).toFixed(2)}`);
let worst = 0;
for (const [f, row] of many.rows.entries()) {
  const own = [...new Set(pool[f].species)].sort((a, b) => a - b);
  const describer = await backend.openDescriber(model, 2, own);
  const [alone] = await describer.describe([pool[f]]);
  await describer.close();
  const size = Math.max(...Array.from(alone, Math.abs));
  for (let i = 0; i < alone.length; i++) {
    worst = Math.max(worst, Math.abs(alone[i] - row[i]) / size);
  }
}
console.log(`against frames one by one: ${worst.toExponential(1)} of the largest descriptor`);
await backend.close();
