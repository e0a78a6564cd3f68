import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../src/backend.ts";
import type { ComparePool } from "../../src/compare.ts";
import { RequestError } from "../../src/errors.ts";
import { matrix } from "../../src/matrix.ts";
import { type SizeOptions, suggestSize } from "../../src/suggest_size.ts";
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
  const found = await suggest(pool(200, "smooth"));
  assert.equal(found.criterion, "energy");
  const size = found.size!;
  assert.ok(size > 10 && size < 140, `${size}`);
  // From the proposed size on all are within the margin, and the one before is not.
  const at = found.rows.findIndex((row) => row.size === size);
  assert.ok(found.rows.slice(at).every(({ upper }) => upper <= OPTIONS.margin));
  assert.ok(found.rows[at - 1].upper > OPTIONS.margin);
  assert.ok(found.rows.every(({ excess, upper }) => upper >= excess));
  assert.match(found.reason, new RegExp(`^${size} frames give .* meV/atom on held-out frames`));
  const wider = await suggest(pool(200, "smooth"), { ...OPTIONS, margin: 0.3 });
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
