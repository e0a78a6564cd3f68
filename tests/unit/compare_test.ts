import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelRidge } from "../../src/compare/kernel_ridge.ts";
import { referenceBackend } from "../../src/backend.ts";
import { compare, type CompareOptions, type ComparePool } from "../../src/compare/compare.ts";
import type { FineTuning } from "../../src/compare/fine_tuning.ts";
import { matrix, takeRows } from "../../src/matrix.ts";
import { METHODS } from "../../src/select/method.ts";
import { DEFAULTS } from "../options.ts";
import { normalNumbers } from "../support.ts";

const D = 3;
const OPTIONS: CompareOptions = {
  ...DEFAULTS,
  methods: ["random", "fps"],
  sizes: [6, 12],
  stratified: false,
  seeds: 2,
  splits: 3,
  testShare: 0.25,
  poolSize: null,
};

/** Groups of 4 frames, each about a point of its own; the energy is a function of the features. */
function frames(n: number): ComparePool {
  const noise = normalNumbers(1, n * D);
  const centre = normalNumbers(2, n * D);
  const features = matrix(
    n,
    D,
    noise.map((x, at) => 2 * centre[Math.floor(at / D / 4) * D + at % D] + x),
  );
  const energy = Float64Array.from({ length: n }, (_, i) => {
    const [x, y, z] = features.data.subarray(i * D, i * D + D);
    return -3 + 0.1 * Math.sin(x) + 0.05 * y * z + (i % 3 === 0 ? 0.2 : 0);
  });
  return {
    // Canonical: by file, then by place in it.
    frames: Array.from({ length: n }, (_, i) => ({ file: i < n / 2 ? "a" : "b", index: i })),
    features,
    energy,
    volume: Float64Array.from({ length: n }, (_, i) => 10 + i % 7 + 0.1 * i),
    strata: Array.from({ length: n }, (_, i) => `s${i % 3}`),
    groups: Array.from({ length: n }, (_, i) => `g${Math.floor(i / 4)}`),
  };
}

function take(input: ComparePool, rows: readonly number[]): ComparePool {
  return {
    frames: rows.map((row) => input.frames[row]),
    features: takeRows(input.features, rows),
    energy: input.energy && Float64Array.from(rows, (row) => input.energy![row]),
    volume: Float64Array.from(rows, (row) => input.volume[row]),
    strata: rows.map((row) => input.strata[row]),
    groups: rows.map((row) => input.groups[row]),
  };
}

const run = (input: ComparePool, options: Partial<CompareOptions> = {}) =>
  compare(input, { ...OPTIONS, ...options }, referenceBackend, () => {});
const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const rms = (values: readonly number[]) => Math.sqrt(mean(values.map((x) => x * x)));
const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.abs(b), `${what}: ${a}, expected ${b}`);

test("compare() holds out whole groups, others in every split, until they hold the test share", async () => {
  const input = frames(62);
  const { splits } = await run(input, { methods: ["random"], sizes: [3], seeds: 1, splits: 12 });
  assert.equal(splits.length, 12);
  for (const { pool, test } of splits) {
    assert.deepEqual([...pool, ...test].sort((a, b) => a - b), all(62));
    const held = new Set(test.map((i) => input.groups[i]));
    assert.ok(pool.every((i) => !held.has(input.groups[i])));
    // 15.5 frames are wanted: 4 groups of 4, one of which may be the last group of 2.
    assert.ok(test.length === 16 || test.length === 18, `${test.length}`);
  }
  assert.equal(new Set(splits.map(({ test }) => `${test}`)).size, 12);
  // By chance one group in 30 escapes 12 splits, and none is held out in each.
  const heldIn = all(62).map((i) => splits.filter(({ test }) => test.includes(i)).length);
  assert.ok(heldIn.filter((n) => n === 0).length <= 8, `${heldIn}`);
  assert.ok(heldIn.every((n) => n < 12), `${heldIn}`);
});

/** Error of predictions, and after the mean error of every stratum is taken off. */
function slowErrors(predicted: ArrayLike<number>, test: readonly number[], input: ComparePool) {
  const errors = test.map((i, t) => predicted[t] - input.energy![i]);
  const within = test.map((i, t) => {
    const same = errors.filter((_, u) => input.strata[test[u]] === input.strata[i]);
    return errors[t] - mean(same);
  });
  return { rmse: rms(errors), within: rms(within) };
}

