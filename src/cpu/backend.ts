import { type Backend, type Describer, poolDescribed, type Potential } from "../backend.ts";
import type { Frame } from "../frame.ts";
import { leadingColumns, symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { Prediction } from "../model/prediction.ts";
import { readoutModel } from "../model/readout.ts";
import { chooseBuild } from "./build.ts";
import { covariance } from "./covariance.ts";
import { frameRunner, runInParts, TASK_ATOMS } from "./frame_tasks.ts";
import { type Build, mark, release } from "./memory.ts";
import { countNeighbors } from "./neighbor_count.ts";
import { storeSchnet } from "./describe_schnet.ts";
import type { Task } from "./task.ts";
import { openCpuTrainer } from "./trainer.ts";
import { openThreads, type Threads } from "./threads.ts";

/** WebAssembly SIMD kernels on worker threads; results do not depend on the number of threads. */
export function openCpuBackend(nThreads: number, build = chooseBuild()): Promise<Backend> {
  return Promise.resolve(cpuBackend(openThreads(nThreads, build), build));
}

/** The backend on given threads. */
export function cpuBackend(threads: Threads, build: Build): Backend {
  const nThreads = threads.count;
  const batchAtoms = 4 * TASK_ATOMS * nThreads;
  return {
    name: "cpu",
    description: `WebAssembly ${build === "relaxed" ? "relaxed " : ""}SIMD, ` +
      `${nThreads} thread${nThreads > 1 ? "s" : ""}`,
    async openDescriber(model, nLayers, elements) {
      const close = await holdMemory(threads);
      const width = descriptorLength(model, nLayers);
      const describe = describing(threads, model, nLayers, elements);
      return { width, batchAtoms, describe, pool: poolDescribed(describe, width, elements), close };
    },
    async openPotential(model, elements, head) {
      const close = await holdMemory(threads);
      return { batchAtoms, predict: predicting(threads, model, elements, head), close };
    },
    async openTrainer(model, elements, head) {
      const free = await holdMemory(threads);
      const trainer = openCpuTrainer(threads, model, elements, head);
      return { ...trainer, close: free };
    },
    async leadingSubspace(centred, m) {
      const c = await covariance(threads, centred);
      return { start: leadingColumns(symmetricEigen(c).vectors, m), covariance: c };
    },
    countNeighbors: (points, radii) => countNeighbors(threads, points, radii),
    close: () => threads.close(),
  };
}

/** Forgets all scratch; the returned function frees all that is reserved from now on. */
async function holdMemory(threads: Threads): Promise<() => Promise<void>> {
  const before = mark(threads.memory);
  await threads.runEverywhere({ kind: "forget" });
  return async () => {
    await threads.runEverywhere({ kind: "forget" });
    release(threads.memory, before);
  };
}

/** Stores the model's weights; the returned function describes frames with them. */
function describing(
  threads: Threads,
  model: DescriptorModel,
  nLayers: number,
  elements: readonly number[],
): Describer["describe"] {
  if (isSchnet(model)) {
    const stored = storeSchnet(threads.memory, bakeSchnet(model, nLayers));
    const task = (frames: readonly Frame[]): Task => ({ kind: "schnet", model: stored, frames });
    return (frames) => runInParts<Float32Array>(threads, frames, task);
  }
  return frameRunner<Float32Array>(
    ...[threads, model, nLayers, elements, false] as const,
    (stored, frames) => ({ kind: "describe", model: stored, frames }),
  );
}

/** Stores the model's weights; the returned function predicts energies and forces with them. */
function predicting(
  threads: Threads,
  model: MaceModel,
  elements: readonly number[],
  head: number,
): Potential["predict"] {
  const energies = { readout: readoutModel(model), head, zbl: model.zbl };
  return frameRunner<Prediction>(
    ...[threads, model, model.layers.length, elements, true] as const,
    (stored, frames) => ({ kind: "predict", potential: { model: stored, ...energies }, frames }),
  );
}
