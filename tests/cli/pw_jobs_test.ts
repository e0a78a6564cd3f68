/** Jobs of pw.x, run where it is there, and what becomes of folders. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertClose } from "../support.ts";
import { pool, PW } from "./job_inputs.ts";
import { inFolder, runProgram } from "./program.ts";

const SPECIES = "/usr/share/espresso/pseudo";

test("jobs of pw.x: the structure is replaced, the k-mesh keeps its spacing, forces are asked for", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(3));
    writeFileSync(join(folder, "scf.in"), PW);
    const run = await runProgram(["jobs", "pool.xyz", "--template", "scf.in", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /warning: tprnfor and tstress set to \.true\./);
    assert.deepEqual(readdirSync(join(folder, "jobs")).sort(), [
      "0000",
      "0001",
      "0002",
      "jobs.csv",
      "submit.sh",
    ]);
    const input = readFileSync(join(folder, "jobs/0000/pw.in"), "utf8");
    assert.match(input, /ibrav = 0, nat = 2,/);
    assert.doesNotMatch(input, /A = 3\.0|ibrav = 1/);
    assert.match(input, /degauss = 0\.00633 ! 1000 K/);
    assert.match(input, /pseudo_dir = '\.\.\/\.\.\/pseudo'/);
    assert.match(input, /K_POINTS automatic\n {2}3 3 3 0 0 0\n/, "2 in 3.0 Å are 3 in 2.6 Å");
    assert.match(
      readFileSync(join(folder, "jobs/0002/pw.in"), "utf8"),
      /K_POINTS automatic\n {2}2 2 2 0 0 0\n/,
    );
    assert.match(
      input,
      /ATOMIC_POSITIONS angstrom\nH +0\.1000000000 +0\.2000000000 +0\.3000000000\nH .* 1\.0000000000\n$/,
    );
    writeFileSync(join(folder, "jobs/0001/pw.out"), "kept");
    const more = await runProgram(
      ["jobs", "pool.xyz", "pool.xyz@0", "--template", "scf.in", "-o", "jobs", "--chunk", "2"],
      { cwd: folder },
    );
    assert.match(more.stderr, /Made 0 jobs in jobs\/ \(3 were there\)/);
    assert.equal(readFileSync(join(folder, "jobs/0001/pw.out"), "utf8"), "kept");
    assert.match(readFileSync(join(folder, "jobs/submit.sh"), "utf8"), /--array=0-1\n/);
  }));

test("jobs of pw.x: keys behind a heading, comments, Fortran's numbers, a relative folder from anywhere", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(1));
    const template = PW.replace(
      "&CONTROL\n",
      "&control calculation = 'scf', ! tprnfor = .true.\n  ! pseudo_dir = '/elsewhere'\n",
    )
      .replace("  calculation = 'scf', ", "  ").replace(
        "ibrav = 1, A = 3.0",
        "ibrav = 1, celldm ( 1 ) = 5.66917d0, nspin=2",
      )
      .replace("conv_thr = 1.0d-6\n/", "conv_thr = 1.0d-6 /");
    writeFileSync(join(folder, "scf.in"), template);
    const run = await runProgram(["jobs", "pool.xyz", "--template", "scf.in", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    const input = readFileSync(join(folder, "jobs/0000/pw.in"), "utf8");
    assert.match(input, /calculation = 'scf'/);
    assert.match(input, /^ +tprnfor = \.true\.,$/m);
    assert.match(input, /pseudo_dir = '\.\.\/\.\.\/pseudo'/);
    assert.match(input, /nspin=2/);
    assert.doesNotMatch(input, /celldm/);
    assert.match(input, /K_POINTS automatic\n {2}3 3 3 0 0 0\n/);
    // From the folder above, as sbatch leaves it.
    writeFileSync(join(folder, "jobs/0000/pw.out"), "JOB DONE");
    mkdirSync(join(folder, "2024-old"));
    const submitted = spawnSync("sh", ["-c", "cp jobs/submit.sh copy.sh; sh copy.sh"], {
      ...{
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, SLURM_SUBMIT_DIR: folder, SLURM_ARRAY_TASK_ID: "0" },
      },
    });
    assert.equal(submitted.status, 0, submitted.stderr);
    assert.deepEqual(readdirSync(join(folder, "2024-old")), []);
  }));

test("jobs leave what is there alone, and are not made twice under one name", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(2));
    writeFileSync(join(folder, "scf.in"), PW);
    mkdirSync(join(folder, "jobs/0000"), { recursive: true });
    writeFileSync(join(folder, "jobs/0000/WAVECAR"), "mine");
    const jobs = (output: string) =>
      runProgram(["jobs", "pool.xyz", "--template", "scf.in", "-o", output], { cwd: folder });
    const there = await jobs("jobs");
    assert.equal(there.code, 2);
    assert.match(
      there.stderr,
      /Cannot make a job in "jobs\/0000": it is there, and not in jobs\.csv/,
    );
    assert.equal(readFileSync(join(folder, "jobs/0000/WAVECAR"), "utf8"), "mine");
    assert.equal((await jobs("other")).code, 0);
    writeFileSync(join(folder, "pool.xyz"), pool(2).replace("H 0.1 0.2 1\n", "H 0.1 0.2 1.1\n"));
    const edited = await jobs("other");
    assert.equal(edited.code, 2);
    assert.match(edited.stderr, /other\/0000 was made for another pool\.xyz@0/);
  }));

test("chosen frames are labelled by pw.x, and a scan of the labels finds no problem", () =>
  inFolder(async (folder) => {
    const potentials = spawnSync("ls", [SPECIES], { encoding: "utf8" }).stdout?.split("\n") ?? [];
    const own = potentials.find((name) => /^H\.pbe.*\.UPF$/.test(name));
    if (spawnSync("pw.x", ["-h"], { cwd: tmpdir() }).error || !own) {
      assert.ok(!process.env.REQUIRE_PW, "pw.x is required");
      return console.log("skipped: there is no pw.x, or no pseudopotential of hydrogen");
    }
    mkdirSync(join(folder, "pseudo"));
    writeFileSync(join(folder, "pseudo/H.UPF"), readFileSync(join(SPECIES, own)));
    writeFileSync(join(folder, "pool.xyz"), pool(5));
    writeFileSync(join(folder, "scf.in"), PW);
    const run = async (...args: string[]) => {
      const { code, stderr, stdout } = await runProgram(args, { cwd: folder });
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    await run("distill", "pool.xyz", "-n", "2", "-o", "chosen", "--backend", "cpu");
    await run("jobs", "chosen/selected.xyz", "--template", "scf.in", "-o", "jobs");
    const submitted = spawnSync("sh", ["jobs/submit.sh"], { cwd: folder, encoding: "utf8" });
    assert.equal(submitted.status, 0, submitted.stderr);
    assert.match(await run("collect", "jobs", "-o", "labelled.xyz"), /Wrote 2 of 2 frames/);
    const text = readFileSync(join(folder, "labelled.xyz"), "utf8");
    assert.match(text, /REF_energy=-3\d\.\d+ REF_stress="[^"]+" id=chosen\/selected\.xyz@0 rs=1\./);
    const forces = [...text.matchAll(/^H .*$/gm)].map(([row]) =>
      row.split(" ").slice(4).map(Number)
    );
    assertClose(forces[0], forces[1].map((x) => -x), 1e-3, "opposite forces of a molecule");
    assert.match(await run("scan", "labelled.xyz"), /No problems found/);
    // What is done is not run again, and gives the same labels.
    spawnSync("sh", ["jobs/submit.sh"], { cwd: folder });
    await run("collect", "jobs", "-o", "again.xyz");
    assert.equal(readFileSync(join(folder, "again.xyz"), "utf8"), text);
  }));
