import { type Backend, poolDescribed } from "../backend.ts";
import type { Frame } from "../frame.ts";
import { leadingColumns, symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { bakeModel } from "../model/bake.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import { chooseBuild } from "./build.ts";
import { covariance } from "./covariance.ts";
import { mark, release } from "./memory.ts";
import { countNeighbors } from "./neighbor_count.ts";
import { storeSchnet } from "./describe_schnet.ts";
import type { Task } from "./thread.ts";
import { openThreads } from "./threads.ts";
import { storeModel } from "./weights.ts";

/** Atoms handed to one thread at a time. */
const TASK_ATOMS = 256;

/** WebAssembly SIMD kernels on worker threads; results do not depend on the number of threads. */
export function openCpuBackend(nThreads: number, build = chooseBuild()): Promise<Backend> {
  const threads = openThreads(nThreads, build);
  return Promise.resolve({
    name: "cpu",
    description: `WebAssembly ${build === "relaxed" ? "relaxed " : ""}SIMD, ` +
      `${nThreads} thread${nThreads > 1 ? "s" : ""}`,
    async openDescriber(model, nLayers, elements) {
      const before = mark(threads.memory);
      await threads.runEverywhere({ kind: "forget" });
      const task = describing(threads.memory, model, nLayers, elements);
      const width = descriptorLength(model, nLayers);
      const describe = async (frames: readonly Frame[]) => {
        const tasks = splitFrames(frames).map(task);
        return (await threads.runAll(tasks) as Float32Array[][]).flat();
      };
      return {
        width,
        batchAtoms: 4 * TASK_ATOMS * nThreads,
        describe,
        pool: poolDescribed(describe, width, elements),
        async close() {
          await threads.runEverywhere({ kind: "forget" });
          release(threads.memory, before);
        },
      };
    },
    async leadingSubspace(centred, m) {
      const c = await covariance(threads, centred);
      return { start: leadingColumns(symmetricEigen(c).vectors, m), covariance: c };
    },
    countNeighbors: (points, radii) => countNeighbors(threads, points, radii),
    close: () => threads.close(),
  });
}

/** Stores the model's weights; the returned function asks a thread to describe frames with them. */
function describing(
  memory: WebAssembly.Memory,
  model: DescriptorModel,
  nLayers: number,
  elements: readonly number[],
): (frames: readonly Frame[]) => Task {
  if (isSchnet(model)) {
    const stored = storeSchnet(memory, bakeSchnet(model, nLayers));
    return (frames) => ({ kind: "schnet", model: stored, frames });
  }
  const stored = storeModel(memory, bakeModel(model, elements, nLayers));
  return (frames) => ({ kind: "describe", model: stored, frames });
}

function splitFrames(frames: readonly Frame[]): Frame[][] {
  const parts: Frame[][] = [];
  let atoms = TASK_ATOMS;
  for (const frame of frames) {
    if (atoms >= TASK_ATOMS) {
      parts.push([]);
      atoms = 0;
    }
    parts[parts.length - 1].push(frame);
    atoms += frame.species.length;
  }
  return parts;
}
