/** Jobs that label frames, and what becomes of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CELL, outcar, step } from "../formats/reading.ts";
import { assertClose } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const SPECIES = "/usr/share/espresso/pseudo";

const PW = `&CONTROL
  calculation = 'scf', prefix = 'h', pseudo_dir = './pseudo', outdir = './tmp'
/
&SYSTEM
  ibrav = 1, A = 3.0, nat = 2, ntyp = 1
  ecutwfc = 20, occupations = 'smearing', smearing = 'fermi-dirac', degauss = 0.00633 ! 1000 K
/
&ELECTRONS
  conv_thr = 1.0d-6
/
ATOMIC_SPECIES
H 1.008 H.UPF
ATOMIC_POSITIONS angstrom
H 0 0 0
H 0 0 0.74
K_POINTS automatic
2 2 2 0 0 0
`;

/** Two atoms in cubes of growing width. */
function pool(n: number): string {
  return Array.from({ length: n }, (_, i) => {
    const side = 2.6 + 0.2 * i;
    return `2\nLattice="${side} 0 0 0 ${side} 0 0 0 ${side}" Properties=species:S:1:pos:R:3 rs=1.${i} pbc="T T T"\n` +
      `H 0.1 0.2 0.3\nH 0.1 0.2 ${1 + 0.05 * i}\n`;
  }).join("");
}

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

