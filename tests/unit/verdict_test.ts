import assert from "node:assert/strict";
import { test } from "node:test";
import { contrasts, verdict } from "../../src/analysis/verdict.ts";

const random = [0.010, 0.012, 0.011, 0.013, 0.012, 0.011, 0.010, 0.012];

test("verdict() names what is better, worse, and what cannot be told from random", () => {
  const found = contrasts([
    { method: "random", size: 50, errors: random },
    { method: "fps", size: 50, errors: random.map((e, i) => e - 0.004 - 1e-4 * (i % 2)) },
    { method: "cpd", size: 50, errors: random.map((e, i) => e + 0.1 + 1e-3 * (i % 2)) },
    { method: "rnd", size: 50, errors: random.map((e, i) => e + (i % 2 ? 0.003 : -0.003)) },
  ], 0.5);
  assert.deepEqual(found.map(({ method }) => method), ["fps", "cpd", "rnd"]);
  assert.ok(Math.abs(found[0].mean + 0.00405) < 1e-12 && found[0].high < 0);
  assert.deepEqual(verdict(found), [
    "N = 50: better than random: fps by 4.0 meV/atom; worse: cpd by 100.5 meV/atom; " +
    "cannot be told from random: rnd",
  ]);
});

test("contrasts() needs random choice to compare with", () => {
  assert.deepEqual(contrasts([{ method: "fps", size: 50, errors: random }], 0.5), []);
});
