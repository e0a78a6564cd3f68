import assert from "node:assert/strict";
import { test } from "node:test";
import * as mathjs from "mathjs";
import { baselines, rms, rmsWithin } from "../../src/compare/baselines.ts";
import { kernelRidge } from "../../src/compare/kernel_ridge.ts";
import { holm, pairedTest } from "../../src/compare/paired_test.ts";
import { matrix } from "../../src/matrix.ts";
import { assertClose, normalNumbers } from "../support.ts";

const N = 60;
const x = matrix(N, 3, Float64Array.from(normalNumbers(1, 3 * N)));
const noise = normalNumbers(2, N);
const y = Float64Array.from(
  { length: N },
  (_, i) => Math.sin(x.data[3 * i]) + 0.5 * x.data[3 * i + 1] + 0.05 * noise[i] + 7,
);
const train = Array.from({ length: 40 }, (_, i) => i);
const testRows = Array.from({ length: 20 }, (_, i) => 40 + i);

/** Kernel ridge regression with a free constant by solving its linear equations. */
function slowRidge(kernel: (i: number, j: number) => number, lambda: number, rows: number[]) {
  const k = rows.map((i) => [...rows.map((j) => kernel(i, j) + (i === j ? lambda : 0)), 1]);
  const system = [...k, [...rows.map(() => 1), 0]];
  const solved = (mathjs.lusolve(system, [...rows.map((i) => y[i]), 0]) as number[][]).flat();
  return (i: number) =>
    rows.reduce((sum, j, t) => sum + solved[t] * kernel(i, j), solved[rows.length]);
}

for (const kind of ["ridge", "krr"] as const) {
  test(`kernelRidge() equals leaving every row out (${kind})`, () => {
    const squared = (i: number, j: number) =>
      [0, 1, 2].reduce((sum, k) => sum + (x.data[3 * i + k] - x.data[3 * j + k]) ** 2, 0);
    const distances = train.flatMap((i) => train.filter((j) => j < i).map((j) => squared(i, j)))
      .sort((a, b) => a - b);
    const median = distances[distances.length >> 1];
    const kernels = kind === "ridge"
      ? [
        (i: number, j: number) =>
          [0, 1, 2].reduce((sum, k) => sum + x.data[3 * i + k] * x.data[3 * j + k], 0) / 3,
      ]
      : [0.5, 1, 2, 4, 8].map((w) => (i: number, j: number) =>
        Math.exp(-squared(i, j) / (2 * w * w * median))
      );
    let best = { error: Infinity, predict: (_: number) => 0 };
    for (const kernel of kernels) {
      const diagonal = train.reduce((sum, i) => sum + kernel(i, i) / train.length, 0);
      for (let power = -10; power <= 1; power++) {
        const lambda = 10 ** power * diagonal;
        const errors = train.map((i) =>
          slowRidge(kernel, lambda, train.filter((j) => j !== i))(i) - y[i]
        );
        const error = rms(errors);
        if (error < best.error) best = { error, predict: slowRidge(kernel, lambda, train) };
      }
    }
    const fit = kernelRidge(kind, x, y, train, testRows);
    assertClose([fit.leaveOneOut], [best.error], 1e-6, "leave-one-out error");
    assertClose(fit.predicted, testRows.map(best.predict), 1e-6, "predictions");
    // Targets of test rows must not be looked at.
    const hidden = y.map((value, i) => (i < 40 ? value : NaN));
    assert.deepEqual(kernelRidge(kind, x, hidden, train, testRows), fit);
  });
}

test("baselines: constant, cubic in the cube root of the volume, mean per stratum", () => {
  const volume = Float64Array.from({ length: N }, (_, i) => (2 + i / N) ** 3);
  const strata = Array.from({ length: N }, (_, i) => `s${i % 3}`);
  const energy = volume.map((v) => 1 + 2 * Math.cbrt(v) - 0.3 * v);
  const found = baselines({ energy, volume, strata }, train, testRows);
  assertClose(found["density polynomial"]!, testRows.map((i) => energy[i]), 1e-9, "polynomial");
  const mean = (rows: number[]) => rows.reduce((sum, i) => sum + energy[i], 0) / rows.length;
  assertClose(found.constant!, testRows.map(() => mean(train)), 1e-12, "constant");
  const expected = testRows.map((i) => mean(train.filter((j) => j % 3 === i % 3)));
  assertClose(found["mean per stratum"]!, expected, 1e-12, "strata");
  const open = { energy, volume: volume.map(() => NaN), strata };
  assert.equal(baselines(open, train, testRows)["density polynomial"], null);
  const errors = Float64Array.of(1, 3, 10, 10);
  assert.equal(rmsWithin(errors, ["a", "a", "b", "b"]), Math.sqrt(0.5));
});

test("pairedTest() is the corrected t-test; values by SciPy", () => {
  const differences = [1.2, -0.3, 0.8, 1.9, 0.4, 0.7];
  const { mean, low, high, p } = pairedTest(differences, 0.5);
  // mean 0.78333, s² = 0.54967, error = 0.60535; scipy.stats.t, 5 degrees
  assertClose(
    [mean, low, high, p],
    [0.78333333, -0.77275951, 2.33942618, 0.25220116],
    1e-6,
    "mean, low, high, p",
  );
  assert.deepEqual(pairedTest([0, 0, 0], 0.5), { mean: 0, low: 0, high: 0, p: 1 });
});

test("holm() steps down", () => {
  assertClose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], 1e-12, "adjusted");
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
});
