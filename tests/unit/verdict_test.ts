import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, verdict } from "../../src/analysis/verdict.ts";
import { pairedTest } from "../../src/analysis/paired_test.ts";

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
    /^All sizes: better than random: fps by 41 % \(4\.6 meV\/atom; 95 % interval 39 to 41 %\), kmedoids by 41 % \(.*\); worse: cpd by 205 % \(.*\); cannot be told from random: rnd$/,
  );
  assert.equal(
    lines[1],
    "Least error over all sizes: fps; beyond the noise it is better than random, cpd; " +
      "it cannot be told from kmedoids, rnd",
  );
  assert.match(lines[2], /^N = 50: better than random: fps/);
});

test("contrasts() needs the other method, and two splits", () => {
  const fps = { method: "fps", size: 50, errors: random };
  assert.deepEqual(contrasts([fps], "random", 0.5), []);
  const one = (method: string) => ({ method, size: 50, errors: [0.01] });
  assert.deepEqual(verdict([one("random"), one("fps")], 0.5), []);
});
