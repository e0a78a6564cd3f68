/** Jobs of VASP and CP2K, templates that make none, and what becomes of jobs. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CELL, outcar, step } from "../formats/reading.ts";
import { pool, PW } from "./job_inputs.ts";
import { inFolder, runProgram } from "./program.ts";

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
    utimesSync(join(folder, "jobs/0002/OUTCAR"), 1e9, 1e9);
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
    assert.match(run.stderr, /1 outputs are older than their inputs, such as that of jobs\/0002:/);
  }));

const CP2K = `&GLOBAL
  RUN_TYPE ENERGY_FORCE
&END GLOBAL
&FORCE_EVAL
  &PRINT
    &FORCES ON
    &END FORCES
  &END PRINT
  &SUBSYS
    &PRINT
      &CELL
      &END CELL
    &END PRINT
    &CELL
      ABC 5 5 5
      SYMMETRY CUBIC
      PERIODIC XYZ
    &END CELL
    &COORD
      H 0 0 0
    &END COORD ! atoms
    &kind h
      BASIS_SET DZVP
    &END KIND
  &END SUBSYS
&END FORCE_EVAL
`;

test("jobs of CP2K: the cell and the atoms are replaced, all else stays", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "pool.xyz"), pool(1));
    for (const text of [CP2K, CP2K.replaceAll("\n", "\r\n")]) {
      writeFileSync(join(folder, "in.inp"), text);
      const output = `jobs${text.length}`;
      const run = await runProgram(["jobs", "pool.xyz", "--template", "in.inp", "-o", output], {
        cwd: folder,
      });
      assert.equal(run.code, 0, run.stderr);
      const written = readFileSync(join(folder, output, "0000/cp2k.inp"), "utf8");
      assert.doesNotMatch(written, /ABC 5|SYMMETRY|H 0 0 0/);
      assert.match(
        written,
        /&PRINT\n +&CELL\n +&END CELL\n +&END PRINT\n +&CELL\n +A +2\.6000000000 .*\n +B .*\n +C .*\n +PERIODIC XYZ/,
      );
      assert.equal([...written.matchAll(/^ +H +\d/gm)].length, 2);
      assert.match(written, /&kind h\n +BASIS_SET DZVP/);
    }
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
  [
    "an absolute wfcdir",
    PW.replace("outdir", "wfcdir = '/scratch', outdir"),
    /its wfcdir "\/scratch" is absolute/,
  ],
  [
    "CP2K with two force evaluations",
    CP2K + CP2K.slice(CP2K.indexOf("&FORCE_EVAL")),
    /it has two &FORCE_EVAL/,
  ],
  [
    "CP2K that includes files",
    CP2K.replace("  &SUBSYS", "  @INCLUDE kinds.inc\n  &SUBSYS"),
    /it says "@INCLUDE KINDS\.INC"/,
  ],
  ["no input", "hello\n", /it is no input of pw\.x, CP2K or FHI-aims/],
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
    vasp(folder, "ENCUT = 400 ; NSW = 100 ; IBRION = 2\n");
    const relax = await runProgram(["jobs", "pool.xyz", "--template", "vasp", "-o", "jobs"], {
      cwd: folder,
    });
    assert.match(relax.stderr, /its NSW is 100, expected 0/);
    const incar = async (text: string, potcar = POTCAR) => {
      writeFileSync(join(folder, "vasp/INCAR"), text);
      writeFileSync(join(folder, "vasp/POTCAR"), potcar);
      return (await runProgram(["jobs", "pool.xyz", "--template", "vasp", "-o", "v"], {
        cwd: folder,
      })).stderr;
    };
    assert.match(await incar("MAGMOM = 5 0.6\n"), /it sets MAGMOM, which belong to one structure/);
    assert.match(
      await incar("LDAUU = 4 0 # eV\n"),
      /has 1 of the 2 elements of the POTCAR, and the INCAR sets LDAUU/,
    );
    assert.match(
      await incar("ENCUT = 400\n", POTCAR + POTCAR),
      /are of one element: frames cannot say which/,
    );
    const none = await runProgram(["collect", "empty", "-o", "x.xyz"], { cwd: folder });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /Cannot collect from "empty": it has no jobs\.csv/);
  }));
