import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { wigner3j } from "../../src/model/couplings.ts";
import { NO_FACTOR } from "../../src/model/mace_model.ts";
import { sharedPath } from "../support.ts";

function tables() {
  const path = sharedPath("reference/mace/couplings_lmax3.json");
  return path && JSON.parse(readFileSync(path, "utf8"));
}

test("wigner3j() has norm 1 and equals e3nn 0.4.4 in every element", () => {
  const golden = tables();
  if (!golden) return;
  const triples = Object.entries(golden["w3j_e3nn_0.4.4"]) as [string, number[][]][];
  for (const [key, elements] of triples) {
    const [l1, l2, l3] = key.split("_").map(Number);
    const found = new Map(wigner3j(l1, l2, l3).map(([a, b, k, w]) => [`${a},${b},${k}`, w]));
    assert.equal(found.size, elements.length, key);
    let norm = 0;
    for (const [a, b, k, value] of elements) {
      const mine = found.get(`${a},${b},${k}`);
      assert.ok(mine !== undefined && Math.abs(mine - value) <= 1e-14, `${key} ${a}${b}${k}`);
      norm += mine * mine;
    }
    assert.ok(Math.abs(norm - 1) < 1e-13);
  }
});

test("symmetrised U matrices of a checkpoint equal the published monomials", () => {
  const golden = tables();
  const path = sharedPath("reference/mace/density_c16.model");
  if (!golden || !path) return;
  const { model } = loadMace(path);
  for (const contraction of model.layers[0].contractions) {
    const table = golden[`L${contraction.l}`];
    const first = [0, table.K[0], table.K[0] + table.K[1]];
    const expected = new Map<string, number>();
    table.polys.forEach((terms: { m: number[]; terms: number[][] }[], component: number) => {
      for (const { m, terms: values } of terms) {
        for (const [order, k, value] of values) {
          expected.set(`${component}|${m}|${first[order - 1] + k}`, value);
        }
      }
    });
    let found = 0;
    for (let t = 0; t < contraction.nTerms; t++) {
      const factors = [...contraction.indices.subarray(3 * t, 3 * t + 3)]
        .filter((i) => i !== NO_FACTOR);
      for (let k = 0; k < contraction.nPaths; k++) {
        const value = contraction.basis[t * contraction.nPaths + k];
        if (value === 0) continue;
        const known = expected.get(`${contraction.component[t]}|${factors}|${k}`);
        assert.ok(
          known !== undefined && Math.abs(known - value) < 1e-13,
          `l ${contraction.l} ${t}`,
        );
        found++;
      }
    }
    assert.equal(found, expected.size);
  }
});
