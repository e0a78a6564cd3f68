import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inFolder, runProgram } from "../cli/program.ts";
import { projectPath } from "../support.ts";

const EXECUTABLE = process.env.CPD_EXECUTABLE ?? "";

test("the executable runs from an empty folder with no PATH, and chooses the same frames", () =>
  inFolder(async (folder) => {
    if (!existsSync(EXECUTABLE)) {
      assert.notEqual(process.env.REQUIRE_EXECUTABLE, "1", "CPD_EXECUTABLE names no file");
      console.log("skipped: the executable: CPD_EXECUTABLE names none");
      return;
    }
    const home = join(folder, "home");
    mkdirSync(home);
    const driver = process.env.CPD_BUN_ICD;
    const env = { HOME: home, PATH: "", ...(driver ? { VK_ICD_FILENAMES: driver } : {}) };
    const run = (...args: string[]) =>
      spawnSync(EXECUTABLE, args, { cwd: folder, env, encoding: "utf8" });
    const demo = run("demo", "--backend", "cpu");
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stderr, /Chose 50 of 273 frames/);
    const chosen = readFileSync(join(folder, "cpd-sample/selected.xyz"), "utf8");
    const sample = projectPath("data/hydrogen-1000K.xyz.gz");
    const args = ["distill", sample, "-n", "50", "-o", "out", "--backend", "cpu"];
    const checkout = await runProgram(args, { cwd: folder });
    assert.equal(checkout.code, 0, checkout.stderr);
    assert.equal(chosen, readFileSync(join(folder, "out/selected.xyz"), "utf8"));
    const doctor = run("doctor", "--allow-software");
    assert.equal(doctor.status, 0, doctor.stderr + doctor.stdout);
    assert.doesNotMatch(doctor.stdout, /FAILED/);
    // It carries Dawn: with a driver the WGSL runs, too.
    if (driver) assert.match(doctor.stdout, /^ok +gpu +neighbor_count/m);
    assert.equal(run("scan", sample, "--strict").status, 0);
    // Libraries that are loaded where they are needed.
    const hdf5 = run("convert", projectPath("tests/golden/vaspout_relax.h5"), "-o", "h5.xyz");
    assert.equal(hdf5.status, 0, hdf5.stderr);
    // A carried binary measures any machine.
    const speed = run("doctor", "--speed", "--json", "--threads", "1");
    assert.equal(speed.status, 0, speed.stderr + speed.stdout);
    const { speeds } = JSON.parse(speed.stdout) as { speeds: { name: string; median: number }[] };
    assert.deepEqual(speeds.slice(0, 3).map(({ name }) => name), [
      ...["descriptors", "energies, forces", "training step"],
    ]);
    assert.ok(speeds.every(({ median }) => median > 0));
    const labelled = `${projectPath("data/hydrogen-1000K-labelled.xyz.gz")}@:5`;
    const trained = run(
      "train",
      labelled,
      "--model",
      "hydrogen-small",
      "--e0s",
      "average",
      "--epochs",
      "1",
    );
    assert.equal(trained.status, 0, trained.stderr);
    assert.ok(existsSync(join(folder, "cpd-train/model.safetensors")));
    assert.equal(run("distill").status, 2);
    console.log(`measured: the executable has ${(statSync(EXECUTABLE).size / 1e6).toFixed(0)} MB`);
  }));
