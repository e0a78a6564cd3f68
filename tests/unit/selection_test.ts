import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../src/backend.ts";
import { RequestError } from "../../src/errors.ts";
import { type Matrix, matrix, takeRows } from "../../src/matrix.ts";
import { frameIds } from "../../src/select/frame_key.ts";
import { kMedoids } from "../../src/select/k_medoids.ts";
import { KNOW_REFERENCE, METHODS } from "../../src/select/method.ts";
import { distill, type DistillOptions } from "../../src/pipeline.ts";
import { uniform } from "../../src/rng.ts";
import { hashName, stableId } from "../../src/rng.ts";
import { strataQuotas } from "../../src/select/strata.ts";
import { useAllBackends } from "../backends.ts";
import { DEFAULTS } from "../options.ts";
import { normalNumbers } from "../support.ts";

const backends = await useAllBackends();

const OPTIONS: DistillOptions = { ...DEFAULTS, select: 60 };

/** Two phases of unequal width, a thin bridge and 8 outliers. */
function twoPhases(n: number, d = 12): Matrix {
  const x = matrix(n, d);
  const noise = normalNumbers(n, n * d);
  for (let i = 0; i < n; i++) {
    const phase = i < 8 ? 3 : i % 10 === 0 ? 2 : i % 2;
    for (let k = 0; k < d; k++) {
      const center = k === 0
        ? [0, 8, 8 * ((i * 0.618) % 1), 4][phase]
        : k === 1 && phase === 3
        ? 12
        : 0;
      x.data[i * d + k] = center + noise[i * d + k] * [1, 0.6, 0.7, 1.5][phase] * 0.8 ** k;
    }
  }
  return x;
}

const keys = (n: number) => Array.from({ length: n }, (_, index) => ({ file: "pool.xyz", index }));
const input = (features: Matrix) => ({
  frames: keys(features.rows),
  features,
  strata: null,
  keep: [],
  reference: null,
});

// The definitions of the method, written down a second time and as plainly as possible.

function slowDistance(z: Matrix, i: number, j: number): number {
  let d2 = 0;
  for (let k = 0; k < z.cols; k++) d2 += (z.data[i * z.cols + k] - z.data[j * z.cols + k]) ** 2;
  return Math.sqrt(d2);
}

function slowGrid(z: Matrix): number[] {
  const distances: number[] = [];
  for (let i = 0; i < z.rows; i++) {
    for (let j = i + 1; j < z.rows; j++) distances.push(slowDistance(z, i, j));
  }
  const sorted = distances.filter((d) => d > 0).sort((a, b) => a - b);
  const lowest = Math.max(1 / sorted.length, 0.5 / z.rows ** 1.5);
  const levels = [
    ...Array.from({ length: 32 }, (_, i) => lowest * (0.5 / lowest) ** (i / 32)),
    ...Array.from({ length: 32 }, (_, i) => 0.5 + 0.499 * i / 31),
  ];
  return levels.map((q) => {
    const at = q * (sorted.length - 1);
    const low = Math.floor(at);
    return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  });
}

function slowRating(z: Matrix, radii: number[], options: DistillOptions) {
  const n = z.rows;
  const everyone = Array.from({ length: n }, (_, i) => i);
  const distances = everyone.map((i) =>
    everyone.map((j) => (j === i ? Infinity : slowDistance(z, i, j)))
  );
  const counts = radii.map((r) =>
    distances.map((row) => row.reduce((sum, d) => sum + Number(d <= r), 0))
  );
  const mean = (x: number[]) => x.reduce((sum, v) => sum + v, 0) / n;
  const variance = (x: number[]) => mean(x.map((v) => (v - mean(x)) ** 2));
  const value = counts.map((c) => {
    if (options.objective === "log-variance") return variance(c.map((v) => Math.log(v + 1)));
    return options.objective === "fano" ? variance(c) / Math.max(mean(c), 1e-12) : variance(c);
  });
  const most = value.reduce((a, b) => Math.max(a, b));
  const j = value.map((v, b) =>
    v / most - options.isolationWeight * counts[b].filter((c) => c === 0).length / n
  );
  return { counts, best: j.findIndex((v) => v >= j.reduce((a, b) => Math.max(a, b)) - 1e-12) };
}

