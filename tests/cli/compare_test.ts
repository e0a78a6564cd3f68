import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { METHODS } from "../../src/select/method.ts";
import { normalNumbers, projectPath, randomNumbers } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

/** Frames of 4 atoms whose energy is a function of one distance. */
function labelled(n: number, withEnergy = true): string {
  const noise = normalNumbers(5, 12 * n);
  const u = randomNumbers(6, n);
  return Array.from({ length: n }, (_, i) => {
    const bond = 0.7 + 0.5 * u[i];
    const side = 3 + 0.4 * Math.sin(i);
    const at = [[0, 0, 0], [bond, 0, 0], [1.4, 1.4, 1.4], [1.4, 1.4, 1.4 + bond]];
    const rows = at.map((r, a) =>
      `H ${r.map((x, k) => (x + 0.02 * noise[12 * i + 3 * a + k]).toFixed(6)).join(" ")}`
    );
    const cell = [side, 0, 0, 0, side, 0, 0, 0, side].join(" ");
    const energy = withEnergy ? ` energy=${4 * (bond - 0.9) ** 2 - 40}` : "";
    return `4\nLattice="${cell}" Properties=species:S:1:pos:R:3 run=${
      Math.floor(i / 12)
    }${energy}\n${rows.join("\n")}\n`;
  }).join("");
}

test("compare writes a table, a verdict and figures; the same seed repeats them", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), labelled(120));
    const args = ["compare", "pool.xyz", "-n", "10,30", "--splits", "4", "--seeds", "2"];
    const run = (out: string) =>
      runProgram([...args, "--group-by", "run", "--backend", "cpu", "-o", out], { cwd: folder });
    const first = await run("a");
    assert.equal(first.code, 0, first.stderr);
    const panels = METHODS.map((method) => `panel_${method}.svg`);
    const curves = ["coverage.svg", "covering_radius.svg", "learning_curves.svg"];
    const files = ["compare.csv", "compare.json", "report.html", ...curves, ...panels];
    assert.deepEqual(readdirSync(join(folder, "a")).sort(), files.sort());
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const [head, ...rows] = read("a/compare.csv").trim().split("\n").map((line) => line.split(","));
    // 4 splits, 2 sizes; direct and fps have one seed, the five others two.
    assert.equal(rows.length, 4 * 2 * (2 * 1 + 5 * 2));
    const krr = rows.map((row) => Number(row[head.indexOf("krr_rmse")]));
    assert.ok(krr.every((e) => e > 0 && e < 1));
    const report = JSON.parse(read("a/compare.json"));
    assert.equal(report.rows.length, 14);
    assert.equal(report.contrasts.length, 18); // six methods, over all sizes and at two
    assert.equal(report.verdict.length, 4);
    for (const { method, errors, test_distance } of report.rows) {
      assert.ok(test_distance.every((d: number) => d > 0));
      const drawn = !["direct", "fps"].includes(method);
      assert.equal(errors.krr_seed_deviation.some((d: number) => d > 0), drawn, method);
    }
    const mean = (values: number[]) => values.reduce((s, v) => s + v, 0) / values.length;
    const pool = (name: string) =>
      mean(report.from_pool.find((row: { name: string }) => row.name === name).rmse);
    // The energy is a smooth function of the structure: descriptors beat baselines that see none.
    assert.ok(pool("krr") < 0.5 * pool("constant"), `${pool("krr")} ${pool("constant")}`);
    assert.match(
      first.stdout,
      /^Errors of energies on held-out frames, meV\/atom; seeds: .*\nmethod +N +krr +seeds/,
    );
    assert.match(first.stderr, /N = 30: /);
    assert.match(read("a/learning_curves.svg"), /<polyline[^>]*>[\s\S]*random/);
    const dots = read("a/panel_cpd.svg").match(/<circle/g)!.length;
    assert.equal(dots, report.n_pool + 30);
    assert.equal(read("a/report.html").match(/<svg/g)!.length, 3 + METHODS.length);
    assert.match(first.stderr, /All sizes: /);
    const second = await run("b");
    assert.equal(second.code, 0, second.stderr);
    assert.equal(read("b/compare.csv"), read("a/compare.csv"));
  }));

