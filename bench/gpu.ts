/** The GPU's share of the measurements: bench/gpu.sh [--allow-software] [peak in TFLOP/s]. */
import process from "node:process";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import type { Frame } from "../src/frame.ts";
import { descriptors } from "../src/model/mace.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { predict } from "../src/model/potential.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { mediumModel } from "../src/speed/medium_model.ts";
import { clusteredPoints, onePercentRadius } from "../src/speed/points.ts";
import { largestError, rowError } from "../src/speed/errors.ts";
import { check, interleave, micros, row, table } from "./timing.ts";

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

await benchModel("Descriptors", PER_EDGE, PER_ATOM, describing);
await benchModel("Energies and forces", 3 * PER_EDGE, 3 * PER_ATOM, predicting);
await benchCounting();
await gpu.close();

/** A model that was made ready, and its error on a small frame. */
interface Ready {
  readonly error: string;
  run(frames: readonly Frame[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Multiply-adds of the reverse pass are counted as twice those of the forward one. */
async function benchModel(
  title: string,
  perEdge: number,
  perAtom: number,
  open: (model: MaceModel, small: Frame) => Promise<Ready>,
): Promise<void> {
  table(
    `${title}, 256 atoms of dense hydrogen per frame, warm, with graph, upload and readback`,
    ...["r_max Å", "r_s Bohr", "frames", "error", "µs/edge", "GFLOP/s"],
    "share of peak",
  );
  for (const [rMax, rs] of [[5, 1.24], [5, 1.4], [6, 1.24], [6, 1.4]]) {
    const model = mediumModel({ elements: [1], rMax, channels: CHANNELS });
    const { error, run, close } = await open(model, denseHydrogen(16, rs));
    const frames = Array.from(
      { length: allowSoftware ? 1 : 64 },
      (_, i) => denseHydrogen(256, rs, i + 1),
    );
    const edges = frames.reduce((sum, frame) => sum + neighborList(frame, rMax).nEdges, 0);
    const [time] = await interleave([() => run(frames)], allowSoftware ? 1 : 5);
    const flops = 2 * (edges * perEdge + 256 * frames.length * perAtom);
    const rate = flops / time.median / 1e6;
    const share = Number.isNaN(peak) ? "no peak given" : `${(rate / peak / 10).toFixed(1)} %`;
    row(rMax, rs, frames.length, error, micros(time, edges), rate.toFixed(0), share);
    await close();
  }
}

async function describing(model: MaceModel, small: Frame): Promise<Ready> {
  const describer = await gpu.openDescriber(model, 2, [1]);
  const exact = descriptors(model, neighborList(small, model.rMax));
  const error = rowError((await describer.describe([small]))[0], exact, 2 * CHANNELS);
  return {
    error: check("descriptors", error, 5e-6),
    run: (frames) => describer.describe(frames),
    close: () => describer.close(),
  };
}

async function predicting(model: MaceModel, small: Frame): Promise<Ready> {
  const potential = await gpu.openPotential(model, [1], 0);
  const { forces: exact } = predict(model, neighborList(small, model.rMax));
  const [{ forces }] = await potential.predict([small]);
  return {
    error: check("forces", largestError(forces, exact), 2e-5),
    run: (frames) => potential.predict(frames),
    close: () => potential.close(),
  };
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
