import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../src/backend.ts";
import { matrix } from "../../src/matrix.ts";
import { distill } from "../../src/pipeline.ts";
import { representatives } from "../../src/select/duplicates.ts";
import { DEFAULTS } from "../options.ts";

test("the rim holds no frame within r_c of the reference set, whatever r_c is", async () => {
  // Points on a line, one of them far from the others, where the reference set is.
  const places = [...Array.from({ length: 30 }, (_, i) => 0.37 * i), 20, 20.3, 20.9, 21.5, 22.5];
  const features = matrix(places.length, 1, Float64Array.from(places));
  const reference = matrix(1, 1, Float64Array.of(19.5));
  for (const radius of [0.6, 1.2, 2.2]) {
    const { pool } = await distill(
      {
        frames: places.map((_, index) => ({ file: "x", index })),
        ...{ features, reference, strata: null, keep: [] },
      },
      {
        ...DEFAULTS,
        ...{ method: "cpd-spread", select: 12, radius, central: 0.1, peripheral: 0.9 },
        standardization: "none",
        components: { kind: "count", count: 1 },
      },
      referenceBackend,
    );
    places.forEach((x, i) => {
      if (pool[i] === "central") return;
      assert.equal(
        pool[i] === "peripheral",
        Math.abs(x - 19.5) > radius,
        `${x} with r_c ${radius}`,
      );
    });
  }
});

test("rows closer than 1e-6 of the root mean square norm are one configuration, others are not", () => {
  const rows = 40;
  const norm = 5;
  const at = (apart: number) => {
    const x = matrix(rows, 3);
    for (let i = 0; i < rows; i++) {
      // On a sphere of radius 5, so that every norm is the root mean square.
      const [a, b] = [0.3 + 0.05 * Math.floor(i / 2), 1 + 0.11 * Math.floor(i / 2)];
      const shifted = a + (i % 2) * apart;
      x.data.set([
        norm * Math.sin(shifted) * Math.cos(b),
        norm * Math.sin(shifted) * Math.sin(b),
        norm * Math.cos(shifted),
      ], 3 * i);
    }
    return [...representatives(x)];
  };
  const paired = Array.from({ length: rows }, (_, i) => i - i % 2);
  assert.deepEqual(at(0.8e-6), paired);
  assert.deepEqual(at(1.25e-6), Array.from({ length: rows }, (_, i) => i));
});
