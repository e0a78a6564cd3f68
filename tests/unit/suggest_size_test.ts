import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../src/backend.ts";
import { compare, type ComparePool } from "../../src/compare/compare.ts";
import { RequestError } from "../../src/errors.ts";
import { matrix } from "../../src/matrix.ts";
import { type SizeOptions, suggestSize } from "../../src/compare/suggest_size.ts";
import { DEFAULTS } from "../options.ts";
import { normalNumbers } from "../support.ts";

const OPTIONS: SizeOptions = {
  ...DEFAULTS,
  method: "cpd-spread",
  margin: 0.05,
  stratified: false,
  seeds: 3,
  splits: 5,
};

/** Points in the plane; the energy is a smooth function of them, or noise. */
function pool(n: number, kind: "smooth" | "noise" | "none"): ComparePool {
  const features = matrix(n, 2, normalNumbers(1, 2 * n));
  const noise = normalNumbers(2, n);
  const smooth = (i: number) =>
    Math.sin(1.5 * features.data[2 * i]) + 0.5 * features.data[2 * i + 1] ** 2;
  return {
    frames: Array.from({ length: n }, (_, index) => ({ file: "a", index })),
    features,
    volume: new Float64Array(n).fill(NaN),
    strata: new Array(n).fill("H"),
    groups: Array.from({ length: n }, (_, i) => `${Math.floor(i / 4)}`),
    energy: kind === "none"
      ? null
      : Float64Array.from(noise, (x, i) => (kind === "smooth" ? smooth(i) + 0.001 * x : x)),
  };
}

const suggest = (input: ComparePool, options = OPTIONS) =>
  suggestSize(input, 0.4, options, referenceBackend, () => {});

test("suggestSize() proposes the smallest size whose band is within the margin", async () => {
  const found = await suggest(pool(140, "smooth"));
  assert.equal(found.criterion, "energy");
  const size = found.size!;
  assert.ok(size > 10 && size < 98, `${size}`);
  // From the proposed size on all are within the margin, and the one before is not.
  const at = found.rows.findIndex((row) => row.size === size);
  assert.ok(found.rows.slice(at).every(({ upper }) => upper <= OPTIONS.margin));
  assert.ok(found.rows[at - 1].upper > OPTIONS.margin);
  assert.ok(found.rows.every(({ excess, upper }) => upper >= excess));
  assert.match(found.reason, new RegExp(`^${size} frames give .* meV/atom on held-out frames`));
  const wider = await suggest(pool(140, "smooth"), { ...OPTIONS, margin: 0.5 });
  assert.ok(wider.size! < size);
});

test("suggestSize() says where the data do not allow an answer", async () => {
  const noise = await suggest(pool(120, "noise"));
  assert.equal(noise.size, null);
  assert.match(noise.reason, /no better .* than their baselines without structure/);
  const strict = await suggest(pool(120, "smooth"), { ...OPTIONS, margin: 1e-9 });
  assert.equal(strict.size, null);
  assert.match(strict.reason, /^even \d+ frames leave the error up to .* above that of all/);
  await assert.rejects(suggest(pool(39, "smooth")), RequestError);
});

test("suggestSize() without energies asks for coverage within r_c", async () => {
  const found = await suggest(pool(200, "none"));
  assert.equal(found.criterion, "coverage");
  assert.equal(found.limit, 0.4);
  const size = found.size!;
  const at = found.rows.findIndex((row) => row.size === size);
  assert.ok(found.rows[at].upper <= 0.4 && found.rows[at - 1].upper > 0.4);
  assert.match(found.reason, /95 % of all have a chosen one within r_c/);
});

/** Quantiles of 95 % of the t-distribution by degrees of freedom, from tables. */
const T95: Record<number, number> = { 2: 2.9199855804, 4: 2.1318467863 };
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
/** mean + t √(s² (1/J + n_test / n_train)) */
function slowUpper(values: readonly number[], testShare: number): number {
  const n = values.length;
  const variance = mean(values.map((x) => (x - mean(values)) ** 2)) * n / (n - 1);
  return mean(values) + T95[n - 1] * Math.sqrt(variance * (1 / n + testShare));
}
const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-8 * Math.abs(b), `${what}: ${a}, expected ${b}`);

/** The trials that a proposal rests on. */
function trialsOf(input: ComparePool, sizes: readonly number[], splits: number, seeds: number) {
  const options = { ...OPTIONS, methods: [OPTIONS.method], sizes, splits, seeds };
  return compare(
    input,
    { ...options, testShare: 0.25, poolSize: null },
    referenceBackend,
    () => {},
  );
}

test("suggestSize(): excess over the whole pool, and its band widened by the overlap of splits", async () => {
  const input = pool(80, "smooth");
  const { rows } = await suggest(input);
  const { trials, splits } = await trialsOf(input, rows.map(({ size }) => size), 5, 1);
  const share = mean(splits.map(({ pool, test }) => test.length / pool.length));
  assert.ok(rows.length >= 3);
  for (const { size, value, excess, upper } of rows) {
    const errors = trials.filter((trial) => trial.size === size).map((t) => t.errors!.krr.rmse);
    const above = errors.map((error, split) => error - splits[split].fromPool.krr!.rmse);
    assert.equal(errors.length, 5);
    close(value, mean(errors), `error at ${size}`);
    close(excess, mean(above), `excess at ${size}`);
    close(upper, slowUpper(above, share), `upper end at ${size}`);
  }
});

test("suggestSize() without energies: mean distance over the seeds, which share nothing", async () => {
  const input = pool(80, "none");
  const { rows } = await suggest(input);
  const { trials } = await trialsOf(input, rows.map(({ size }) => size), 1, 3);
  assert.ok(rows.length >= 3);
  for (const { size, value, excess, upper } of rows) {
    const distances = trials.filter((trial) => trial.size === size)
      .map(({ coverage }) => coverage.distance95);
    assert.equal(distances.length, 3);
    close(value, mean(distances), `distance at ${size}`);
    assert.equal(excess, value);
    close(upper, slowUpper(distances, 0), `upper end at ${size}`);
  }
});

test("suggestSize() needs descriptors that beat the best of the baselines, by however little", async () => {
  const smooth = pool(80, "smooth");
  const noise = pool(80, "noise").energy!;
  const strata = Array.from({ length: 80 }, (_, i) => `s${i % 2}`);
  const mix = (share: number, step: number): ComparePool => ({
    ...smooth,
    strata,
    energy: smooth.energy!.map((e, i) => share * e + noise[i] + step * (i % 2)),
  });
  // Signal, step between strata, and which errors are wanted in ascending order.
  const cases = [
    [1, 0, ["krr", "constant"]],
    [0.2, 0, ["constant", "krr"]],
    [1, 3, ["mean per stratum", "krr", "constant"]],
  ] as const;
  for (const [share, step, order] of cases) {
    const input = mix(share, step);
    const { splits } = await trialsOf(input, [10], 5, 1);
    const error = (name: string) => mean(splits.map(({ fromPool }) => fromPool[name]!.rmse));
    order.slice(1).forEach((name, i) => assert.ok(error(order[i]) < error(name), `${order}`));
    assert.ok(order[0] !== "krr" || error("krr") > 0.75 * error(order[1]));
    const { size, reason } = await suggest(input, { ...OPTIONS, margin: 10 });
    assert.equal(size, order[0] === "krr" ? 10 : null, reason);
    if (size === null) assert.match(reason, /no better .* than their baselines/);
  }
});
