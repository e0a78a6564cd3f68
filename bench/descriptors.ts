/** Descriptors of dense hydrogen by a model of the medium foundation architecture, random weights. */
import { Arena } from "../src/cpu/arena.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { chooseBuild } from "../src/cpu/build.ts";
import { describeFrame } from "../src/cpu/describe_frame.ts";
import { createMemory, type Kernels, loadKernels } from "../src/cpu/memory.ts";
import { storeModel } from "../src/cpu/weights.ts";
import type { Frame } from "../src/frame.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { bakeModel } from "../src/model/bake.ts";
import { descriptors } from "../src/model/mace.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { mediumModel } from "../src/speed/medium_model.ts";
import { peakMultiplyAdds } from "./peak.ts";
import { rowError } from "../src/speed/errors.ts";
import { check, interleave, micros, residentMegabytes, row, table } from "./timing.ts";

/** Channels of the medium model. */
const CHANNELS = 128;

export async function benchDescriptors(): Promise<void> {
  const build = chooseBuild();
  const peak = await peakMultiplyAdds(build);
  table(
    `Descriptors, 256 atoms of dense hydrogen, ${build} SIMD, peak ${(peak / 1e9).toFixed(1)} ` +
      "G multiply-adds/s per core",
    ...["r_max Å", "r_s Bohr", "edges/atom", "error", "µs/edge, 1 thread", "graph", "layer 2"],
    ...["layer 2, share of peak", "2 threads, times faster"],
  );
  for (const rMax of [5, 6]) {
    const model = mediumModel({ elements: [1], rMax, channels: CHANNELS });
    for (const rs of [1.24, 1.4]) await benchMedium(model, rs, build, peak);
  }
}

async function benchMedium(
  model: MaceModel,
  rs: number,
  build: "plain" | "relaxed",
  peak: number,
): Promise<void> {
  const small = denseHydrogen(16, rs);
  const exact = descriptors(model, neighborList(small, model.rMax));
  const kernel = kernelTimes(model, denseHydrogen(256, rs), build);
  const frames = Array.from({ length: 8 }, (_, i) => denseHydrogen(256, rs, i + 1));
  const threads = await Promise.all([1, 2].map((n) => openCpuBackend(n)));
  const describers = await Promise.all(threads.map((b) => b.openDescriber(model, 2, [1])));
  const error = rowError((await describers[0].describe([small]))[0], exact, 2 * CHANNELS);
  const checked = check("medium model", error, 5e-6);
  const [one, two] = await interleave(describers.map((d) => () => d.describe(frames)), 3);
  for (const describer of describers) await describer.close();
  for (const backend of threads) await backend.close();
  const edges = frames.reduce((sum, f) => sum + neighborList(f, model.rMax).nEdges, 0);
  row(
    model.rMax,
    rs,
    (edges / 8 / 256).toFixed(0),
    checked,
    micros(one, edges),
    kernel.graph.toFixed(2),
    kernel.layer2.toFixed(2),
    `${(100 * kernel.multiplyAdds / kernel.layer2 / (peak / 1e6)).toFixed(0)} %`,
    (one.median / two.median).toFixed(2),
  );
}

/** µs per edge of the graph and of the second layer's atomic basis, steady state on one thread. */
function kernelTimes(model: MaceModel, frame: Frame, build: "plain" | "relaxed") {
  const memory = createMemory();
  let layer2 = 0;
  const kernels: Kernels = Object.fromEntries(
    Object.entries(loadKernels(memory, build)).map(([name, kernel]) => [
      name,
      (...args: number[]) => {
        const start = performance.now();
        const result = kernel(...args);
        if (name === "atomic_basis" && args[15] === CHANNELS) layer2 += performance.now() - start;
        return result;
      },
    ]),
  );
  const stored = storeModel(memory, bakeModel(model, [1]), false);
  const arena = new Arena(memory);
  let graph = neighborList(frame, model.rMax);
  let graphTime = 0;
  for (let round = 0; round < 4; round++) {
    layer2 = 0;
    const start = performance.now();
    graph = neighborList(frame, model.rMax);
    graphTime = performance.now() - start;
    describeFrame(kernels, arena, stored, frame);
  }
  const pairs = new Set<number>();
  graph.firstEdge.subarray(1).forEach((end, i) => {
    for (let e = graph.firstEdge[i]; e < end; e++) {
      pairs.add(Math.min(i, graph.sender[e]) * graph.nAtoms + Math.max(i, graph.sender[e]));
    }
  });
  return {
    graph: 1000 * graphTime / graph.nEdges,
    layer2: 1000 * layer2 / graph.nEdges,
    multiplyAdds: CHANNELS * multiplyAdds(model, graph.nEdges, pairs.size) / graph.nEdges,
  };
}

/** Multiply-adds per channel that the second layer's atomic basis makes: per listed edge a cubic and
 * G_b, per pair both ways h_a G_b; the couplings, once per atom, are not counted. */
function multiplyAdds(model: MaceModel, nEdges: number, nPairs: number): number {
  let sum = 0;
  for (const [l1, l2] of model.layers[1].paths) {
    const [a, b] = [2 * l1 + 1, 2 * l2 + 1];
    sum += nEdges / 2 * (3 + (l2 > 0 ? b : 0)) + 2 * nPairs * a * b;
  }
  return sum;
}

/** Cost against the number of atoms at fixed density. */
export async function benchAtoms(): Promise<void> {
  const rMax = 5;
  const model = mediumModel({ elements: [1], rMax, channels: CHANNELS });
  const backend = await openCpuBackend(1);
  const describer = await backend.openDescriber(model, 2, [1]);
  table(
    "Descriptors against atoms, r_s 1.4, r_max 5 Å, 1 thread",
    "atoms",
    "s",
    "µs/edge",
    "slope",
    "resident, MB",
  );
  await describer.describe([denseHydrogen(256, 1.4)]);
  let last: { atoms: number; time: number } | null = null;
  for (const atoms of [256, 1024, 4096, 16384, 65536]) {
    const frame = denseHydrogen(atoms, 1.4);
    const edges = neighborList(frame, rMax).nEdges;
    const start = performance.now();
    await describer.describe([frame]);
    const time = performance.now() - start;
    const slope = last && Math.log(time / last.time) / Math.log(atoms / last.atoms);
    const cost = (1000 * time / edges).toFixed(2);
    const rise = slope ? slope.toFixed(2) : "";
    row(atoms, (time / 1000).toFixed(2), cost, rise, residentMegabytes());
    last = { atoms, time };
  }
  await describer.close();
  await backend.close();
}
