/** Edges found on the device, and batches that hold more of them than was thought. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { ParseError, RequestError } from "../../src/errors.ts";
import type { Frame } from "../../src/frame.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { type Device, runInBatches } from "../../src/gpu/engine.ts";
import { findEdges, reverseEdges } from "../../src/gpu/graph.ts";
import { openKernel } from "../../src/gpu/kernel.ts";
import { SHADERS } from "../../src/gpu/shaders.ts";
import { type ModelKernels, Stage } from "../../src/gpu/stage.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { bakeModel } from "../../src/model/bake.ts";
import { openGpuOrSkip } from "../backends.ts";
import { assertClose, makeFrame, projectPath, randomNumbers } from "../support.ts";

const model = bakeModel(loadMace(projectPath("data/hydrogen-small.safetensors")).model, [1]);

function randomFrame(
  seed: number,
  n: number,
  cell: readonly number[],
  pbc: readonly [boolean, boolean, boolean] = [true, true, true],
): Frame {
  const u = randomNumbers(seed, 3 * n);
  // Some atoms lie outside of the cell.
  const positions = Array.from({ length: 3 * n }, (_, i) => {
    const row = 3 * Math.floor(i / 3);
    return [0, 1, 2].reduce((sum, k) => sum + (2 * u[row + k] - 0.5) * cell[3 * k + i % 3], 0);
  });
  return makeFrame(new Array(n).fill(1), positions, [...cell], pbc);
}

const FRAMES = [
  randomFrame(1, 5, [1.7, 0, 0, 0.6, 1.5, 0, -0.4, 0.3, 1.9]),
  randomFrame(2, 60, [9, 0, 0, 1, 8, 0, -2, 1, 10]),
  randomFrame(3, 20, [4, 0, 0, 0, 5, 0, 0, 0, 6], [true, false, true]),
  randomFrame(4, 12, [6, 0, 0, 0, 6, 0, 0, 0, 6], [false, false, false]),
  makeFrame([1], [0, 0, 0], new Array(9).fill(0), [false, false, false]),
];

interface Edge {
  readonly n: number;
  readonly j: number;
  readonly v: readonly number[];
}

/** Every edge has its like, and none is left over; vectors to 1e-6 Å. */
function assertSameEdges(found: readonly Edge[], expected: readonly Edge[]): void {
  const left = new Map<string, Edge[]>();
  for (const edge of found) {
    const key = `${edge.n} ${edge.j}`;
    left.set(key, [...left.get(key) ?? [], edge]);
  }
  for (const { n, j, v } of expected) {
    const own = left.get(`${n} ${j}`) ?? [];
    const at = own.findIndex((edge) => edge.v.every((x, k) => Math.abs(x - v[k]) < 1e-6));
    assert.ok(at >= 0, `no edge ${n} <- ${j} ${v}`);
    own.splice(at, 1);
  }
  assert.equal(found.length, expected.length);
}

