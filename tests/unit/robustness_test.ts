/** The same choice from descriptors that differ in their last digits, as those of two backends do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backend, referenceBackend } from "../../src/backend.ts";
import { loadModel } from "../../src/checkpoint/load.ts";
import type { Frame } from "../../src/frame.ts";
import { indexFile, NO_KEYS, readFrames } from "../../src/io/inputs.ts";
import { type Matrix, matrix } from "../../src/matrix.ts";
import { type MeasuredPool, measurePool, selectFrames } from "../../src/pipeline.ts";
import { CLOSE, listenForCloseCalls } from "../../src/select/close_calls.ts";
import { farthestPoints } from "../../src/select/farthest_points.ts";
import { kMedoids } from "../../src/select/k_medoids.ts";
import { METHODS } from "../../src/select/method.ts";
import { useAllBackends } from "../backends.ts";
import { DEFAULTS } from "../options.ts";
import { normalNumbers, projectPath } from "../support.ts";

const backends = await useAllBackends();
const SEEDS = 300;

/** Every third frame of the sample: the definition takes its time. */
async function sample(): Promise<Frame[]> {
  const path = projectPath("data/hydrogen-1000K.xyz.gz");
  const { entries } = await indexFile({ name: path, path, slice: null }, NO_KEYS);
  const wanted = new Set(entries.map(({ index }) => index).filter((index) => index % 3 === 0));
  return await Array.fromAsync(readFrames(path, path, wanted));
}

async function featuresBy(backend: Backend, frames: readonly Frame[]): Promise<Matrix> {
  const { model } = loadModel(projectPath("data/hydrogen-small.safetensors"));
  const describer = await backend.openDescriber(model, model.layers.length, [1]);
  const rows = await describer.pool(frames, "mean");
  await describer.close();
  return matrix(rows.length, rows[0].length, Float64Array.from(rows.flatMap((row) => [...row])));
}

const measure = (features: Matrix) =>
  measurePool(
    {
      frames: Array.from({ length: features.rows }, (_, index) => ({ file: "x", index })),
      ...{ features, strata: null, keep: [], reference: null },
    },
    DEFAULTS,
    referenceBackend,
  );

/** Runs of all methods whose choice differs between two pools, and those of them without a close call. */
function differing(a: MeasuredPool, b: MeasuredPool, select: number) {
  let [runs, differ] = [0, 0];
  const unnamed: string[] = [];
  for (const method of METHODS) {
    const fixed = method === "fps" || method === "direct";
    const seeds = fixed ? 1 : method === "rnd" ? 2 : SEEDS;
    for (let seed = 0; seed < seeds; seed++) {
      const [x, y] = [a, b].map((pool) =>
        selectFrames(pool, { ...DEFAULTS, method, select, seed: BigInt(seed) })
      );
      runs++;
      const same = x.rank.every((rank, i) => (rank > 0) === (y.rank[i] > 0));
      if (same) continue;
      differ++;
      if (x.closeCalls.length + y.closeCalls.length === 0) unnamed.push(`${method}, seed ${seed}`);
    }
  }
  return { runs, differ, unnamed };
}

test("all methods choose the same on every backend, over 300 seeds", async () => {
  const frames = await sample();
  const exact = await measure(await featuresBy(referenceBackend, frames));
  for (const { label, backend } of backends) {
    const pool = await measure(await featuresBy(backend, frames));
    for (const select of [12, 30]) {
      const { runs, differ, unnamed } = differing(exact, pool, select);
      console.log(`measured: ${label}, N = ${select}: ${differ} of ${runs} choices differ`);
      assert.deepEqual(unnamed, []);
      assert.ok(differ <= runs / 500, `${differ} of ${runs}`);
    }
  }
});

test("close calls are named, and clear decisions are not", () => {
  const ids = BigUint64Array.from({ length: 4 }, (_, i) => BigInt(i));
  const calls = (places: readonly number[], farthest: number) => {
    const points = matrix(4, 1, Float64Array.from(places));
    const heard = listenForCloseCalls();
    const picks = farthestPoints(points, [1, 2, 3], 1, [0], heard);
    assert.deepEqual(picks, [farthest]);
    return heard.found();
  };
  // Of the points at 1 and -1 - gap, in either order, the second is farther from the point at 0.
  for (const farthest of [1, 2]) {
    const at = (gap: number) => (farthest === 2 ? [0, 1, -1 - gap, 0.5] : [0, -1 - gap, 1, 0.5]);
    assert.deepEqual(calls(at(0.1), farthest), []);
    const [call] = calls(at(CLOSE / 4), farthest);
    assert.equal(call.kind, "farthest");
    assert.equal(call.point, farthest);
    assert.ok(Math.abs(call.margin - CLOSE / 2) < CLOSE / 100);
  }
  // A point half-way between two centres, 0 and 2, whichever seed draws these.
  const between = (shift: number) => {
    const points = matrix(3, 1, Float64Array.of(0, 1 + shift, 2));
    const heard = listenForCloseCalls();
    for (let seed = 0n; seed < 20n; seed++) kMedoids(points, ids, [0, 1, 2], 2, seed, heard);
    return heard.found().filter(({ kind }) => kind === "cluster").map(({ point }) => point);
  };
  assert.deepEqual(between(0.3), []);
  assert.deepEqual(between(1e-6), [1]);
});

test("centres are drawn with probability ∝ squared distance, by each point's own number", () => {
  // Point 0 is always the first centre of its own; then 1, 2 and 3 are drawn as 1 : 4 : 9.
  const points = matrix(4, 1, Float64Array.of(0, 1, 2, 3));
  const hits = new Float64Array(4);
  let runs = 0;
  for (let seed = 0n; seed < 6000n; seed++) {
    const ids = BigUint64Array.of(1n, 2n, 3n, 4n);
    const heard: number[] = [];
    const calls = {
      note: (kind: string, point: number) => void (kind === "centre" && heard.push(point)),
    };
    kMedoids(points, ids, [0, 1, 2, 3], 2, seed, calls);
    if (heard[0] !== 0) continue;
    hits[heard[1]]++;
    runs++;
  }
  assert.ok(runs > 1300 && runs < 1700, `${runs} of 6000 start at one of four`);
  [1, 4, 9].forEach((weight, i) => {
    const expected = runs * weight / 14;
    assert.ok(Math.abs(hits[i + 1] - expected) < 4 * Math.sqrt(expected), `${hits}`);
  });
});

test("a draw does not see the order of the points", () => {
  const noise = normalNumbers(8, 80);
  const order = Array.from({ length: 40 }, (_, i) => (i * 7) % 40);
  const everyone = order.map((_, i) => i);
  const ids = BigUint64Array.from(everyone, (i) => BigInt(i));
  const points = matrix(40, 2, Float64Array.from(noise));
  const turned = matrix(
    40,
    2,
    Float64Array.from(order.flatMap((i) => [noise[2 * i], noise[2 * i + 1]])),
  );
  const centres = (x: Matrix, own: BigUint64Array, seed: bigint) => {
    const heard: number[] = [];
    const note = (kind: string, point: number) => void (kind === "centre" && heard.push(point));
    kMedoids(x, own, everyone, 8, seed, { note });
    return heard;
  };
  const turnedIds = BigUint64Array.from(order, (i) => ids[i]);
  for (let seed = 0n; seed < 20n; seed++) {
    const again = centres(turned, turnedIds, seed).map((i) => order[i]);
    assert.deepEqual(again, centres(points, ids, seed));
  }
});
