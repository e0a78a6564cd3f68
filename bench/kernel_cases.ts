/** What the kernels are timed on: each case checks its answer before it is handed out. */
import type { Backend } from "../src/backend.ts";
import { cpuBackend } from "../src/cpu/backend.ts";
import { chooseBuild } from "../src/cpu/build.ts";
import { inlineThreads } from "../src/cpu/threads.ts";
import { GpuUnavailableError } from "../src/errors.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { covariance } from "../src/linalg/covariance.ts";
import { symmetricEigen } from "../src/linalg/symmetric_eigen.ts";
import { descriptors } from "../src/model/mace.ts";
import { neighborCount } from "../src/select/neighbor_count.ts";
import { denseHydrogen } from "./inputs.ts";
import { mediumModel } from "./medium_model.ts";
import { clusteredPoints, decayingColumns, onePercentRadius } from "./selection.ts";
import { check, rowError } from "./timing.ts";

/** Something to be timed. */
export interface KernelCase {
  readonly name: string;
  readonly backend: string;
  /** Work of one call, in this unit. */
  readonly amount: number;
  readonly unit: string;
  run(): Promise<unknown>;
}

/** Cases of every backend there is, and what closes them. */
export async function kernelCases(): Promise<{ cases: KernelCase[]; close(): Promise<void> }> {
  const build = chooseBuild();
  // In this thread, so that `deno bench` needs no permission.
  const backends: Backend[] = [cpuBackend(inlineThreads(build), build)];
  try {
    backends.push(await openGpuBackend({ allowSoftware: false }));
  } catch (error) {
    const denied = (error as Error).name === "NotCapable";
    if (!(error instanceof GpuUnavailableError) && !denied) throw error;
    console.log(`no gpu: ${denied ? "not permitted; deno bench -A" : (error as Error).message}`);
  }
  const cases: KernelCase[] = [];
  const closers: (() => Promise<void>)[] = [];
  for (const backend of backends) {
    const [described, close] = await describing(backend);
    cases.push(described, await counting(backend), await findingComponents(backend));
    closers.push(close, () => backend.close());
  }
  return {
    cases,
    async close() {
      for (const close of closers) await close();
    },
  };
}

/** Descriptors of 64 atoms of dense hydrogen, medium architecture. */
async function describing(backend: Backend): Promise<[KernelCase, () => Promise<void>]> {
  const model = mediumModel({ elements: [1], rMax: 5, channels: 128 });
  const describer = await backend.openDescriber(model, 2, [1]);
  const small = denseHydrogen(8, 1.3);
  const exact = descriptors(model, neighborList(small, model.rMax));
  check("descriptors", rowError((await describer.describe([small]))[0], exact, 256), 5e-6);
  const frame = denseHydrogen(64, 1.3);
  const amount = neighborList(frame, model.rMax).nEdges;
  const run = () => describer.describe([frame]);
  return [
    { name: "descriptors", backend: backend.name, amount, unit: "edges", run },
    () => describer.close(),
  ];
}

/** Neighbors of 4,000 points in 16 dimensions within one radius. */
async function counting(backend: Backend): Promise<KernelCase> {
  const points = clusteredPoints(4000, 16);
  const radii = Float64Array.of(onePercentRadius(points));
  const run = () => backend.countNeighbors(points, radii);
  const { counts } = await run();
  const exact = neighborCount(points, radii);
  check("counts", counts.findIndex((c, i) => c !== exact[i]), -1);
  return { name: "neighbor counts", backend: backend.name, amount: 4000 ** 2, unit: "pairs", run };
}

/** The leading subspace of 10,000 rows of 64 columns. */
async function findingComponents(backend: Backend): Promise<KernelCase> {
  const [rows, cols, wanted] = [10_000, 64, 16];
  const x = decayingColumns(rows, cols);
  const run = () => backend.leadingSubspace(x, wanted);
  const { start } = await run();
  const exact = symmetricEigen(covariance(x)).vectors;
  // The share of the first eigenvector that is outside of the subspace.
  let inside = 0;
  for (let j = 0; j < start.cols; j++) {
    let [dot, norm] = [0, 0];
    for (let i = 0; i < cols; i++) {
      dot += start.data[i * start.cols + j] * exact.data[i * cols];
      norm += start.data[i * start.cols + j] ** 2;
    }
    inside += dot * dot / norm;
  }
  check("leading subspace", Math.abs(1 - inside), 1e-3);
  return {
    name: "leading subspace",
    backend: backend.name,
    amount: rows * cols,
    unit: "numbers",
    run,
  };
}
