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

/** XML of pw.x with two hydrogen atoms and an energy, Hartree. */
const xml = (energy: number) =>
  "<qes:espresso><output><atomic_structure><atomic_positions>" +
  '<atom name="H" index="1">1 2 3</atom><atom name="H" index="2">2 2 3</atom></atomic_positions>' +
  `<cell><a1>8 0 0</a1><a2>0 10 0</a2><a3>0 0 12</a3></cell></atomic_structure><etot>${energy}</etot>` +
  "</output></qes:espresso>";

test("of a run of Quantum ESPRESSO one file of a folder is read, and every other run", () =>
  inFolder(async (folder) => {
    const write = (name: string, text: string) => {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    write("pw/pw.out", PW);
    for (const copy of ["pw/tmp/h.xml", "pw/tmp/h.save/data-file-schema.xml"]) {
      write(copy, xml(-1.15));
    }
    write("pw/tmp/other.save/data-file-schema.xml", xml(-1.25));
    const row = (x: number) => `   ${x}E+00    0.20E+00    0.30E+00\n`;
    write("cp/w.pos", `      10    0.00096755\n${row(0.1)}${row(1.2)}`);
    const text = (step: number, x: number) =>
      " Program CP v.6.7MaX\n a1 = 9 0 0\n a2 = 0 9 0\n a3 = 0 0 9\n" +
      ` * Physical Quantities at step:    ${step}\n   total energy =      -1.5 Hartree a.u.\n` +
      `   ATOMIC_POSITIONS\n   H${row(0.1)}   H${row(x)}\n` +
      `   Forces acting on atoms (au):\n   H${row(0)}   H${row(0)}\n`;
    write("cp/cp.out", text(10, 1.2));
    write("cp/another.out", text(10, 1.3));
    const run = await runProgram(["convert", "pw", "cp", "-o", "a.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stderr,
      /pw\/pw\.out: of the same run pw\/tmp\/h\.save\/data-file-schema\.xml, pw\/tmp\/h\.xml are not read/,
    );
    assert.match(run.stderr, /cp\/w\.pos: of the same run cp\.out is not read/);
    const written = readFileSync(join(folder, "a.xyz"), "utf8");
    assert.equal([...written.matchAll(/Lattice/g)].length, 4, "pw.out, other, another.out, w.pos");
  }));

test("in a folder a file that cannot be read, or has no step, does not keep others from being read", () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, "runs"));
    const write = (name: string, content: string | Uint8Array) =>
      writeFileSync(join(folder, "runs", name), content);
    write("OUTCAR", outcar(2));
    write("vasprun.xml", "<modeling>\n");
    write("wave.h5", "\x89HDF\r\n\x1a\n and no more");
    write(
      "x.data",
      "data\n\n1 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtoms\n\n1 1 0 0 0\n",
    );
    write("log.lammps", "thermo_style custom step xlo xhi\n24 atoms in group\n");
    const args = ["convert", "runs", "-o", "a.xyz", "--force"];
    const run = await runProgram(args, { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /runs\/OUTCAR: of the same run vasprun\.xml is not read/);
    assert.match(run.stderr, /warning: runs\/x\.data: its atoms have types .*; it is left out/);
    assert.doesNotMatch(run.stderr, /log\.lammps/);
    assert.equal(energies(readFileSync(join(folder, "a.xyz"), "utf8")).length, 2);
    const strict = await runProgram([...args, "--strict"], { cwd: folder });
    assert.equal(strict.code, 3);
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
