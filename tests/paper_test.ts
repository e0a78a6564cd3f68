/** The scripts of bench/paper, each in a shortened run on the sample. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inFolder } from "./cli/program.ts";
import { projectPath } from "./support.ts";

const SAMPLE = projectPath("data/hydrogen-1000K-labelled.xyz.gz");
const MODEL = projectPath("data/hydrogen-small.safetensors");

/** Runs a script with this Deno; null, with a printed reason, under other runtimes. */
function script(name: string, args: readonly string[], cwd: string): string | null {
  if (!("Deno" in globalThis)) {
    console.log(`skipped: ${name} calls deno`);
    return null;
  }
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const run = spawnSync("sh", [projectPath(`bench/paper/${name}`), ...args], {
    ...{ cwd, encoding: "utf8" },
    env: { ...process.env, PATH: path, CPD_CACHE_DIR: join(cwd, "cache") },
  });
  assert.equal(run.status, 0, `${name}\n${run.stdout}\n${run.stderr}`);
  return run.stdout;
}

test("figure 2: composition and pair distributions by density", () =>
  inFolder((folder) => {
    if (script("figure_2.sh", ["out", `${SAMPLE}@::6`], folder) !== null) {
      for (const name of ["rdf.csv", "figures/rdf.svg", "figures/composition.svg"]) {
        assert.ok(existsSync(join(folder, "out/figure_2", name)), name);
      }
    }
    return Promise.resolve();
  }));

test("figure 3: methods judged by fine-tuned models and by the cheap regressors", () =>
  inFolder((folder) => {
    const options = [
      "-n",
      "3,4",
      "--epochs",
      "1",
      "--methods",
      "fps,cpd-spread,random",
      "--test",
      "0.2",
    ];
    const args = ["out", "short", MODEL, ...options, "--", `${SAMPLE}@:20`];
    if (script("figure_3.sh", args, folder) !== null) {
      const { fine_tuning } = JSON.parse(
        readFileSync(join(folder, "out/short/compare.json"), "utf8"),
      );
      assert.ok(
        fine_tuning.forces.rank_correlation.low <= fine_tuning.forces.rank_correlation.high,
      );
      assert.ok(existsSync(join(folder, "out/short/trained_forces.svg")));
    }
    return Promise.resolve();
  }));

test("figure 4: pressures and molecular fractions by models of each method", () =>
  inFolder((folder) => {
    const settings = [
      "6",
      "2",
      "1",
      "30",
      "1.36,1.4",
      `${SAMPLE}@20`,
      "random cpd-spread",
      `${SAMPLE}@:20`,
    ];
    const stdout = script("figure_4.sh", ["out", MODEL, MODEL, ...settings], folder);
    if (stdout !== null) {
      assert.match(stdout, /\| r_s \| reference \| random \| cpd-spread \| start \|/);
      assert.ok(existsSync(join(folder, "out/pressure.svg")));
      assert.ok(existsSync(join(folder, "out/random-1/model/figures")));
    }
    return Promise.resolve();
  }));
