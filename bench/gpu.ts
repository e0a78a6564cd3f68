/** The GPU's share of the measurements: bench/gpu.sh [--allow-software] [peak in TFLOP/s]. */
import process from "node:process";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { descriptors } from "../src/model/mace.ts";
import { denseHydrogen } from "./inputs.ts";
import { mediumModel } from "./medium_model.ts";
import { clusteredPoints, onePercentRadius } from "./selection.ts";
import { check, interleave, micros, row, rowError, table } from "./timing.ts";

const CHANNELS = 128;
/** Multiply-adds that descriptors need: per edge and channel, the second layer's tensor product and
 * cubics; per edge, the first layer's sums over 40 functions; per atom, the node work. */
const PER_EDGE = 134 * CHANNELS + 40 * 19;
const PER_ATOM = 920e3;

const args = process.argv.slice(2);
const allowSoftware = args.includes("--allow-software");
const peak = Number(args.find((arg) => !arg.startsWith("--")) ?? NaN);
const gpu = await openGpuBackend({ allowSoftware });
console.log(`${gpu.description}; ${new Date().toISOString().slice(0, 10)}`);

await benchDescriptors();
await benchCounting();
await gpu.close();

async function benchDescriptors(): Promise<void> {
  table(
    "Descriptors, 256 atoms of dense hydrogen per frame, warm, with graph, upload and readback",
    ...["r_max Å", "r_s Bohr", "frames", "error", "µs/edge", "GFLOP/s", "share of peak"],
  );
  for (const [rMax, rs] of [[5, 1.24], [5, 1.4], [6, 1.24], [6, 1.4]]) {
    const model = mediumModel({ elements: [1], rMax, channels: CHANNELS });
    const describer = await gpu.openDescriber(model, 2, [1]);
    const small = denseHydrogen(16, rs);
    const exact = descriptors(model, neighborList(small, rMax));
    const error = rowError((await describer.describe([small]))[0], exact, 2 * CHANNELS);
    const frames = Array.from(
      { length: allowSoftware ? 1 : 64 },
      (_, i) => denseHydrogen(256, rs, i + 1),
    );
    const edges = frames.reduce((sum, frame) => sum + neighborList(frame, rMax).nEdges, 0);
    const [time] = await interleave([() => describer.describe(frames)], allowSoftware ? 1 : 5);
    const flops = 2 * (edges * PER_EDGE + 256 * frames.length * PER_ATOM);
    const rate = flops / time.median / 1e6;
    const share = Number.isNaN(peak) ? "no peak given" : `${(rate / peak / 10).toFixed(1)} %`;
    const checked = check("descriptors", error, 5e-6);
    row(rMax, rs, frames.length, checked, micros(time, edges), rate.toFixed(0), share);
    await describer.close();
  }
}

async function benchCounting(): Promise<void> {
  table("Counting, d = 16, one radius with 1 % neighbors", "N", "s", "ns/ordered pair");
  const cpu = await openCpuBackend(1);
  for (const n of allowSoftware ? [5000] : [5000, 50000, 1000000]) {
    const points = clusteredPoints(n, 16);
    const radii = Float64Array.of(onePercentRadius(points));
    const count = () => gpu.countNeighbors(points, radii);
    const { counts } = await count();
    if (n <= 50000) {
      const exact = await cpu.countNeighbors(points, radii);
      check("counts", counts.findIndex((c, i) => c !== exact.counts[i]), -1);
    }
    const [time] = await interleave([count], 1);
    row(n, (time.median / 1000).toFixed(3), (1e6 * time.median / n / n).toFixed(4));
  }
  await cpu.close();
}
