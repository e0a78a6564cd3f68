/** Energies and forces of dense hydrogen beside the descriptors of the same frames. */
import type { Backend } from "../src/backend.ts";
import { loadMace } from "../src/checkpoint/load.ts";
import { Arena } from "../src/cpu/arena.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { chooseBuild } from "../src/cpu/build.ts";
import { createMemory, type Kernels, loadKernels } from "../src/cpu/memory.ts";
import { predictFrame } from "../src/cpu/predict_frame.ts";
import { storeModel } from "../src/cpu/weights.ts";
import { fillTables } from "../src/cpu/radial_table.ts";
import type { Frame } from "../src/frame.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { bakeModel } from "../src/model/bake.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { predict } from "../src/model/potential.ts";
import { readoutModel } from "../src/model/readout.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { mediumModel } from "../src/speed/medium_model.ts";
import { sharedPath } from "../tests/support.ts";
import { largestError } from "../src/speed/errors.ts";
import { check, interleave, micros, residentMegabytes, row, table } from "./timing.ts";

const CHANNELS = 128;

export async function benchPotential(): Promise<void> {
  table(
    "Energies and forces of dense hydrogen, cpu",
    ...["model", "atoms", "r_max Å", "r_s Bohr", "edges/atom", "error", "µs/edge, 1 thread"],
    ...["times the descriptors", "2 threads, times faster", "one frame, ms", "not kernels"],
  );
  for (const rMax of [5, 6]) {
    const model = mediumModel({ elements: [1], rMax, channels: CHANNELS });
    for (const rs of [1.24, 1.4]) await benchModel("medium", model, 256, rs);
  }
  const file = sharedPath("models/hhe-vdwdf.model");
  if (!file) console.log("\nno hhe-vdwdf: its file is not there");
  else for (const rs of [1.24, 1.4]) await benchModel("hhe-vdwdf", loadMace(file).model, 128, rs);
}

async function benchModel(
  name: string,
  model: MaceModel,
  atoms: number,
  rs: number,
): Promise<void> {
  const small = denseHydrogen(16, rs);
  const exact = predict(model, neighborList(small, model.rMax)).forces;
  const frames = Array.from({ length: 4096 / atoms }, (_, i) => denseHydrogen(atoms, rs, i + 1));
  const [one, two] = await Promise.all([1, 2].map((n) => openCpuBackend(n)));
  const [own, both] = await Promise.all([one, two].map((b) => b.openPotential(model, [1], 0)));
  const error = largestError((await own.predict([small]))[0].forces, exact);
  const checked = check("forces", error, 2e-5);
  // A backend holds the tables of one model at a time; a second one holds the describer's.
  const third: Backend = await openCpuBackend(1);
  const describer = await third.openDescriber(model, model.layers.length, [1]);
  const [forces, threads, described] = await interleave(
    [() => own.predict(frames), () => both.predict(frames), () => describer.describe(frames)],
    3,
  );
  await describer.close();
  await Promise.all([own, both].map((potential) => potential.close()));
  for (const backend of [one, two, third]) await backend.close();
  const edges = frames.reduce((sum, f) => sum + neighborList(f, model.rMax).nEdges, 0);
  const call = oneCall(model, frames[0]);
  row(
    ...[name, atoms, model.rMax, rs, (edges / frames.length / atoms).toFixed(0), checked],
    ...[micros(forces, edges), (forces.median / described.median).toFixed(2)],
    (forces.median / threads.median).toFixed(2),
    ...[call.total.toFixed(1), `${(100 * (1 - call.kernels / call.total)).toFixed(0)} %`],
  );
}

/** Milliseconds from the positions of a frame to its forces, warm, and those within kernels: the least of
 * several calls. */
function oneCall(model: MaceModel, frame: Frame): { total: number; kernels: number } {
  const memory = createMemory();
  let within = 0;
  const kernels: Kernels = Object.fromEntries(
    Object.entries(loadKernels(memory, chooseBuild())).map(([name, kernel]) => [
      name,
      (...args: number[]) => {
        const start = performance.now();
        const result = kernel(...args);
        within += performance.now() - start;
        return result;
      },
    ]),
  );
  const baked = bakeModel(model, [1]);
  const stored = storeModel(memory, baked, true);
  const arena = new Arena(memory);
  const { nSlots, nIntervals } = stored;
  baked.layers.forEach((source, t) => {
    fillTables(kernels, arena, { slot: 0, nSlots, nIntervals, source, place: stored.layers[t] });
  });
  const readout = readoutModel(model);
  const potential = { model: stored, readout, head: 0, zbl: model.zbl };
  let best = { total: Infinity, kernels: 0 };
  for (let round = 0; round < 12; round++) {
    within = 0;
    const start = performance.now();
    predictFrame(kernels, arena, potential, frame);
    const total = performance.now() - start;
    if (total < best.total) best = { total, kernels: within };
  }
  return best;
}

/** One large frame: memory, and cost per edge. */
export async function benchLargeFrame(): Promise<void> {
  table(
    "Energies and forces of one large frame, r_s 1.4, r_max 5 Å, 1 thread",
    ...["model", "atoms", "edges/atom", "s", "µs/edge", "resident, MB"],
  );
  const backend = await openCpuBackend(1);
  const model = mediumModel({ elements: [1], rMax: 5, channels: CHANNELS });
  const potential = await backend.openPotential(model, [1], 0);
  for (const atoms of [4096, 65536]) {
    const frame = denseHydrogen(atoms, 1.4);
    const edges = neighborList(frame, model.rMax).nEdges;
    const start = performance.now();
    await potential.predict([frame]);
    const time = performance.now() - start;
    const cost = (1000 * time / edges).toFixed(2);
    row(
      "medium",
      atoms,
      (edges / atoms).toFixed(0),
      (time / 1000).toFixed(1),
      cost,
      residentMegabytes(),
    );
  }
  await potential.close();
  await backend.close();
}