function slowDistill(
  z: Matrix,
  frames: { file: string; index: number }[],
  options: DistillOptions,
) {
  const n = z.rows;
  const every: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) every.push(slowDistance(z, i, j));
  }
  every.sort((a, b) => a - b);
  const between = every.map((d, p) => 0.5 * (d + (every[p + 1] ?? d)));
  const radius = between[slowRating(z, between, options).best];
  const radii = [...new Set([radius, ...slowGrid(z)])].sort((a, b) => a - b);
  const best = radii.indexOf(radius);
  const { counts } = slowRating(z, radii, options);
  const ids = frames.map(({ file, index }) => stableId(hashName(file), index));
  const compare = (i: number, j: number, order: number[], sign: number) => {
    for (const b of order) {
      if (counts[b][i] !== counts[b][j]) return sign * (counts[b][i] - counts[b][j]);
    }
    return ids[i] < ids[j] ? -1 : 1;
  };
  const smaller = Array.from({ length: best + 1 }, (_, b) => best - b);
  const larger = Array.from({ length: radii.length - best }, (_, b) => best + b);
  const everyone = Array.from({ length: n }, (_, i) => i);
  const nCentral = Math.floor(options.centralShare * options.select + 0.5);
  const nPeripheral = options.select - nCentral;
  const central = everyone.toSorted((i, j) => compare(i, j, smaller, -1))
    .slice(0, Math.ceil(Math.min(1.5 * nCentral, n * nCentral / options.select)));
  const peripheral = everyone.filter((i) => !central.includes(i))
    .sort((i, j) => compare(i, j, larger, 1))
    .slice(0, Math.ceil(Math.min(1.5 * nPeripheral, n * nPeripheral / options.select)));
  const draw = (pool: number[], k: number, power: number, stream: bigint) => {
    const key = (i: number) =>
      power * Math.log(counts[best][i] + 1) -
      Math.log(-Math.log(uniform(options.seed, stream, ids[i])));
    return pool.toSorted((i, j) => key(j) - key(i)).slice(0, k);
  };
  const chosen = [...draw(central, nCentral, 1, 1n), ...draw(peripheral, nPeripheral, -1, 2n)];
  return { radius: radii[best], density: counts[best], central, peripheral, chosen };
}

for (const objective of ["log-variance", "variance", "fano"] as const) {
  test(`r_c, pools and choice equal the definitions written a second time (${objective})`, async () => {
    for (const n of [40, 120]) {
      const x = twoPhases(n);
      const options = { ...OPTIONS, objective, select: 30 };
      const result = await distill(input(x), options, referenceBackend);
      const slow = slowDistill(result.components.scores, keys(n), options);
      const { radii, chosen } = result.search;
      assert.ok(
        Math.abs(radii[chosen] / slow.radius - 1) < 1e-12,
        `${radii[chosen]} ${slow.radius}`,
      );
      assert.deepEqual([...result.density], slow.density);
      const pool = (name: string) => result.pool.flatMap((p, i) => (p === name ? [i] : []));
      assert.deepEqual(pool("central"), slow.central.toSorted((a, b) => a - b));
      assert.deepEqual(pool("peripheral"), slow.peripheral.toSorted((a, b) => a - b));
      const order = [...result.rank.keys()].filter((i) => result.rank[i] > 0)
        .sort((i, j) => result.rank[i] - result.rank[j]);
      assert.deepEqual(order, slow.chosen);
    }
  });
}

