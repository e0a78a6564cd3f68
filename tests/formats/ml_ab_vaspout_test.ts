/** VASP's ML_AB and vaspout.h5: labels, signs and units; broken and odd files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertClose, projectPath } from "../support.ts";
import { CELL, readText, step } from "./reading.ts";

const KILOBAR = 1602.176634;
const [STARS, EQUALS, DASHES] = ["*", "=", "-"].map((sign) => sign.repeat(50));

/** A block under its title. */
const block = (rule: string, title: string, ...rows: string[]) =>
  [rule, `     ${title}`, DASHES, ...rows.map((row) => `     ${row}`)].join("\n");
const rows = (table: readonly (readonly number[])[]) => table.map((row) => row.join("  "));

function configuration(n: number, more = ""): string {
  const { positions, forces, energy, stress } = step(n);
  return [
    `${STARS}\n     Configuration num.      ${n}`,
    block(EQUALS, "System name", `water ${n}`),
    block(EQUALS, "The number of atom types", "2"),
    block(EQUALS, "The number of atoms", "2"),
    block(STARS, "Atom types and atom numbers", "H      1", "O      1"),
    more + block(EQUALS, "Primitive lattice vectors (ang.)", ...rows(CELL)),
    block(EQUALS, "Atomic positions (ang.)", ...rows(positions)),
    block(EQUALS, "Total energy (eV)", String(energy)),
    block(EQUALS, "Forces (eV ang.^-1)", ...rows(forces)),
    block(EQUALS, "Stress (kbar)"),
    `     XX YY ZZ\n${DASHES}\n     ${stress.slice(0, 3).join("  ")}`,
    `${DASHES}\n     XY YZ ZX\n${DASHES}\n     ${stress.slice(3).join("  ")}\n`,
  ].join("\n");
}

const HEAD = ` 1.0 Version\n${
  [
    block(STARS, "The number of configurations", "2"),
    block(STARS, "The maximum number of atom type", "2"),
    block(STARS, "Reference atomic energy (eV)", "0.0 0.0"),
    block(STARS, "Basis set for H", "1 1", "2 1"),
  ].join("\n")
}\n`;
const ML_AB = HEAD + configuration(1) + configuration(2);

/** ASE's matrix of VASP's six numbers. */
function stressOf([xx, yy, zz, xy, yz, zx]: readonly number[]): number[] {
  return [xx, xy, zx, xy, yy, yz, zx, yz, zz].map((x) => -x / KILOBAR);
}

test("ML_AB: Cartesian places, energies, forces, and the stress as in OUTCAR", async () => {
  const { format, records, notes } = await readText(ML_AB);
  assert.equal(format, "VASP ML_AB");
  assert.deepEqual(notes, []);
  assert.equal(records.length, 2);
  records.forEach((record, i) => {
    const { positions, forces, energy, stress } = step(i + 1);
    assert.deepEqual([[...record.species], record.energy], [[1, 8], energy]);
    assertClose(record.cell, CELL.flat(), 1e-12, "cell");
    assertClose(record.positions, positions.flat(), 1e-12, "places");
    assertClose(record.forces!, forces.flat(), 1e-12, "forces");
    assertClose(record.stress!, stressOf(stress), 1e-12, "stress");
    assert.deepEqual(record.info, [["configuration", i + 1], ["system", `water ${i + 1}`]]);
  });
});

const ODD: [
  name: string,
  text: string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
][] = [
  [
    "no version, a number that touches, blanks behind titles",
    ML_AB.replace(" 1.0 Version\n", "").replace("num.      2", "num.002").replace(
      "XX YY ZZ\n",
      "XX YY ZZ  \n",
    ),
    ({ records }) => {
      assert.deepEqual(records.map(({ info }) => info![0][1]), [1, 2]);
      assert.ok(records[0].stress);
    },
  ],
  [
    "a CTIFOR block",
    HEAD + configuration(1, `${block(EQUALS, "CTIFOR", "0.002")}\n`),
    ({ records }) => {
      assertClose(records[0].cell, CELL.flat(), 1e-12, "cell");
    },
  ],
  ["stars behind the last configuration", `${ML_AB}${STARS}\n`, ({ records, notes }) => {
    assert.deepEqual([records.length, notes], [2, []]);
  }],
  [
    "nine zeros of a stress",
    ML_AB.replaceAll(/^ {5}1[12] {2}20 {2}30$/gm, "     0  0  0").replaceAll(
      /^ {5}1 {2}2 {2}3$/gm,
      "     0  0  0",
    ),
    ({ records, notes }) => {
      assert.deepEqual(records.map(({ stress }) => stress), [null, null]);
      assert.match(notes[0], /2 configurations have no stress, or nine zeros/);
    },
  ],
  ["cut within forces", ML_AB.slice(0, ML_AB.lastIndexOf("Forces") + 80), ({ records, notes }) => {
    assert.equal(records.length, 1);
    assert.match(notes[0], /^cut: configuration 2 is cut short at line \d+ and left out/);
  }],
  ["CRLF", ML_AB.replaceAll("\n", "\r\n"), ({ records }) => assert.equal(records.length, 2)],
];
for (const [name, text, check] of ODD) {
  test(`ML_AB, ${name}`, async () => check(await readText(text)));
}

