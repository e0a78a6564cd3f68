import { type Backend, poolDescribed } from "../backend.ts";
import type { Frame } from "../frame.ts";
import { leadingColumns, symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { bakeModel } from "../model/bake.ts";
import { descriptorLength } from "../model/mace_model.ts";
import { chooseBuild } from "./build.ts";
import { covariance } from "./covariance.ts";
import { mark, release } from "./memory.ts";
import { countPairs } from "./neighbor_count.ts";
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
      const stored = storeModel(threads.memory, bakeModel(model, elements, nLayers));
      const width = descriptorLength(model, nLayers);
      const describe = async (frames: readonly Frame[]) => {
        const tasks = splitFrames(frames).map((part) => ({
          kind: "describe" as const,
          model: stored,
          frames: part,
        }));
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
    countPairs: (points, radii) => countPairs(threads, points, radii),
    close: () => threads.close(),
  });
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