test("the device finds the edges of the definition, and the reverse of each", async () => {
  const backend = await openGpuOrSkip();
  if (!backend) return;
  await backend.close();
  const gpu = await openDevice({ allowSoftware: true });
  const names = ["neighbor_list", "edge_offsets", "reverse_edges"] as const;
  const kernels = Object.fromEntries(
    await Promise.all(names.map(async (n) => [n, await openKernel(gpu, n, SHADERS[n])])),
  ) as ModelKernels;
  const expected: Edge[] = [];
  let first = 0;
  for (const frame of FRAMES) {
    const { nAtoms, firstEdge, sender, vectors } = neighborList(frame, model.rMax);
    for (let n = 0; n < nAtoms; n++) {
      for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
        const v = [...vectors.subarray(3 * e, 3 * e + 3)];
        expected.push({ n: first + n, j: first + sender[e], v });
      }
    }
    first += nAtoms;
  }
  const stage = new Stage(gpu, kernels);
  const capacity = expected.length + 100;
  const batch = findEdges(stage, model, FRAMES, capacity);
  const reverse = reverseEdges(stage, batch);
  const [state, atoms, edges, vectors, reversed] = await stage.finish([
    ...[[batch.state, 4], [batch.atoms, 4 * batch.nAtoms], [batch.edges, 4 * capacity]] as const,
    ...[[batch.vectors, 4 * capacity], [reverse, capacity]] as const,
  ]);
  const integers = (x: Float32Array) => new Uint32Array(x.buffer, x.byteOffset, x.length);
  assert.deepEqual([...integers(state)].slice(0, 2), [expected.length, 0]);
  const found: Edge[] = [];
  for (let n = 0; n < batch.nAtoms; n++) {
    const [from, to] = integers(atoms).subarray(4 * n, 4 * n + 2);
    for (let e = from; e < to; e++) {
      const v = [...vectors.subarray(4 * e, 4 * e + 3)];
      found.push({ n, j: integers(edges)[4 * e], v });
      const back = integers(reversed)[e];
      assert.ok(v.every((x, k) => vectors[4 * back + k] === -x), `edge ${e} and ${back}`);
      assert.equal(integers(edges)[4 * back], n);
    }
  }
  assertSameEdges(found, expected);
  stage.destroy();
  gpu.device.destroy();
});

test("more edges than was thought are run again, and a batch that does not fit in halves", async () => {
  const frames = [1, 2, 3, 4].map((seed) => ({
    ...randomFrame(seed, 10, [50, 0, 0, 0, 50, 0, 0, 0, 50]),
    id: `f@${seed}`,
  }));
  const device = { gpu: { maxBinding: 1000 } } as unknown as Device;
  const run = async (perFrame: number) => {
    const calls: [number, number][] = [];
    const done: number[] = [];
    const batches = runInBatches(
      ...[device, { bytesPerAtom: 1, bytesPerEdge: 1 }, frames, 3, "predict"] as const,
      (some, capacity) => {
        calls.push([some.length, capacity]);
        const state = new Float32Array(new Uint32Array([perFrame * some.length, 0, 0, 0]).buffer);
        return Promise.resolve({ state, result: some.length });
      },
    );
    for await (const { result } of batches) done.push(result);
    return { calls, done };
  };
  const few = await run(10);
  assert.deepEqual(few.done, [4]);
  const more = await run(240);
  assert.deepEqual(more.calls.map(([n]) => n), [4, 4]);
  assert.equal(more.calls[1][1], 960);
  const halves = await run(400);
  assert.deepEqual(halves.done, [2, 2]);
  await assert.rejects(run(2000), (error) =>
    error instanceof RequestError &&
    error.message ===
      "Cannot predict f@1 on the GPU: 10 atoms with 2000 edges exceed its largest " +
        "binding; use --backend cpu");
});

test("a dense clump in a large cell is described all the same; atoms at one place are named", async () => {
  const backend = await openGpuOrSkip();
  if (!backend) return;
  const { model } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  const clump = randomFrame(7, 40, [3, 0, 0, 0, 3, 0, 0, 0, 3], [false, false, false]);
  const wide = {
    ...clump,
    cell: Float64Array.of(90, 0, 0, 0, 90, 0, 0, 0, 90),
    pbc: [true, true, true] as const,
  };
  const describer = await backend.openDescriber(model, 2, [1]);
  const [alone, inside] = await describer.describe([clump, wide]);
  assertClose(inside, alone, 1e-4, "descriptors");
  const twice = makeFrame([1, 1], [0.3, 0, 0, 5.3, 0, 0], [5, 0, 0, 0, 5, 0, 0, 0, 5]);
  await assert.rejects(
    describer.describe([clump, twice]),
    (error) =>
      error instanceof ParseError && /atoms 1 and 2 are at the same place/.test(error.message),
  );
  await describer.close();
  await backend.close();
});
