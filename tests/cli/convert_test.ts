/** Other formats as inputs of every command. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { outcar, PW, step, vasprun } from "../formats/reading.ts";
import { inFolder, runProgram } from "./program.ts";

/** A campaign: two runs of VASP, one of them with both outputs, and a folder of other things. */
function campaign(folder: string): void {
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  write("runs/1/OUTCAR", outcar(3));
  write("runs/1/vasprun.xml", vasprun(3));
  write("runs/1/POSCAR", "H2\n1\n4 0 0\n0 4 0\n0 0 4\nH\n2\nDirect\n0 0 0\n0 0 0.2\n");
  write("runs/2/OUTCAR.gz", gzipSync(outcar(2)));
  write("runs/notes/readme.txt", "not a frame");
}

const energies = (text: string) =>
  [...text.matchAll(/REF_energy=(\S+)/g)].map(([, e]) => Number(e));

test("convert searches folders, and writes labels under the names of MACE", () =>
  inFolder(async (folder) => {
    campaign(folder);
    const run = await runProgram(["convert", "runs", "-o", "all.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /runs\/1\/vasprun\.xml: of the same run OUTCAR is not read/);
    assert.match(run.stderr, /runs\/2\/OUTCAR\.gz: VASP OUTCAR, 2 frames/);
    assert.match(run.stderr, /Wrote 5 frames to all\.xyz: energy of 5, forces of 5, stress of 5/);
    const text = readFileSync(join(folder, "all.xyz"), "utf8");
    assert.deepEqual(energies(text), [1, 2, 3, 1, 2].map((n) => step(n).energy));
    assert.match(text, /Properties=species:S:1:pos:R:3:REF_forces:R:3 /);
    const again = await runProgram(["convert", "all.xyz", "-o", "same.xyz"], { cwd: folder });
    assert.equal(again.code, 0, again.stderr);
    assert.equal(readFileSync(join(folder, "same.xyz"), "utf8"), text, "canonical is canonical");
    const exists = await runProgram(["convert", "runs", "-o", "all.xyz"], { cwd: folder });
    assert.equal(exists.code, 2);
    assert.match(exists.stderr, /it exists; use --force/);
  }));

test("distill, scan and evaluate's kin read a folder of VASP runs directly; ids are those of the outputs", () =>
  inFolder(async (folder) => {
    campaign(folder);
    const args = ["distill", "runs", "-n", "2", "-o", "chosen", "--backend", "cpu"];
    const run = await runProgram(args, { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    const ids = readFileSync(join(folder, "chosen/selected.txt"), "utf8").trim().split("\n");
    assert.ok(ids.every((id) => /^runs\/(1\/vasprun\.xml|2\/OUTCAR\.gz)@\d$/.test(id)), ids.join());
    const selected = readFileSync(join(folder, "chosen/selected.xyz"), "utf8");
    assert.equal(energies(selected).length, 2);
    const report = JSON.parse(readFileSync(join(folder, "chosen/report.json"), "utf8"));
    assert.equal(report.inputs.length, 2);
    assert.ok(
      report.inputs.every(({ sha256 }: { sha256: string }) => /^[0-9a-f]{64}$/.test(sha256)),
    );
    const scan = await runProgram(["scan", "runs/2"], { cwd: folder });
    assert.equal(scan.code, 0, scan.stderr);
    // What was written into the folder is not read from there again.
    const inside = () =>
      runProgram(["distill", ".", "-n", "2", "-o", "chosen", "--force", "--backend", "cpu"], {
        cwd: folder,
      });
    assert.equal((await inside()).code, 0);
    assert.match((await inside()).stderr, /Frames: 5 in 2 files/);
    assert.match(scan.stdout, /REF_stress: stress, eV\/Å³, tension positive/);
    assert.ok(!readdirSync(folder).some((name) => name.includes("partial")));
  }));

test("a cut file is a warning, and with --strict an error; slices and empty folders", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "OUTCAR"), outcar(3).slice(0, -400));
    const run = await runProgram(["convert", "OUTCAR@:1", "-o", "a.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /warning: OUTCAR: step 3 is cut short at line \d+/);
    assert.equal(energies(readFileSync(join(folder, "a.xyz"), "utf8")).length, 1);
    const strict = await runProgram(["convert", "OUTCAR", "-o", "b.xyz", "--strict"], {
      cwd: folder,
    });
    assert.equal(strict.code, 3);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("b.xyz")), []);
    for (const name of ["a", "b"]) mkdirSync(join(folder, "runs", name), { recursive: true });
    writeFileSync(join(folder, "runs/a/OUTCAR"), outcar(2));
    writeFileSync(join(folder, "runs/b/OUTCAR"), outcar(1).slice(0, -1200));
    writeFileSync(join(folder, "runs/b/touched.xyz"), "");
    const runs = await runProgram(["convert", "runs", "-o", "runs.xyz"], { cwd: folder });
    assert.equal(runs.code, 0, runs.stderr);
    assert.match(runs.stderr, /runs\/b\/OUTCAR: it holds no frame and is left out/);
    assert.equal(energies(readFileSync(join(folder, "runs.xyz"), "utf8")).length, 2);
    mkdirSync(join(folder, "empty"));
    const empty = await runProgram(["convert", "empty", "-o", "c.xyz"], { cwd: folder });
    assert.equal(empty.code, 3);
    assert.match(empty.stderr, /empty: no file in this folder is of a format that is read/);
  }));