test("ML_AB: numbers of atoms that differ, and types that are no elements, are refused", async () => {
  await assert.rejects(
    readText(ML_AB.replace("O      1", "O      2")),
    /file:\d+: configuration 1, which ends here, names 3 atoms and has 2 positions and 2 forces/,
  );
  await assert.rejects(
    readText(ML_AB.replace("O      1", "Q      1")),
    /"Q" names no element/,
  );
  await assert.rejects(
    readText(ML_AB.replace("Total energy", "Energy")),
    /configuration 1 is not whole/,
  );
});

test("ML_AB: a stress that is cut, one that lost numbers, none at all, and counts of no atoms", async () => {
  const cut = await readText(ML_AB.slice(0, ML_AB.lastIndexOf("XY YZ ZX")));
  assert.equal(cut.records.length, 1);
  assert.match(cut.notes[0], /^cut: configuration 2 is cut short/);
  const lost = await readText(ML_AB.replace("     11  20  30\n", "     11  20\n"));
  assert.ok(lost.records[0].stress!.every(Number.isNaN), "no component in the place of another");
  const none = ML_AB.replaceAll(/={50}\n {5}Stress[^*]*?(?=\*|$)/g, `${EQUALS}\n`);
  assert.deepEqual((await readText(none)).records.map(({ stress }) => stress), [null, null]);
  for (const count of ["", "-1", "1.5", "99999999999"]) {
    await assert.rejects(
      readText(ML_AB.replace("O      1", `O  ${count}`)),
      /it has \S+ atoms of O/,
      count,
    );
  }
});

const bytes = (name: string) => readFileSync(projectPath(`tests/golden/vaspout_${name}.h5`));

test("vaspout.h5: free energy, forces, stress, and electronic steps that ran out", async () => {
  const { format, records, notes } = await readText(bytes("relax"));
  assert.equal(format, "VASP vaspout.h5");
  assert.deepEqual([notes, records.length], [[], 3]);
  records.forEach((record, i) => {
    const { positions, forces, energy, stress } = step(i + 1);
    assert.deepEqual([...record.species], [1, 1]);
    assertClose(record.cell, CELL.flat(), 1e-12, "cell");
    assertClose(record.positions, positions.flat(), 1e-12, "places");
    assertClose([record.energy!], [energy], 1e-12, "energy");
    assertClose(record.forces!, forces.flat(), 1e-12, "forces");
    assertClose(record.stress!, stressOf(stress), 1e-12, "stress");
    assertClose([Number(record.info![1][1])], [energy + 0.1], 1e-12, "energy(sigma->0)");
  });
  assert.deepEqual(records.map(({ converged }) => converged), [true, false, true], "NELM is 4");
});

test("vaspout.h5: dynamics, a scale, no stress, and convergence by VASP's own word", async () => {
  const { records, notes } = await readText(bytes("md"));
  assert.match(notes[0], /its cells are multiplied by the scale of its POSCAR, 2/);
  assertClose(records[2].cell, CELL.flat(), 1e-12, "cell");
  assertClose(records[2].positions, step(3).positions.flat(), 1e-12, "places");
  assertClose(
    records.map(({ energy }) => energy!),
    [-7.5, -8.5, -9.5],
    1e-12,
    "ion-electron TOTEN",
  );
  assert.deepEqual(records.map(({ stress }) => stress), [null, null, null], "nine zeros");
  assert.deepEqual(records.map(({ converged }) => converged), [true, false, true]);
});

test("vaspout.h5: torn, cut, and other files of HDF5", async () => {
  const { records, notes } = await readText(bytes("torn"));
  assert.equal(records.length, 2);
  assert.match(notes[0], /^cut: it ends within step 3/);
  await assert.rejects(readText(bytes("relax").subarray(0, 3000)), /file: /);
  await assert.rejects(
    readText(bytes("scale")),
    /whether the scale of its POSCAR, 2, is in its cells is not known/,
  );
  const other = bytes("relax");
  other.write("ion_tipes", other.indexOf("ion_types"));
  await assert.rejects(readText(other), /it names no atoms: it is no vaspout\.h5|cannot be read/);
});