test("compare chooses within strata where asked to", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), labelled(120));
    const args = ["compare", "pool.xyz", "-n", "12", "--splits", "2", "--seeds", "1"];
    const { code, stderr } = await runProgram(
      [...args, "--stratify", "auto", "--methods", "cpd-spread,random", "-o", "a"],
      { cwd: folder },
    );
    assert.equal(code, 0, stderr);
  }));

test("compare without energies measures coverage only, and says so", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), labelled(60, false));
    const args = ["compare", "pool.xyz", "-n", "10", "--methods", "fps,random", "--backend", "cpu"];
    const { code, stdout, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /no energies in every frame \(names of cpd help units; --energy-key takes another name\): cov/,
    );
    assert.doesNotMatch(stdout, /NaN|Errors/);
  }));

test("compare of random alone has no verdict, and says so", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), labelled(60));
    const args = ["compare", "pool.xyz", "-n", "10", "--splits", "2", "--backend", "cpu"];
    for (const methods of ["random", "fps"]) {
      const out = ["--methods", methods, "-o", methods];
      const { code, stderr } = await runProgram([...args, ...out], { cwd: folder });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /warning: no verdict: random is not among the methods/);
    }
  }));

const REFUSED: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /-n N,N,\.\.\., the numbers of frames to choose, is missing/],
  [["-n", "10,x"], 2, /Cannot use --select "x"/],
  [["-n", "10", "--methods", "cpd,birch"], 2, /Cannot use --methods "birch"/],
  [["-n", "10", "--method", "cpd"], 2, /Unknown option '--method'/],
  [["-n", "10", "--splits", "1"], 2, /Cannot use --splits "1"/],
  [
    ["-n", "50"],
    4,
    /Cannot choose 50 frames from a pool of 45: 15 of 60 unique frames are held out/,
  ],
  [["-n", "10", "--energy-key", "e0"], 3, /@0: its comment line has no key "e0" for --energy-key/],
  [["-n", "10", "--energy-key", "name"], 3, /its comment line has no key "name"/],
];

for (const [args, code, message] of REFUSED) {
  test(`compare ${args.join(" ")} exits with ${code}`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "pool.xyz"), labelled(60));
      const run = await runProgram(["compare", "pool.xyz", ...args, "--backend", "cpu"], {
        cwd: folder,
      });
      assert.match(run.stderr, message);
      assert.equal(run.code, code, run.stderr);
      assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("cpd")), []);
    }));
}