test("of a run of Quantum ESPRESSO one file is read, and of cp.x none that is not whole", () =>
  inFolder(async (folder) => {
    for (const name of ["pw/h.save", "cp/w.save"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, "pw/pw.out"), PW);
    for (
      const name of ["pw/h.xml", "pw/h.save/data-file-schema.xml", "cp/w.save/data-file-schema.xml"]
    ) {
      writeFileSync(join(folder, name), '<qes:espresso><creator NAME="CP">');
    }
    const row = (x: number) => `   ${x}E+00    0.20E+00    0.30E+00\n`;
    writeFileSync(join(folder, "cp/w.pos"), `      10    0.00096755\n${row(0.1)}${row(1.2)}`);
    writeFileSync(
      join(folder, "cp/cp.out"),
      " Program CP v.6.7MaX\n a1 = 9 0 0\n a2 = 0 9 0\n a3 = 0 0 9\n * Physical Quantities at step: 10\n" +
        ` ATOMIC_POSITIONS\n H${row(0.1)} H${row(1.2)} Forces acting on atoms\n H${row(0)} H${
          row(0)
        }\n`,
    );
    const run = await runProgram(["convert", "pw", "cp", "-o", "a.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stderr,
      /pw\/pw\.out: of the same run pw\/h\.save\/data-file-schema\.xml, h\.xml are not/,
    );
    assert.match(
      run.stderr,
      /cp\/w\.pos: of the same run cp\.out, cp\/w\.save\/data-file-schema\.xml are not/,
    );
    assert.equal([...readFileSync(join(folder, "a.xyz"), "utf8").matchAll(/Lattice/g)].length, 2);
  }));

test("convert: units are converted, other keys stay, columns that are lost are named", () =>
  inFolder(async (folder) => {
    const text =
      '1\nProperties=species:S:1:pos:R:3:charge:R:1:force:R:3 Energy=-1 energy-unit=hartree tag="a b" ' +
      'Lattice="4 0 0 0 4 0 0 0 4" virial="64 0 0 0 64 0 0 0 64" config_type=bulk\nH 0 0 0 0.5 1 2 3\n';
    writeFileSync(join(folder, "x.xyz"), text);
    const run = await runProgram(["convert", "x.xyz", "-o", "y.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /warning: columns that are not written: charge/);
    const written = readFileSync(join(folder, "y.xyz"), "utf8");
    assert.ok(Math.abs(energies(written)[0] + 27.211386245988) < 1e-9, written);
    assert.match(written, /REF_stress="-1 0 0 0 -1 0 0 0 -1"/);
    assert.match(written, /tag="a b"/);
    assert.match(written, /config_type=bulk/);
    assert.doesNotMatch(written, /energy-unit|virial/);
    assert.match(written, /^H 0 0 0 1 2 3$/m);
  }));