test("compare() fits each regressor to the chosen frames, scaled by the pool, tested on the rest", async () => {
  const input = frames(80);
  const { trials, splits, panels } = await run(input);
  const { pool, test, fromPool } = splits[0];
  // z-scores of the pool alone: the groups that are held out lie elsewhere.
  const at = (i: number, k: number) => input.features.data[i * D + k];
  const scaled = matrix(80, D);
  for (let k = 0; k < D; k++) {
    const centre = mean(pool.map((i) => at(i, k)));
    const deviation = rms(pool.map((i) => at(i, k) - centre));
    for (const i of all(80)) scaled.data[i * D + k] = (at(i, k) - centre) / deviation;
  }
  const fits = panels.map(({ method, size, chosen }) => ({
    train: chosen.map((i) => pool[i]),
    found: trials.find((trial) =>
      trial.method === method && trial.size === size && trial.split === 0 && trial.seed === 0
    )!.errors!,
  }));
  assert.deepEqual(fits.map(({ train }) => train.length), [12, 12]);
  for (const { train, found } of [...fits, { train: pool, found: fromPool }]) {
    for (const kind of ["ridge", "krr"] as const) {
      const { predicted } = kernelRidge(kind, scaled, input.energy!, train, test);
      const expected = slowErrors(predicted, test, input);
      close(found[kind]!.rmse, expected.rmse, `${kind}, ${train.length} frames`);
      close(found[kind]!.within, expected.within, `${kind} within, ${train.length} frames`);
    }
  }
  const constant = slowErrors(test.map(() => mean(pool.map((i) => input.energy![i]))), test, input);
  close(fromPool.constant!.rmse, constant.rmse, "constant");
  close(fromPool.constant!.within, constant.within, "constant within");
});

test("compare() at one size is its part of compare() at several, for every method", async () => {
  const input = frames(60);
  const options = { methods: METHODS, splits: 1, seeds: 1 };
  const both = await run(input, options);
  assert.equal(both.trials.length, 2 * METHODS.length);
  for (const size of OPTIONS.sizes) {
    const one = await run(input, { ...options, sizes: [size] });
    assert.deepEqual(both.trials.filter((trial) => trial.size === size), one.trials);
  }
});

test("compare() trains on one choice as often as on another, whatever the seed changes of it", async () => {
  const trained: string[] = [];
  const fineTuning: FineTuning = {
    untrained: () => Promise.resolve({ energy: 1, forces: 1 }),
    trained: (train, _test, seed) => {
      trained.push(`${train.map(({ file, index }) => file + index)} ${seed}`);
      return Promise.resolve({ energy: 1, forces: 1 });
    },
    close: () => Promise.resolve(),
  };
  const options = { ...OPTIONS, splits: 1, sizes: [6] };
  const judges = { fineTuning, readoutForces: null };
  const { trials } = await compare(frames(48), options, referenceBackend, () => {}, judges);
  assert.deepEqual(trials.map(({ method }) => method), ["random", "random", "fps", "fps"]);
  const [, , , one, other] = trained;
  assert.equal(one.split(" ")[0], other.split(" ")[0], "fps chooses the same frames");
  assert.notEqual(one, other, "and trains on them in another order");
});

test("compare() does not see frames that others duplicate", async () => {
  const input = frames(60);
  // Every second frame stands once more in a later file, and in a group of its own.
  const rows = [...all(60), ...all(60).filter((i) => i % 2 === 1)];
  const twice = take(input, rows);
  const known = await run({
    ...twice,
    frames: twice.frames.map((key, row) => (row < 60 ? key : { ...key, file: "c" })),
    // Equal but for rounding.
    features: matrix(90, D, twice.features.data.map((x, at) => x + (at < 60 * D ? 0 : 1e-9))),
    groups: twice.groups.map((name, row) => (row < 60 ? name : `copy of ${name}`)),
  });
  assert.deepEqual(known, await run(input));
  assert.ok(known.trials.every(({ leakage }) => leakage!.least > 1e-6));
});

test("compare() does not see the order of the frames", async () => {
  const input = frames(60);
  const expected = await run(input, { methods: METHODS, splits: 2, seeds: 1 });
  // 60 and 7 have no divisor in common.
  const shuffled = take(input, all(60).map((i) => (7 * i + 3) % 60));
  assert.deepEqual(await run(shuffled, { methods: METHODS, splits: 2, seeds: 1 }), expected);
});
