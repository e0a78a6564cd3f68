import assert from "node:assert/strict";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { describeFrames } from "../../src/gpu/describe.ts";
import type { ModelKernels } from "../../src/gpu/stage.ts";
import { SHADERS } from "../../src/gpu/shaders.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { openKernel } from "../../src/gpu/kernel.ts";
import { LANES, Tilings } from "../../src/gpu/tiling.ts";
import { uploadLayers, uploadTables } from "../../src/gpu/weights.ts";
import { bakeModel } from "../../src/model/bake.ts";
import { openGpuOrSkip } from "../backends.ts";
import { makeFrame, projectPath, randomNumbers } from "../support.ts";

test("every tiling gives the same descriptors, and the choice is kept", async () => {
  const backend = await openGpuOrSkip();
  if (!backend) return;
  await backend.close();
  const gpu = await openDevice({ allowSoftware: true });
  const names = [
    "neighbor_list",
    "edge_offsets",
    "spherical_harmonics",
    "radial_basis",
    "channel_mix",
    "product_basis",
    "pool_atoms",
  ] as const;
  const kernels = Object.fromEntries(
    await Promise.all(names.map(async (n) => [n, await openKernel(gpu, n, SHADERS[n])])),
  ) as ModelKernels;
  const model = bakeModel(loadMace(projectPath("data/hydrogen-small.safetensors")).model, [1]);
  const u = randomNumbers(5, 24);
  const positions = u.map((x, i) => 0.5 * x + 1.2 * ((i >> (i % 3)) & 1) + (i > 11 ? 0.9 : 0));
  const frame = makeFrame(new Array(8).fill(1), positions, [3, 0, 0, 0, 3, 0, 0, 0, 3]);
  const layers = uploadLayers(gpu, model, 1, false);
  uploadTables(gpu, model, layers, { class: 0, slot: 0 });
  // A hardware adapter tries all tilings on its first batch.
  const tiling = await new Tilings({ ...gpu, software: false }, SHADERS).of(model, false);
  const results: Float32Array[] = [];
  const run = () =>
    tiling.run(async (paths) => {
      const { result: rows } = await describeFrames(
        ...[gpu, kernels, model, layers, paths, [frame], 4000] as const,
        null,
      );
      results.push(rows);
      return rows;
    });
  assert.deepEqual(await run(), results[0]);
  assert.equal(results.length, LANES.length + 1, "each tiling once, the first also to warm up");
  await run();
  assert.equal(results.length, LANES.length + 2);
  for (const rows of results) assert.deepEqual(rows, results[0]);
  gpu.device.destroy();
});