test("cpd-spread: medoids of the core, then the rim's points farthest from all that is chosen", async () => {
  const n = 150;
  for (const [select, share] of [[30, 0.5], [31, 0.25], [120, 0.5], [10, 1], [10, 0]]) {
    const options = { ...OPTIONS, method: "cpd-spread" as const, select, centralShare: share };
    const result = await distill(input(twoPhases(n)), options, referenceBackend);
    const z = result.components.scores;
    const everyone = Array.from({ length: n }, (_, i) => i);
    const order = everyone.filter((i) => result.rank[i] > 0)
      .sort((i, j) => result.rank[i] - result.rank[j]);
    const nCore = Math.floor(share * select + 0.5);
    const nRim = select - nCore;
    const rim = everyone.filter((i) => result.pool[i] === "peripheral");
    const core = everyone.filter((i) => result.pool[i] === "central");
    const wanted = nRim === 0 ? 0 : Math.max(0.2 * n, 1.5 * nRim);
    assert.equal(rim.length, Math.min(Math.ceil(wanted), n - nCore));
    assert.equal(core.length + rim.length, n);
    const sparsest = Math.max(...rim.map((i) => result.density[i]));
    assert.ok(core.every((i) => result.density[i] >= sparsest), "the rim is the sparsest");
    const central = kMedoids(z, frameIds(keys(n)), core, nCore, options.seed);
    assert.deepEqual(order.slice(0, nCore), nCore > 0 ? central : []);
    for (let k = nCore; k < select; k++) {
      const gap = (i: number) => Math.min(...order.slice(0, k).map((j) => slowDistance(z, i, j)));
      const left = rim.filter((i) => !order.slice(0, k).includes(i));
      if (k > 0) assert.ok(left.every((i) => gap(i) <= gap(order[k])), `pick ${k}`);
    }
  }
});

test("with many frames r_c is the best of all radii that were tried", async () => {
  const options = { ...OPTIONS, select: 30 };
  const { search, components } = await distill(
    input(twoPhases(1100)),
    options,
    backends[1].backend,
  );
  const { counts, best } = slowRating(components.scores, [...search.radii], options);
  assert.equal(search.chosen, best);
  const column = counts[best].map((_, i) => search.counts[i * search.radii.length + best]);
  assert.deepEqual(column, counts[best]);
});

test("every method chooses exactly N, the same from any order of the frames", async () => {
  const n = 240;
  const x = twoPhases(n);
  const order = Array.from({ length: n }, (_, i) => (i * 77 + 5) % n);
  const strata = Array.from({ length: n }, (_, i) => `s${i % 4}`);
  for (const method of METHODS) {
    for (const stratified of [false, true]) {
      const options = { ...OPTIONS, method, select: 33, seed: 3n };
      const keep = stratified ? [0, 7] : [];
      const straight = { ...input(x), strata: stratified ? strata : null, keep };
      const { rank } = await distill(straight, options, referenceBackend);
      assert.equal(rank.filter((r) => r > 0).length, 33, method);
      keep.forEach((i) => assert.ok(rank[i] > 0, `${method} does not keep frame ${i}`));
      const shuffled = {
        ...input(takeRows(x, order)),
        frames: order.map((index) => ({ file: "pool.xyz", index })),
        strata: stratified ? order.map((i) => strata[i]) : null,
        keep: keep.map((i) => order.indexOf(i)),
      };
      const again = await distill(shuffled, options, referenceBackend);
      order.forEach((frame, i) => assert.equal(again.rank[i], rank[frame], method));
      if (!stratified) continue;
      for (const name of new Set(strata)) {
        assert.ok([...rank].some((r, i) => r > 0 && strata[i] === name), `${method} ${name}`);
      }
    }
  }
});

