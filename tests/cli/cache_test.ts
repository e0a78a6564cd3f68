import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FeatureCache } from "../../src/cli/input/feature_cache.ts";
import { normalNumbers } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

/** Clusters of the given elements. */
function clusters(n: number, symbols: readonly string[], seed: number): string {
  return Array.from({ length: n }, (_, f) => {
    const noise = normalNumbers(seed + f, 18);
    const rows = Array.from({ length: 6 }, (_, a) => {
      const at = [0, 1, 2].map((k) => (2 * ((a >> k) & 1) + 0.15 * noise[3 * a + k]).toFixed(6));
      return `${symbols[a % symbols.length]} ${at.join(" ")}`;
    });
    return `6\nProperties=species:S:1:pos:R:3\n${rows.join("\n")}\n`;
  }).join("");
}

test("rows of another set of elements are not taken from the cache", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), clusters(12, ["O"], 1));
    // Both sets have two elements with the pool's, so that rows have the same width, in another order.
    writeFileSync(join(folder, "carbon.xyz"), clusters(3, ["C"], 50));
    writeFileSync(join(folder, "fluorine.xyz"), clusters(3, ["F"], 60));
    const table = async (reference: string, cache: string) => {
      const args = ["distill", "pool.xyz", "-n", "4", "--reference", reference, "--backend", "cpu"];
      const { code, stderr } = await runProgram(
        [...args, "--pool", "per-element-mean", "--standardize", "none", "-o", "out", "--force"],
        { cwd: folder, env: { CPD_CACHE_DIR: join(folder, cache) } },
      );
      assert.equal(code, 0, stderr);
      return readFileSync(join(folder, "out/report.json"), "utf8").match(/"radius": .*/)![0] +
        readFileSync(join(folder, "out/frames.csv"), "utf8");
    };
    await table("carbon.xyz", "shared");
    assert.equal(await table("fluorine.xyz", "shared"), await table("fluorine.xyz", "fresh"));
    assert.ok(
      readdirSync(join(folder, "shared")).length > readdirSync(join(folder, "fresh")).length,
    );
  }));

test("the cache gives back the rows it was given, and cuts off what a killed run left", () =>
  inFolder((folder) => {
    const key = ["a", "b"];
    const rows = [[1.5, -2], [Math.PI, 1e-300], [3, 4]].map((row) => Float64Array.from(row));
    const write = new FeatureCache(key, 2, folder);
    rows.forEach((row, i) => write.append(10 + i, row));
    write.close();
    const [file] = readdirSync(folder);
    appendFileSync(join(folder, file), new Uint8Array(11));
    const read = new FeatureCache(key, 2, folder);
    assert.deepEqual([...read.rows.keys()], [10, 11, 12]);
    rows.forEach((row, i) => assert.deepEqual([...read.rows.get(10 + i)!], [...row]));
    assert.equal(readFileSync(join(folder, file)).length, 3 * 20, "the broken record is cut off");
    // Every word of the key counts, and so does the width.
    for (
      const [other, width] of [[["a", "c"], 2], [["ab"], 2], [["a", "b", ""], 2], [key, 1]] as const
    ) {
      assert.equal(new FeatureCache(other, width, folder).rows.size, 0);
    }
    return Promise.resolve();
  }));