test("chosen frames are labelled by pw.x, and a scan of the labels finds no problem", () =>
  inFolder(async (folder) => {
    const potentials = spawnSync("ls", [SPECIES], { encoding: "utf8" }).stdout?.split("\n") ?? [];
    const own = potentials.find((name) => /^H\.pbe.*\.UPF$/.test(name));
    if (spawnSync("pw.x", ["-h"]).error || !own) {
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

const POTCAR = ["O 08Apr2002", "H 15Jun2001"]
  .map((name) =>
    `  PAW_PBE ${name}\n   TITEL  = PAW_PBE ${name}\n  data of ${name}\n End of Dataset\n`
  ).join("");

function vasp(folder: string, incar = "ENCUT = 400\nISMEAR = 0\n"): void {
  mkdirSync(join(folder, "vasp"));
  const write = (name: string, text: string) => writeFileSync(join(folder, "vasp", name), text);
  write("INCAR", incar);
  write("POTCAR", POTCAR);
  write("KPOINTS", "mesh\n0\nGamma\n2 2 2\n0 0 0\n");
  write("POSCAR", "H\n1.0\n4 0 0\n0 4 0\n0 0 4\nH\n1\nDirect\n0 0 0\n");
}

test("jobs of VASP: atoms and potentials in one order, only those that are needed", () =>
  inFolder(async (folder) => {
    vasp(folder);
    const water =
      '3\nLattice="8 0 0 0 8 0 0 0 4" Properties=species:S:1:pos:R:3\nH 0 0 1\nO 0 0 0\nH 0 1 0\n';
    const hydrogen = '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nH 1 2 3\n';
    writeFileSync(join(folder, "x.xyz"), water + hydrogen);
    const run = await runProgram(["jobs", "x.xyz", "--template", "vasp", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    const read = (name: string) => readFileSync(join(folder, "jobs/0000", name), "utf8");
    assert.deepEqual(readdirSync(join(folder, "jobs/0000")).sort(), [
      "INCAR",
      "KPOINTS",
      "POSCAR",
      "POTCAR",
      "frame.xyz",
    ]);
    const lines = read("POSCAR").trim().split("\n").map((line) => line.trim().replace(/\s+/g, " "));
    assert.deepEqual(lines.slice(5, 8), ["O H", "1 2", "Cartesian"]);
    assert.match(lines[8], /^0\.0+ 0\.0+ 0\.0+$/);
    assert.equal(read("POTCAR"), POTCAR);
    assert.match(read("KPOINTS"), /Gamma\n1 1 2\n/);
    assert.equal(
      readFileSync(join(folder, "jobs/0001/POTCAR"), "utf8"),
      POTCAR.slice(POTCAR.indexOf("  PAW_PBE H")),
    );
  }));

test("collect tells jobs that are done from all others, and puts atoms back in their order", () =>
  inFolder(async (folder) => {
    vasp(folder);
    const { positions } = step(1);
    const frame = (shift: number) =>
      `2\nLattice="${
        CELL.flat().join(" ")
      }" Properties=species:S:1:pos:R:3 tag=t${shift} pbc="T T T"\n` +
      positions.map(([x, y, z]) => `H ${x + shift} ${y} ${z}\n`).join("");
    writeFileSync(join(folder, "x.xyz"), [0, 0.01, 4, 0.02, 0.03, 0.04, 0.05].map(frame).join(""));
    const made = await runProgram(["jobs", "x.xyz", "--template", "vasp", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(made.code, 0, made.stderr);
    const out = (job: string, text: string) =>
      writeFileSync(join(folder, "jobs", job, "OUTCAR"), text);
    out("0000", outcar(1));
    out("0001", outcar(1)); // its atoms were sent 0.01 Å from there
    out("0002", outcar(1)); // a lattice vector away: the same
    out("0004", outcar(1).replace("(   2)", "(  60)").replace(/-+ aborting.*\n/, ""));
    out("0005", outcar(1).slice(0, -500));
    out(
      "0006",
      outcar(1).replaceAll(" 0.10000 ", " 0.15000 ").replaceAll(" 1.05000 ", " 1.10000 "),
    );
    writeFileSync(join(folder, "jobs/0006/INCAR"), "ENCUT = 500\nISMEAR = 0\n");
    const run = await runProgram(["collect", "jobs", "-o", "done.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    const rows = readFileSync(join(folder, "collect.csv"), "utf8").trim().split("\n").slice(1);
    assert.deepEqual(rows.map((row) => row.split(",").slice(0, 3).join()), [
      ...["jobs/0000,x.xyz@0,done", "jobs/0001,x.xyz@1,other structure", "jobs/0002,x.xyz@2,done"],
      ...[
        "jobs/0003,x.xyz@3,missing",
        "jobs/0004,x.xyz@4,not converged",
        "jobs/0005,x.xyz@5,missing",
      ],
      "jobs/0006,x.xyz@6,other settings",
    ]);
    assert.match(rows[1], /an atom is 0\.010 Å from where it was sent/);
    assert.match(rows[6], /differs from that of 2 other jobs in more than the structure/);
    const text = readFileSync(join(folder, "done.xyz"), "utf8");
    assert.equal([...text.matchAll(/REF_energy=-7\.5 /g)].length, 2);
    assert.match(text, /id=x\.xyz@2 tag=t4/);
    assert.match(run.stdout, /^status +jobs\ndone +2\n/);
  }));

test("jobs of CP2K: the cell and the atoms are replaced, all else stays", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(1));
    const input = `&GLOBAL
  RUN_TYPE ENERGY_FORCE
&END GLOBAL
&FORCE_EVAL
  &PRINT
    &FORCES ON
    &END FORCES
  &END PRINT
  &SUBSYS
    &CELL
      ABC 5 5 5
      PERIODIC XYZ
    &END CELL
    &COORD
      H 0 0 0
    &END COORD
    &KIND H
      BASIS_SET DZVP
    &END KIND
  &END SUBSYS
&END FORCE_EVAL
`;
    writeFileSync(join(folder, "in.inp"), input);
    const run = await runProgram(["jobs", "pool.xyz", "--template", "in.inp", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    const written = readFileSync(join(folder, "jobs/0000/cp2k.inp"), "utf8");
    assert.doesNotMatch(written, /ABC 5/);
    assert.match(written, /&CELL\n +A +2\.6000000000 .*\n +B .*\n +C .*\n +PERIODIC XYZ/);
    assert.equal([...written.matchAll(/^ +H +\d/gm)].length, 2);
    assert.match(written, /BASIS_SET DZVP/);
  }));

/** Templates that make no labels, and what is said of them. */
const REFUSED: [name: string, template: string, message: RegExp][] = [
  ["a run of dynamics", PW.replace("'scf'", "'md'"), /its calculation is md, expected scf/],
  [
    "an absolute outdir",
    PW.replace("'./tmp'", "'/scratch/tmp'"),
    /its outdir "\/scratch\/tmp" is absolute/,
  ],
  [
    "two species of an element",
    PW.replace("H 1.008 H.UPF", "H1 1.008 H.UPF\nH2 1.008 H.UPF"),
    /H1 and H2 are both H/,
  ],
  [
    "another element",
    PW.replace("H 1.008 H.UPF", "He 4 He.UPF"),
    /ATOMIC_SPECIES of "t\.in" lacks H/,
  ],
  [
    "a namelist without an end",
    PW.replace("\n/\n&SYSTEM", "\n&SYSTEM"),
    /namelist &CONTROL is never closed|lacks/,
  ],
  ["no input", "hello\n", /it is no input of pw\.x or CP2K/],
  [
    "CP2K without forces",
    "&GLOBAL\n RUN_TYPE ENERGY_FORCE\n&END\n&FORCE_EVAL\n &SUBSYS\n &END\n&END\n",
    /does not print forces/,
  ],
  [
    "CP2K of another type",
    "&GLOBAL\n RUN_TYPE MD\n&END\n&FORCE_EVAL\n &SUBSYS\n &END\n&END\n",
    /its RUN_TYPE is MD/,
  ],
];

test("templates that make no labels are refused", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(1));
    for (const [name, template, message] of REFUSED) {
      writeFileSync(join(folder, "t.in"), template);
      const run = await runProgram(["jobs", "pool.xyz", "--template", "t.in", "-o", "jobs"], {
        cwd: folder,
      });
      assert.ok(run.code === 3 || run.code === 4, `${name}: ${run.code} ${run.stderr}`);
      assert.match(run.stderr, message, name);
    }
    vasp(folder, "NSW = 100\n");
    const relax = await runProgram(["jobs", "pool.xyz", "--template", "vasp", "-o", "jobs"], {
      cwd: folder,
    });
    assert.match(relax.stderr, /its NSW is 100, expected 0/);
    const none = await runProgram(["collect", "empty", "-o", "x.xyz"], { cwd: folder });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /Cannot collect from "empty": it has no jobs\.csv/);
  }));