test("fps, rnd and the rim stay away from a reference set", async () => {
  const x = twoPhases(200);
  const reference = takeRows(x, [...Array(100).keys()]);
  for (const method of ["fps", "rnd", "cpd-spread"] as const) {
    const options = { ...OPTIONS, method, select: 10, centralShare: 0 };
    const { rank } = await distill({ ...input(x), reference }, options, referenceBackend);
    const covered = [...rank].filter((r, i) => r > 0 && i < 100).length;
    assert.ok(
      covered <= (method === "fps" ? 0 : 3),
      `${method}: ${covered} of 10 are covered already`,
    );
  }
});

test("every backend and any order of the frames choose the same", async () => {
  const n = 1100; // enough for sampled pair distances
  const x = twoPhases(n);
  for (const method of ["cpd", "cpd-spread"] as const) {
    const options = { ...OPTIONS, method };
    const expected = await distill(input(x), options, referenceBackend);
    const order = Array.from({ length: n }, (_, i) => (i * 377 + 5) % n);
    for (const { label, backend } of backends) {
      const shuffled = {
        ...input(takeRows(x, order)),
        frames: order.map((index) => ({ file: "pool.xyz", index })),
      };
      const result = await distill(shuffled, options, backend);
      order.forEach((frame, i) => assert.equal(result.rank[i], expected.rank[frame], label));
    }
  }
});

test("the same seed repeats a choice, another seed changes it", async () => {
  const x = twoPhases(200);
  const ranks = async (seed: bigint) =>
    (await distill(input(x), { ...OPTIONS, seed }, referenceBackend)).rank;
  assert.deepEqual(await ranks(7n), await ranks(7n));
  assert.notDeepEqual(await ranks(7n), await ranks(8n));
});

for (const method of ["cpd", "cpd-spread"] as const) {
  test(`the choice holds the cores of both phases and the outliers (${method})`, async () => {
    const x = twoPhases(600);
    const { rank, pool } = await distill(input(x), { ...OPTIONS, method }, referenceBackend);
    const chosen = [...rank.keys()].filter((i) => rank[i] > 0);
    assert.equal(chosen.length, 60);
    // A random choice of 60 in 600 would hold 0.8 of the 8 outliers.
    assert.ok(chosen.filter((i) => i < 8).length >= 5, "outliers");
    for (let i = 0; i < 8; i++) assert.equal(pool[i], "peripheral");
    const core = chosen.filter((i) => pool[i] === "central");
    assert.equal(core.length, 30);
    assert.ok(core.every((i) => i >= 8), "no outlier is central");
  });
}

test("duplicates are never both chosen", async () => {
  const x = twoPhases(100);
  for (let i = 50; i < 100; i++) x.data.copyWithin(i * 12, (i - 50) * 12, (i - 49) * 12);
  const { rank, representative } = await distill(
    input(x),
    { ...OPTIONS, select: 50 },
    referenceBackend,
  );
  for (let i = 50; i < 100; i++) {
    assert.equal(representative[i], i - 50);
    assert.equal(rank[i], 0);
  }
  await assert.rejects(
    distill(input(x), { ...OPTIONS, select: 51 }, referenceBackend),
    /of 100 only 50 are unique/,
  );
});

test("what is kept is that very frame, even where it duplicates another", async () => {
  const x = twoPhases(100);
  for (let i = 50; i < 100; i++) x.data.copyWithin(i * 12, (i - 50) * 12, (i - 49) * 12);
  const run = (keep: number[], select: number) =>
    distill({ ...input(x), keep }, { ...OPTIONS, select }, referenceBackend);
  const one = await run([61], 20);
  assert.deepEqual([one.rank[61], one.rank[11]], [1, 0]);
  assert.equal(one.rank.filter((r) => r > 0).length, 20);
  const both = await run([61, 11], 51);
  assert.deepEqual([both.rank[61], both.rank[11]], [1, 2]);
  assert.equal(both.rank.filter((r) => r > 0).length, 51);
});

