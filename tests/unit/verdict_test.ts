import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, verdict } from "../../src/compare/verdict.ts";
import { pairedTest } from "../../src/compare/paired_test.ts";

const random = [0.010, 0.012, 0.011, 0.013, 0.012, 0.011, 0.010, 0.012];
const curves = [50, 100].flatMap((size) => [
  { method: "random", size, errors: random },
  { method: "fps", size, errors: random.map((e, i) => e * (0.6 - 0.01 * (i % 2))) },
  { method: "kmedoids", size, errors: random.map((e, i) => e * (0.59 + 0.01 * (i % 2))) },
  { method: "cpd", size, errors: random.map((e, i) => e * (3 + 0.1 * (i % 2))) },
  { method: "rnd", size, errors: random.map((e, i) => e * (i % 2 ? 1.3 : 0.75)) },
]);

test("contrasts() are paired tests of ln(error / other error), over all sizes and at each", () => {
  const found = contrasts(curves, "random", 0.5);
  assert.deepEqual(found.map(({ size }) => size).slice(3, 6), [null, 50, 50]);
  assert.equal(found.length, 12);
  const logs = random.map((_, i) => Math.log(0.6 - 0.01 * (i % 2)));
  const { mean, low, p } = pairedTest(logs, 0.5);
  for (const fps of [found[0], found[4]]) {
    assert.equal(fps.method, "fps");
    assert.ok(Math.abs(fps.mean - mean) < 1e-12 && Math.abs(fps.low - low) < 1e-12);
    assert.ok(Math.abs(fps.p - p) < 1e-12 && fps.adjusted >= fps.p);
    const difference = random.reduce((s, e, i) => s + e * (-0.4 - 0.01 * (i % 2)) / 8, 0);
    assert.ok(Math.abs(fps.difference - difference) < 1e-15);
  }
});

test("verdict() names what is better, worse, what cannot be told apart, and the best", () => {
  const lines = verdict(curves, 0.5);
  assert.equal(lines.length, 4);
  assert.match(
    lines[0],
    /^All sizes: better than random: fps by 41 % \(95 % interval 39 to 41 %; mean difference -4\.6 meV\/atom\), kmedoids by 41 % \(.*\); worse: cpd by 205 % \(.*\); cannot be told from random: rnd$/,
  );
  assert.equal(
    lines[1],
    "Least error over all sizes: fps, chosen by these same data; beyond the noise it is better " +
      "than random, cpd; it cannot be told from kmedoids, rnd",
  );
  assert.match(lines[2], /^N = 50: better than random: fps/);
});

test("contrasts() needs the other method, and two splits", () => {
  const fps = { method: "fps", size: 50, errors: random };
  assert.deepEqual(contrasts([fps], "random", 0.5), []);
  const one = (method: string) => ({ method, size: 50, errors: [0.01] });
  assert.deepEqual(verdict([one("random"), one("fps")], 0.5), []);
});

/**
 * A method whose errors on two splits are those of random choice times e^(mean ± spread). With one degree
 * of freedom the t-distribution is Cauchy's, p = 1 - (2/π) arctan t, and t = mean / error with
 * s² = 2 spread², error² = s² (1/2 + n_test / n_train).
 */
function onTwoSplits(method: string, t: number, testShare: number, mean = -0.1) {
  const spread = Math.abs(mean) / (t * Math.sqrt(1 + 2 * testShare));
  const errors = [0.01, 0.02].map((e, s) => e * Math.exp(mean + (s === 0 ? spread : -spread)));
  return { method, size: 50, errors };
}
const chance = { method: "random", size: 50, errors: [0.01, 0.02] };
/** The t that has this p. */
const tOf = (p: number) => Math.tan((1 - p) * Math.PI / 2);

test("contrasts() widen the error by n_test / n_train", () => {
  for (const testShare of [0, 0.25, 0.5, 2]) {
    const [{ mean, low, high, p }] = contrasts(
      [chance, onTwoSplits("fps", 10, 0.5)],
      "random",
      testShare,
    );
    // Of t = 10 at a share of 1/2.
    const error = 0.01 * Math.sqrt((1 + 2 * testShare) / 2);
    const half = error * tOf(0.05);
    const expected = [-0.1, -0.1 - half, -0.1 + half, 1 - 2 / Math.PI * Math.atan(0.1 / error)];
    [mean, low, high, p].forEach((x, i) => assert.ok(Math.abs(x - expected[i]) < 1e-7, `${i}`));
  }
});

test("verdict() takes the overlap of the splits into account", () => {
  // t = 10 is p = 0.063, and t = 10 √2 without the overlap p = 0.045.
  const two = [chance, onTwoSplits("fps", 10, 0.5)];
  const told = (testShare: number) => verdict(two, testShare).slice(0, 2).join("\n");
  assert.match(
    told(0.5),
    /cannot be told from random: fps\n.* fps.*; it cannot be told from random$/,
  );
  assert.match(told(0), /better than random: fps by .*\n.* it is better than random$/);
});

test("contrasts() adjust p for the number of methods, by Holm's steps", () => {
  const p = { fps: 0.03, cpd: 0.02, rnd: 0.6, direct: 0.001 };
  const rivals = Object.entries(p).map(([method, p]) => onTwoSplits(method, tOf(p), 0.5));
  const found = contrasts([chance, ...rivals], "random", 0.5);
  // 4 · 0.001, 3 · 0.02, then 2 · 0.03 and 1 · 0.6, none below the one before.
  const adjusted: Record<string, number> = { direct: 0.004, cpd: 0.06, fps: 0.06, rnd: 0.6 };
  assert.equal(found.length, 8);
  for (const contrast of found) {
    assert.ok(Math.abs(contrast.p - p[contrast.method as keyof typeof p]) < 1e-7);
    assert.ok(Math.abs(contrast.adjusted - adjusted[contrast.method]) < 1e-7, contrast.method);
  }
});

test("verdict() goes by the adjusted p", () => {
  const told = (...rivals: ReturnType<typeof onTwoSplits>[]) => verdict([chance, ...rivals], 0.5);
  const [fps, cpd] = [
    onTwoSplits("fps", tOf(0.03), 0.5),
    onTwoSplits("cpd", tOf(0.04), 0.5, -0.09),
  ];
  assert.match(told(fps)[0], /: better than random: fps/);
  assert.match(told(cpd)[0], /: better than random: cpd/);
  const lines = told(fps, cpd);
  assert.equal(
    lines[0],
    "All sizes: none is better than random; cannot be told from random: fps, cpd",
  );
  assert.match(lines[1], /: fps.*; it cannot be told from random, cpd$/);
});
