/** Jobs of FHI-aims, and what is collected of them. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { aimsOutput } from "../formats/reading.ts";
import { inFolder, runProgram } from "./program.ts";

const SPECIES =
  "species H_light\n  nucleus 1\n  mass 1.008\nspecies O\n  nucleus 8.\n  mass 15.9994\n";
const CONTROL = `xc pbe # not LDA\nk_grid 4 4 4\nsc_accuracy_rho 1e-5\n${SPECIES}`;
const GEOMETRY = "lattice_vector 4 0 0\nlattice_vector 0 4 0\nlattice_vector 0 0 4\natom 0 0 0 O\n";
const ATOMS = [[0.1, 0.2, 0.3], [0.9, 0.25, 0.35]];
const CELL = [8, 0, 0, 0, 4, 0, 0, 0, 3];
const rows = ATOMS.map((row, n) => `${"HO"[n]} ${row.join(" ")}\n`).join("");
/** A crystal, and a molecule. */
const POOL = `2\nLattice="${CELL.join(" ")}" Properties=species:S:1:pos:R:3 pbc="T T T"\n${rows}` +
  `2\nProperties=species:S:1:pos:R:3 pbc="F F F"\n${rows}`;

test("jobs of FHI-aims: the geometry is written, the k-grid keeps its spacing, forces are asked for", () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, "aims"));
    writeFileSync(join(folder, "aims/control.in"), CONTROL);
    writeFileSync(join(folder, "aims/geometry.in"), GEOMETRY);
    writeFileSync(join(folder, "x.xyz"), POOL);
    const run = await runProgram(["jobs", "x.xyz", "--template", "aims", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Template: FHI-aims, aims/);
    assert.match(run.stderr, /warning: compute_forces set to \.true\.: labels need forces/);
    const read = (name: string) => readFileSync(join(folder, "jobs", name), "utf8");
    assert.match(
      read("0000/control.in"),
      /^compute_forces \.true\.\nxc pbe # not LDA\nk_grid 2 4 6\n/,
    );
    assert.match(read("0001/control.in"), /^k_grid 4 4 4$/m, "a molecule has no grid to keep");
    assert.match(read("0000/geometry.in"), /^lattice_vector +8\.0000000000 /m);
    assert.match(
      read("0000/geometry.in"),
      /^atom +0\.1000000000 +0\.2000000000 +0\.3000000000 H_light$/m,
    );
    assert.doesNotMatch(read("0001/geometry.in"), /lattice_vector/);
    assert.match(read("submit.sh"), /aims\.x > aims\.out/);

    writeFileSync(join(folder, "jobs/0000/aims.out"), aimsOutput(ATOMS, CELL));
    const molecule = aimsOutput(ATOMS, CELL).replace(/ {2}\| Unit cell:\n(?:.*\n){3}/, "");
    writeFileSync(join(folder, "jobs/0001/aims.out"), molecule);
    const collect = await runProgram(["collect", "jobs", "-o", "done.xyz"], { cwd: folder });
    assert.equal(collect.code, 0, collect.stderr);
    assert.match(collect.stdout, /^done +2$/m);
    // The same cell with another grid.
    mkdirSync(join(folder, "jobs/0002"));
    for (const name of ["frame.xyz", "geometry.in", "aims.out"]) {
      writeFileSync(join(folder, "jobs/0002", name), read(`0000/${name}`));
    }
    writeFileSync(
      join(folder, "jobs/0002/control.in"),
      read("0000/control.in").replace("2 4 6", "4 4 4"),
    );
    writeFileSync(join(folder, "jobs/jobs.csv"), `${read("jobs.csv")}copy@0,0002\n`);
    const again = await runProgram(["collect", "jobs", "-o", "again.xyz"], { cwd: folder });
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /its k-mesh is not that of 1 other jobs with the same cell/);
    assert.match(
      readFileSync(join(folder, "done.xyz"), "utf8"),
      /REF_energy=-7\.52 REF_stress="-0\.001 0\.0001 0 /,
    );
  }));

test("jobs of FHI-aims: forces that are switched off, and what belongs to the atoms of the template", () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, "aims"));
    writeFileSync(
      join(folder, "aims/control.in"),
      `compute_forces .false.\nrelax_unit_cell none\n${CONTROL}`,
    );
    writeFileSync(join(folder, "aims/geometry.in"), `${GEOMETRY}  initial_moment 2.0\n`);
    writeFileSync(join(folder, "x.xyz"), POOL);
    const run = await runProgram(["jobs", "x.xyz", "--template", "aims", "-o", "jobs"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /compute_forces set to \.true\./);
    assert.match(run.stderr, /no stress is asked for/);
    assert.match(
      run.stderr,
      /of geometry\.in initial_moment belong to its own atoms, and are not written/,
    );
    const control = readFileSync(join(folder, "jobs/0000/control.in"), "utf8");
    assert.deepEqual(control.match(/compute_forces.*/g), ["compute_forces .true."]);
  }));

const REFUSED: [name: string, control: string, message: RegExp][] = [
  [
    "a relaxation",
    `relax_geometry bfgs 1e-2\n${CONTROL}`,
    /it sets relax_geometry, expected a single point/,
  ],
  [
    "dynamics",
    `MD_run 0.1 NVT_parrinello 300 0.1\n${CONTROL}`,
    /it sets MD_run, expected a single point/,
  ],
  ["two species of one element", `${CONTROL}species H2\nnucleus 1\n`, /H_light and H2 are both H/],
  [
    "an element that is not there",
    CONTROL.replace("nucleus 8.", "nucleus 7"),
    /lacks the species O/,
  ],
];
for (const [name, control, message] of REFUSED) {
  test(`jobs of FHI-aims refuse ${name}`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "control.in"), control);
      writeFileSync(join(folder, "x.xyz"), POOL);
      const run = await runProgram(["jobs", "x.xyz", "--template", "control.in", "-o", "jobs"], {
        cwd: folder,
      });
      assert.notEqual(run.code, 0);
      assert.match(run.stderr, message);
    }));
}