test("compare --train fine-tunes on every selection, and goes on where it was interrupted", () =>
  inFolder(async (folder) => {
    const sample = projectPath("data/hydrogen-1000K-labelled.xyz.gz");
    const args = [
      ...["compare", `${sample}@:12`, "-n", "3,4", "--methods", "cpd-spread,fps,random"],
      ...["--splits", "2", "--seeds", "1", "--backend", "cpu", "--epochs", "1"],
      ...["--train", "--model", projectPath("data/hydrogen-small.safetensors")],
    ];
    const whole = await runProgram([...args, "-o", "whole"], { cwd: folder });
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stderr, /Fine-tuning: 14 trainings of 1 epochs, 26 steps of 2 frames/);
    assert.match(whole.stderr, /Fine-tuned, forces: All sizes: /);
    assert.match(whole.stderr, /Fine-tuned, forces: kernel ridge .* rank correlation of -?\d/);
    const files = readdirSync(join(folder, "whole"));
    for (const name of ["trained_energies.svg", "trained_forces.svg"]) {
      assert.ok(files.includes(name));
    }
    assert.ok(!files.includes("restart") && !files.includes("lock"), files.join());
    const table = readFileSync(join(folder, "whole/compare.csv"), "utf8");
    const [head, ...rows] = table.trim().split("\n").map((line) => line.split(","));
    assert.equal(rows.length, 12);
    const forces = rows.map((row) => Number(row[head.indexOf("trained_forces_rmse")]));
    assert.ok(forces.every((f) => f > 0.1 && f < 2), forces.join());
    const { fine_tuning } = JSON.parse(readFileSync(join(folder, "whole/compare.json"), "utf8"));
    assert.equal(fine_tuning.forces.contrasts.length, 6);
    assert.equal(fine_tuning.before.forces_rmse.length, 2);
    const stopped = await runProgram([...args, "-o", "parts"], {
      ...{ cwd: folder, interruptAt: /Fine-tuning: / },
    });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stderr, /Interrupted; the same command goes on/);
    const other = await runProgram([...args, "-o", "parts", "--learning-rate", "0.1"], {
      cwd: folder,
    });
    if (readdirSync(join(folder, "parts")).includes("restart")) assert.equal(other.code, 2);
    const last = await runProgram([...args, "-o", "parts"], { cwd: folder });
    assert.equal(last.code, 0, last.stderr);
    assert.equal(readFileSync(join(folder, "parts/compare.csv"), "utf8"), table);
  }));

test("compare --readout-forces judges the ridge regression by forces, and is held against trained models", () =>
  inFolder(async (folder) => {
    const sample = `${projectPath("data/hydrogen-1000K-labelled.xyz.gz")}@:12`;
    const model = projectPath("data/hydrogen-small.safetensors");
    const base = [
      "compare",
      sample,
      "-n",
      "3,4",
      "--splits",
      "2",
      "--seeds",
      "1",
      "--backend",
      "cpu",
    ];
    const args = [
      ...base,
      "--methods",
      "cpd-spread,fps,random",
      "--model",
      model,
      "--readout-forces",
    ];
    const run = await runProgram([...args, "--train", "--epochs", "1", "-o", "both"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Ridge regression, forces: All sizes: /);
    assert.match(
      run.stderr,
      /the forces of ridge regression ranks the methods with a rank correlation of/,
    );
    assert.match(run.stdout, /forces: of ridge regression, meV\/Å/);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const table = read("both/compare.csv").trim().split("\n").map((line) => line.split(","));
    const column = table[0].indexOf("readout_forces_rmse");
    assert.ok(table.slice(1).every((row) => Number(row[column]) > 0));
    const { rows } = JSON.parse(read("both/compare.json"));
    assert.equal(rows[0].readout_forces_rmse.length, 2);
    const built = await runProgram([
      ...base,
      "--methods",
      "fps,random",
      "--model",
      "built-in",
      "--readout-forces",
      "-o",
      "b",
    ], {
      cwd: folder,
    });
    assert.equal(built.code, 0, built.stderr);
    const other = await runProgram([...args, "--pool", "mean-std", "-o", "c"], { cwd: folder });
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /Cannot use --readout-forces with --features or another --pool than mean/,
    );
  }));

test("compare --train refuses what it cannot learn from", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), labelled(20));
    const base = ["compare", "pool.xyz", "-n", "4", "--backend", "cpu"];
    const model = projectPath("data/hydrogen-small.safetensors");
    const without = await runProgram([...base, "--train", "--model", model], { cwd: folder });
    assert.equal(without.code, 3);
    assert.match(
      without.stderr,
      /pool\.xyz@0: it cannot be learnt from: it has no forces; --forces-key/,
    );
    const idle = await runProgram([...base, "--epochs", "3"], { cwd: folder });
    assert.equal(idle.code, 2);
    assert.match(idle.stderr, /Cannot use --epochs without --train/);
    const start = await runProgram([...base, "--train"], { cwd: folder });
    assert.equal(start.code, 2);
    assert.match(start.stderr, /the model to start from, --model or --train-model, is missing/);
  }));