test("no method that knows the reference set chooses what is in it", async () => {
  const x = twoPhases(60);
  const known = [3, 11, 12, 30, 31, 47];
  const reference = takeRows(x, known);
  for (const method of KNOW_REFERENCE) {
    const { rank, nKnown } = await distill(
      { ...input(x), reference },
      { ...OPTIONS, method, select: 24 },
      referenceBackend,
    );
    assert.equal(nKnown, 6);
    assert.ok(known.every((i) => rank[i] === 0), method);
    assert.equal(rank.filter((r) => r > 0).length, 24);
  }
  await assert.rejects(
    distill({ ...input(x), reference }, { ...OPTIONS, select: 55 }, referenceBackend),
    /Cannot choose 55 frames: of 60 only 54 are unique and not in the reference set/,
  );
});

test("keep, strata and reference do what they say", async () => {
  const x = twoPhases(300);
  const keep = [17, 203];
  const strata = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? "a" : "b"));
  const result = await distill({ ...input(x), keep, strata }, OPTIONS, referenceBackend);
  assert.ok(keep.every((i) => result.rank[i] > 0));
  const chosen = [...result.rank.keys()].filter((i) => result.rank[i] > 0);
  assert.equal(chosen.length, 60);
  const inA = chosen.filter((i) => strata[i] === "a" && !keep.includes(i)).length;
  assert.equal(inA, strataQuotas([100, 198], 58)[0]);

  // A reference set that repeats the outliers leaves them no peripheral status.
  const reference = takeRows(x, [0, 1, 2, 3, 4, 5, 6, 7]);
  const covered = await distill({ ...input(x), reference }, OPTIONS, referenceBackend);
  for (let i = 0; i < 8; i++) assert.notEqual(covered.pool[i], "peripheral");
});

test("of two pool sizes the one that was asked for is kept", async () => {
  const run = async (changes: Partial<DistillOptions>) => {
    const options = { ...OPTIONS, select: 10, ...changes };
    return (await distill(input(twoPhases(30)), options, referenceBackend)).poolSizes;
  };
  for (const method of ["cpd", "cpd-spread"] as const) {
    assert.deepEqual(await run({ method, central: 0.8 }), { central: 24, peripheral: 6 });
    assert.deepEqual(await run({ method, central: 0.9 }), { central: 25, peripheral: 5 });
    const both = await run({ method, central: 0.5, peripheral: 0.3 });
    assert.deepEqual(both, { central: 15, peripheral: 9 });
  }
});

test("strataQuotas() is exact, at least one each, within the strata", () => {
  assert.deepEqual(strataQuotas([100, 400], 30), [10, 20]);
  assert.deepEqual(strataQuotas([1, 1000], 10), [1, 9]);
  assert.deepEqual(strataQuotas([3, 3], 6), [3, 3]);
  // 10 and 100 of √n: less than one of ten is rounded up to one, not added to one.
  assert.deepEqual(strataQuotas([100, 10000], 10), [1, 9]);
  assert.deepEqual(strataQuotas([...new Array(8).fill(10), 1000], 18), [
    ...new Array(8).fill(1),
    10,
  ]);
  for (const [sizes, budget] of [[[5, 50, 500], 77], [[1, 2, 3, 4], 9]] as [number[], number][]) {
    const quotas = strataQuotas(sizes, budget);
    assert.equal(quotas.reduce((sum, q) => sum + q, 0), budget);
    quotas.forEach((q, s) => assert.ok(q >= 1 && q <= sizes[s]));
  }
  assert.throws(() => strataQuotas([5, 5, 5], 2), RequestError);
});

test("requests that cannot be met are refused", async () => {
  const run = (n: number, changes: Partial<DistillOptions>) =>
    distill(input(twoPhases(n)), { ...OPTIONS, ...changes }, referenceBackend);
  await assert.rejects(run(40, { select: 41 }), /there are only 40/);
  await assert.rejects(run(2, { select: 1 }), /expected at least 3/);
  const all = await run(40, { select: 40 });
  assert.ok(all.rank.every((rank) => rank > 0), "a budget of everything takes everything");
});
