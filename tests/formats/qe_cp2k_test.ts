/** Outputs of Quantum ESPRESSO and CP2K: labels, signs and units; broken and odd files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertClose, sharedPath } from "../support.ts";
import { PW, readFiles, readText } from "./reading.ts";

const [HARTREE, BOHR, GPA] = [27.211386245988, 0.529177210903, 160.2176634];
const RYDBERG = HARTREE / 2;

const STEP = `ATOMIC_POSITIONS (bohr)
H1       1.0 2.0 3.0
H2       2.0 2.0 3.0  0 0 1

!    total energy              =      -2.40000000 Ry
     convergence NOT achieved after 100 iterations: stopping
     Forces acting on atoms (cartesian axes, Ry/au):
     atom    1 type  1   force =     0.01000000    0.00000000    0.00000000
     atom    2 type  1   force =    -0.01000000    0.00000000    0.00000000
`;

test("pw.x: energies, forces, stress and places of every self-consistent cycle", async () => {
  const { format, records, notes } = await readText(PW + STEP);
  assert.equal(format, "Quantum ESPRESSO pw.x output");
  assert.deepEqual(notes, []);
  assert.equal(records.length, 2);
  const [first, second] = records;
  const alat = 8.000001 * BOHR;
  assert.deepEqual([...first.species], [1, 1], "labels H1 and H2");
  assertClose(first.cell, [1, 0, 0, 0, 1.25, 0, 0, 0.1, 1.5].map((x) => alat * x), 1e-12, "cell");
  assertClose(
    first.positions,
    [0.1, 0.2, 0.3, 0.2, 0.2, 0.3].map((x) => alat * x),
    1e-12,
    "places",
  );
  assertClose([first.energy!], [-2.3 * RYDBERG], 1e-12, "energy");
  const forces = [-0.02, 0.06, -0.05, 0.02, -0.06, 0.05].map((x) => x * RYDBERG / BOHR);
  assertClose(first.forces!, forces, 1e-12, "total forces alone");
  const stress = [0.03, -5e-4, 6e-4, -5e-4, 0.033, 2e-4, 6e-4, 2e-4, 0.034];
  assertClose(first.stress!, stress.map((x) => -x * RYDBERG / BOHR ** 3), 1e-12, "stress");
  assertClose([-GPA * first.stress![0]], [441.3], 1e-3, "the kbar beside it");
  assertClose(second.positions, [1, 2, 3, 2, 2, 3].map((x) => BOHR * x), 1e-12, "bohr");
  assert.equal(second.stress, null, "no stress of the step before");
  assert.deepEqual([first.converged, second.converged], [true, false]);
});

const PW_ODD: [
  name: string,
  text: string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
][] = [
  [
    "angstrom",
    PW + STEP.replace("(bohr)", "(angstrom)"),
    ({ records }) => assertClose(records[1].positions, [1, 2, 3, 2, 2, 3], 1e-12, "places"),
  ],
  [
    "crystal",
    PW + STEP.replace("(bohr)", "(crystal)"),
    ({ records }) =>
      assertClose(records[1].positions.subarray(0, 1), [8.000001 * BOHR], 1e-12, "x"),
  ],
  [
    "alat",
    PW + STEP.replace("(bohr)", "(alat)"),
    ({ records }) =>
      assertClose(
        records[1].positions,
        [1, 2, 3, 2, 2, 3].map((x) => 8.000001 * BOHR * x),
        1e-12,
        "places",
      ),
  ],
  [
    "a new cell",
    `${PW}CELL_PARAMETERS (alat=  9.00000000)\n 1 0 0\n 0 1 0\n 0 0 1\n${STEP}`,
    ({ records }) => {
      assertClose(
        records[1].cell,
        [1, 0, 0, 0, 1, 0, 0, 0, 1].map((x) => 9 * BOHR * x),
        1e-12,
        "cell",
      );
      assertClose([records[0].cell[8]], [1.5 * 8.000001 * BOHR], 1e-12, "the cell before");
    },
  ],
  [
    "a last cycle in a basis of its own",
    `${PW}     Final scf calculation at the relaxed structure.\n${
      PW.slice(PW.indexOf("     site n."))
    }`,
    ({ records }) => {
      assert.equal(records.length, 2);
      assert.ok(records[1].info!.some(([key, value]) => key === "final_scf" && value === "T"));
    },
  ],
  ["two runs in a file", PW + PW, ({ records }) => assert.equal(records.length, 2)],
  [
    "headings of 6.0",
    PW.replace("(cartesian axes, Ry/au)", "(Ry/au)").replace("total   stress", "total stress"),
    ({ records }) => assert.ok(records[0].forces && records[0].stress),
  ],
  [
    "lines within the stress",
    PW.replace(/^ {3}0\.03/m, "     GPU version\n   0.03"),
    ({ records }) =>
      assertClose([records[0].stress![0]], [-0.03 * RYDBERG / BOHR ** 3], 1e-12, "stress"),
  ],
  [
    "stars in forces",
    PW.replace("-0.02000000    0.06000000", "*******************"),
    ({ records }) => {
      assert.ok([...records[0].forces!.subarray(0, 3)].every(Number.isNaN));
      assert.ok([...records[0].forces!.subarray(3)].every(Number.isFinite));
    },
  ],
  [
    "places of a step that was not reached",
    PW + STEP.slice(0, STEP.indexOf("!")),
    ({ records }) => assert.equal(records.length, 1),
  ],
  [
    "killed within the forces, and begun anew behind that",
    PW.slice(0, PW.indexOf("     atom    2 type")) + PW,
    ({ records, notes }) => {
      assert.equal(records.length, 1, "the forces of the second run are its own");
      assertClose([records[0].forces![0]], [-0.02 * RYDBERG / BOHR], 1e-12, "force");
      assert.match(notes[0], /^cut: cycle 1 is left out: the run is cut short/);
    },
  ],
  [
    "cut within the digits of an energy",
    (PW + STEP).slice(0, (PW + STEP).lastIndexOf("2.40000000") + 3),
    ({ records, notes }) => {
      assert.equal(records.length, 1);
      assert.match(notes[0], /^cut: cycle 2 is left out/);
    },
  ],
  ["CRLF", (PW + STEP).replaceAll("\n", "\r\n"), ({ records }) => {
    assert.equal(records.length, 2);
    assert.ok(records[1].forces);
  }],
  [
    "a species whose pseudopotential says what it is",
    PW.replace(
      "   Cartesian axes",
      "     atomic species   valence    mass     pseudopotential\n        H1             4.00    28.08550     Si( 1.00)\n\n   Cartesian axes",
    ).replace("H2  tau", "H1  tau"),
    ({ records }) => assert.deepEqual([...records[0].species], [14, 14]),
  ],
  [
    "a label in other letters",
    PW.replaceAll(/H[12] {2}tau/g, "SI  tau"),
    ({ records }) => assert.deepEqual([...records[0].species], [14, 14]),
  ],
  [
    "converged by its word alone",
    PW.replace(
      "     total energy  ",
      "     scf convergence threshold =      1.0E-07\n     total energy  ",
    )
      .replace("!    total", "     estimated scf accuracy    <       0.01170000 Ry\n!    total"),
    ({ records }) => assert.equal(records[0].converged, false),
  ],
  [
    "a threshold that becomes less for the next step alone",
    PW.replace(
      "     total energy  ",
      "     scf convergence threshold =      1.0E-06\n     total energy  ",
    ).replace(
      "     convergence has",
      "     estimated scf accuracy    <       0.00000026 Ry\n     convergence has",
    ) +
    "     new conv_thr            =       0.0000000466 Ry\n" +
    STEP.replace(
      "     convergence NOT",
      "     estimated scf accuracy    <       0.00000026 Ry\n     convergence NOT",
    ),
    ({ records }) => assert.deepEqual(records.map(({ converged }) => converged), [true, false]),
  ],
  ["killed before the first energy", PW.slice(0, PW.indexOf("!")), ({ records, notes }) => {
    assert.equal(records.length, 0);
    assert.match(notes[0], /^cut: no self-consistent cycle/);
  }],
];
for (const [name, text, check] of PW_ODD) {
  test(`pw.x, ${name}`, async () => check(await readText(text)));
}

test("pw.x: a label that is no element is refused", async () => {
  await assert.rejects(
    readText(PW.replaceAll("H1  tau", "Qq  tau")),
    /file:\d+: "Qq" names no element/,
  );
});

test("pw.x: real outputs agree with the shipped labels", async () => {
  const path = sharedPath("demo/qe/h64_rs1.24_s1_f15.out");
  if (!path) return console.log("skipped: there is no shared folder");
  const { records: [record] } = await readText(readFileSync(path));
  assert.equal(record.species.length, 64);
  assertClose([record.energy!], [-63.93882565 * RYDBERG], 1e-12, "energy");
  const pressure = -GPA * (record.stress![0] + record.stress![4] + record.stress![8]) / 3;
  assertClose([pressure], [490.514], 1e-5, "pressure, GPa");
});

const CP2K = ` CP2K| version string:                                          CP2K version 9.1
 CELL| Vector a [angstrom]:       5.000     0.000     0.000    |a| =       5.000
 CELL| Vector b [angstrom]:       0.000     6.000     0.000    |b| =       6.000
 CELL| Vector c [angstrom]:       0.500     0.000     7.000    |c| =       7.018
 MODULE QUICKSTEP:  ATOMIC COORDINATES IN angstrom

  Atom  Kind  Element       X           Y           Z          Z(eff)       Mass

       1     1 H    1    0.100000    0.200000    0.300000      1.00       1.0079
       2     1 H    1    0.900000    0.200000    0.300000      1.00       1.0079

  *** SCF run converged in    11 steps ***

 ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:               -1.162000000000000

 ATOMIC FORCES in [a.u.]

 # Atom   Kind   Element          X              Y              Z
      1      1      H           0.01000000     0.02000000     0.03000000
      2      1      H          -0.01000000    -0.02000000    -0.03000000
 SUM OF ATOMIC FORCES           0.00000000     0.00000000     0.00000000     0.00000000

 STRESS TENSOR [GPa]

            X               Y               Z
  X       1.00000000      0.10000000      0.00000000
  Y       0.10000000      2.00000000      0.00000000
  Z       0.00000000      0.00000000      3.00000000

 EIGENVECTORS AND EIGENVALUES OF THE STRESS TENSOR
  **** **** ******  **  PROGRAM ENDED AT                 2025-01-15 10:30:05.000
`;

test("CP2K output: energy, forces and stress of a point", async () => {
  const { format, records: [record], notes } = await readText(CP2K);
  assert.equal(format, "CP2K output");
  assert.deepEqual(notes, []);
  assertClose([record.energy!], [-1.162 * HARTREE], 1e-12, "energy");
  const force = [0.01, 0.02, 0.03].map((x) => x * HARTREE / BOHR);
  assertClose(record.forces!, [...force, ...force.map((x) => -x)], 1e-12, "forces");
  assertClose(
    record.stress!,
    [1, 0.1, 0, 0.1, 2, 0, 0, 0, 3].map((x) => -x / GPA),
    1e-12,
    "stress",
  );
  assertClose(record.cell, [5, 0, 0, 0, 6, 0, 0.5, 0, 7], 1e-12, "cell");
  assert.equal(record.converged, true);
});

test("CP2K output: not converged, forces of 2025, steps without places", async () => {
  const open = CP2K.replace("SCF run converged in    11 steps", "SCF run NOT converged");
  assert.equal((await readText(open)).records[0].converged, false);
  const start = CP2K.indexOf(" ATOMIC FORCES");
  const table = " FORCES| Atomic forces [hartree/bohr]\n\n FORCES| Atom x y z |f|\n\n" +
    " FORCES| 1 1.0E-02 2.0E-02 3.0E-02 3.7E-02\n FORCES| 2 -1.0E-02 -2.0E-02 -3.0E-02 3.7E-02\n\n";
  const late = CP2K.slice(0, start) + table + CP2K.slice(CP2K.indexOf(" STRESS TENSOR"));
  assertClose(
    [(await readText(late)).records[0].forces![0]],
    [0.01 * HARTREE / BOHR],
    1e-12,
    "force",
  );
  const more = CP2K + CP2K.slice(CP2K.indexOf("  *** SCF run"));
  const { records, notes } = await readText(more);
  assert.equal(records.length, 1);
  assert.match(notes[0], /1 steps have no places in it: give PROJECT-pos-1\.xyz/);
});

const XYZ = (step: number, rows: string[], energy = "") =>
  `       2\n i = ${String(step).padStart(8)}, time = ${(0.5 * step).toFixed(3)}${energy}\n${
    rows.join("\n")
  }\n`;
const POS = (step: number) =>
  XYZ(step, ["H 0.1 0.2 0.3", `H 0.9 0.2 ${step}.3`], `, E = -1.${step}`);
const FRC = (step: number) => XYZ(step, [`H 0.0${step} 0 0`, `H -0.0${step} 0 0`], ", E = -9");
const CELLS = "#   Step   Time [fs]   Ax Ay Az Bx By Bz Cx Cy Cz   Volume\n" +
  [0, 1, 2, 3].map((n) => `  ${n} ${0.5 * n} 5.${n} 0 0 0 6 0 0 0 7 210.0\n`).join("");

test("CP2K output: units in brackets, unknown ones, no periodicity, cut short", async () => {
  const electronvolts = CP2K.replace("ATOMIC FORCES in [a.u.]", "ATOMIC FORCES in [eV/angstrom]");
  assertClose([(await readText(electronvolts)).records[0].forces![0]], [0.01], 1e-12, "eV/Å");
  const kilobars = await readText(CP2K.replace("[GPa]", "[kbar]"));
  assertClose([kilobars.records[0].stress![0]], [-0.1 / GPA], 1e-12, "kbar");
  const unknown = await readText(CP2K.replace("[GPa]", "[atm]"));
  assert.equal(unknown.records[0].stress, null);
  assert.match(unknown.notes[0], /stress in atm are not read/);
  const free = CP2K.replace(
    " MODULE",
    " POISSON| Periodicity                                          NONE\n MODULE",
  );
  assert.deepEqual((await readText(free)).records[0].pbc, [false, false, false]);
  for (const end of [" ATOMIC FORCES", " CELL| Vector b", "PROGRAM ENDED"]) {
    const { records, notes } = await readText(CP2K.slice(0, CP2K.indexOf(end) + 20));
    assert.equal(records.length, 0, end);
    if (end !== " CELL| Vector b") assert.match(notes[0], /^cut: its last point is left out/);
  }
});

test("CP2K trajectory: places, cells and forces are joined by the number of the step", async () => {
  const { format, records, notes } = await readFiles({
    "run/H-pos-1.xyz": POS(0) + POS(1) + POS(2) + POS(5),
    "run/H-frc-1.xyz": FRC(0) + FRC(2),
    "run/H-1.cell": CELLS,
  });
  assert.equal(format, "CP2K trajectory");
  assert.deepEqual(records.map(({ cell }) => cell[0]), [5, 5.1, 5.2]);
  assertClose([records[2].energy!], [-1.2 * HARTREE], 1e-12, "energy");
  assert.equal(records[1].forces, null, "step 1 has no forces");
  assertClose([records[2].forces![0]], [0.02 * HARTREE / BOHR], 1e-12, "forces of step 2");
  assert.match(notes[0], /1 steps are left out: H-1\.cell has no cell/);
  assert.match(notes[1], /1 steps have no forces/);
});

test("CP2K trajectory: cut short, without a cell, forces alone, a run that was appended", async () => {
  const files = { "H-pos-1.xyz": POS(0) + POS(1).slice(0, -8), "H-1.cell": CELLS };
  const { records, notes } = await readFiles(files);
  assert.equal(records.length, 1);
  assert.match(notes[0], /^cut: step 1 is cut short at line \d+/);
  await assert.rejects(readFiles({ "H-pos-1.xyz": POS(0) }), /H-1\.cell is not beside it/);
  await assert.rejects(readFiles({ "H-frc-1.xyz": FRC(0) }), /give PROJECT-pos-1\.xyz/);
  const twice = { "H-pos-1.xyz": POS(0) + POS(1) + POS(0), "H-1.cell": CELLS };
  await assert.rejects(readFiles(twice), /step 0 follows step 1: another run was appended/);
});

test("CP2K trajectory: without a .cell the cell of an output whose ensemble keeps it; energies of .ener", async () => {
  const vector = (name: string, x: string, length: string) =>
    ` CELL| Vector ${name} [angstrom]:     ${x}   |${name}| =    ${length}\n`;
  const log = (ensemble: string) =>
    " CP2K| version string:                 CP2K version 2022.1\n" +
    vector("a", "5.001     0.000     0.000", "5.001234") +
    vector("b", "0.000     6.000     0.000", "6.000") +
    vector("c", "0.000     0.000     7.000", "7.000000") +
    ` MD_PAR| Ensemble type                 ${ensemble}\n`;
  const files = {
    "H-pos-1.xyz": POS(0) + POS(1).replace(/E = .*/, ""),
    "H-1.ener":
      "#     Step Nr. Time[fs] Kin.[a.u.]\n 0 0.0 1.4 298 -9.0 -8.0 0.0\n 1 0.5 1.4 298 -1.25 -8.0 0.0\n",
  };
  const { records, notes } = await readFiles({ ...files, "run.log": log("NVT") });
  assertClose(records[1].cell, [5.001234, 0, 0, 0, 6, 0, 0, 0, 7], 1e-12, "cell");
  assertClose(
    records.map(({ energy }) => energy!),
    [-1 * HARTREE, -1.25 * HARTREE],
    1e-12,
    "energies",
  );
  assert.match(
    notes[0],
    /the cell of all steps is that of run\.log, whose directions have three decimals/,
  );
  await assert.rejects(
    readFiles({ ...files, "run.log": log("NPT_I") }),
    /H-1\.cell is not beside it, and the cell moves in the ensemble NPT_I of run\.log/,
  );
});
