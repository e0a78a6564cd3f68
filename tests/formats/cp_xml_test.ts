/** Trajectories and texts of cp.x, and the XML of Quantum ESPRESSO: labels, signs and units; broken and odd files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "../support.ts";
import { readFiles, readText } from "./reading.ts";

const [HARTREE, BOHR] = [27.211386245988, 0.529177210903];

/** Rows of three numbers as cp.x has them. */
const rows = (table: readonly (readonly number[])[]) =>
  table.map((row) => row.map((x) => `    ${x.toExponential(14).replace("e", "E")}`).join("")).join(
    "\n",
  );
const time = (step: number) => (step * 1e-4).toFixed(8);
/** Places of three atoms at a step, Bohr. */
const places = (step: number) => [[0.1 * step, 0.2, 0.3], [1.5, 1, -0.5], [-1.5, 1, 0.01 * step]];
const pushes = (step: number) => [[0.01, 0.02, 0.001 * step], [-0.01, 0, 0], [0, -0.02, 0]];
const STEPS = [10, 20, 30];
const blocks = (of: (step: number) => readonly (readonly number[])[]) =>
  STEPS.map((step) => `      ${step}    ${time(step)}\n${rows(of(step))}\n`).join("");
const POS = blocks(places);
const FOR = blocks(pushes);
// Vectors 10 0 0, 1 9 0, 0.5 0.25 11: columns.
const CEL = blocks(() => [[10, 1, 0.5], [0, 9, 0.25], [0, 0, 11]]);
const EVP =
  "#   nfi    time(ps)        ekinc        T_cell(K)     Tion(K)          etot   enthal\n" +
  STEPS.map((n) =>
    `      ${n}  ${time(n)}  1.0E+00  0.0E+00  4.4E+04   -${n}.5   -${n}.6  -1 -1 990 29.8\n`
  ).join("");
const INPUT = `&CONTROL
  calculation = 'cp', prefix = 'w'
/
&SYSTEM
  ibrav = 0, nat = 3, ntyp = 2
/
ATOMIC_SPECIES
H 1.0 H.UPF
O 16.0 O.UPF
CELL_PARAMETERS bohr
10 0 0
1 9 0
0.5 0.25 11
ATOMIC_POSITIONS bohr
H 0 0.2 0.3
H 1.5 1 -0.5
O -1.5 1 0
`;
/** The text of a run whose atoms are H O H, with its step 20. */
const TEXT = `
     Program CP v.6.7MaX starts on 28Nov2026 at 12:48:19
   a1    =    10.00000000    0.00000000    0.00000000
   a2    =     1.00000000    9.00000000    0.00000000
   a3    =     0.50000000    0.25000000   11.00000000
 * Physical Quantities at step:    20
     Pressure of Nuclei (GPa)             3.45284     20
                total energy =      -20.50000000000 Hartree a.u.
   CELL_PARAMETERS
   10.00000000    1.00000000    0.50000000
    0.00000000    9.00000000    0.25000000
    0.00000000    0.00000000   11.00000000

   Total stress (GPa)
        1.78042467         2.03697595        -0.51994814
        2.03697595         4.00738356        -0.73167130
       -0.51994722        -0.73166999        -2.24946835
   ATOMIC_POSITIONS
   H   ${rows([places(20)[0]])}
   O   ${rows([places(20)[1]])}
   H   ${rows([places(20)[2]])}

   ATOMIC_VELOCITIES
   H       0.42517643133112E-02     0.72532993771151E-02     0.10383241997999E-02

   Forces acting on atoms (au):
   H   ${rows([pushes(20)[0]])}
   O   ${rows([pushes(20)[1]])}
   H   ${rows([pushes(20)[2]])}

   Partial temperatures (for each ionic specie)
`;
const FILES = { "w.pos": POS, "w.for": FOR, "w.cel": CEL, "w.evp": EVP };
const CELL = [10, 0, 0, 1, 9, 0, 0.5, 0.25, 11].map((x) => BOHR * x);

test("cp.x: places, forces, energies and cells, joined by step; elements of the text output", async () => {
  const { format, records, notes } = await readFiles({ ...FILES, "cp.out": TEXT });
  assert.equal(format, "Quantum ESPRESSO cp.x trajectory");
  assert.deepEqual(notes, []);
  assert.equal(records.length, 3);
  records.forEach(({ species, cell, positions, forces, energy, stress, info }, n) => {
    const step = STEPS[n];
    assert.deepEqual([[...species], stress, info], [[1, 8, 1], null, [["step", step]]]);
    assertClose(cell, CELL, 1e-12, "cell");
    assertClose(positions, places(step).flat().map((x) => BOHR * x), 1e-12, "places");
    assertClose(forces!, pushes(step).flat().map((x) => x * HARTREE / BOHR), 1e-12, "forces");
    assertClose([energy!], [-(step + 0.5) * HARTREE], 1e-12, "energy");
  });
});

test("cp.x: the step of a text output, whose stress of moving nuclei is left out", async () => {
  const { format, records: [record], notes } = await readText(TEXT);
  assert.equal(format, "Quantum ESPRESSO cp.x output");
  assert.match(notes[0], /its stress is not read: it holds the motion of the nuclei/);
  assert.deepEqual([[...record.species], record.stress, record.info], [[1, 8, 1], null, [[
    "step",
    20,
  ]]]);
  assertClose(record.cell, CELL, 1e-12, "cell");
  assertClose(record.positions, places(20).flat().map((x) => BOHR * x), 1e-12, "places");
  assertClose(record.forces!, pushes(20).flat().map((x) => x * HARTREE / BOHR), 1e-12, "forces");
  assertClose([record.energy!], [-20.5 * HARTREE], 1e-12, "energy");
  const cut = await readText(TEXT.slice(0, TEXT.indexOf("   O   ", TEXT.indexOf("Forces acting"))));
  assert.equal(cut.records.length, 0);
  assert.match(cut.notes[0], /^cut: step 20 is cut short at line \d+ and left out/);
});

const without = (name: string) =>
  Object.fromEntries(Object.entries(FILES).filter(([own]) => own !== name));

const ODD: [
  name: string,
  files: Readonly<Record<string, string>>,
  check: (read: Awaited<ReturnType<typeof readFiles>>) => void,
][] = [
  [
    "elements of an input whose atoms are sorted",
    { ...FILES, "w.in": INPUT },
    ({ records, notes }) => {
      assert.deepEqual([...records[2].species], [1, 1, 8]);
      assert.deepEqual(notes, []);
    },
  ],
  [
    "no .cel: the cell of the input, which is said",
    { ...without("w.cel"), "w.in": INPUT },
    ({ records, notes }) => {
      assertClose(records[1].cell, CELL, 1e-12, "cell");
      assert.match(notes[0], /the cell of all steps is that of w\.in: w\.cel is not beside it/);
    },
  ],
  ["no .for", { ...without("w.for"), "w.in": INPUT }, ({ records }) => {
    assert.equal(records.length, 3);
    assert.equal(records[0].forces, null, "absent, not zero");
    assertClose([records[0].energy!], [-10.5 * HARTREE], 1e-12, "energy");
  }],
  ["no .evp", { ...without("w.evp"), "w.in": INPUT }, ({ records }) => {
    assert.deepEqual(records.map(({ energy }) => energy), [null, null, null]);
  }],
  [
    "energies of a version that had the time last",
    {
      ...FILES,
      "w.evp": STEPS.map((n) => ` ${n} 1.0 0.0 300.0 -${n}.5 -9 -9 -9 990 29 ${time(n)}\n`).join(
        "",
      ),
      "w.in": INPUT,
    },
    ({ records }) => assertClose([records[2].energy!], [-30.5 * HARTREE], 1e-12, "energy"),
  ],
  [
    "energies and forces of other steps",
    {
      ...FILES,
      "w.for": FOR.slice(0, FOR.indexOf("      20 ")),
      "w.evp": EVP.replace("      20  ", "      21  "),
      "w.in": INPUT,
    },
    ({ records, notes }) => {
      assert.deepEqual(records.map(({ forces }) => forces !== null), [true, false, false]);
      assert.deepEqual(records.map(({ energy }) => energy !== null), [true, false, true]);
      assert.match(
        notes.join(),
        /2 steps have no forces in w\.for,1 steps have no energy in w\.evp/,
      );
    },
  ],
  [
    "a step that is cut",
    { ...FILES, "w.pos": POS.trimEnd().slice(0, -40), "w.in": INPUT },
    ({ records, notes }) => {
      assert.equal(records.length, 2);
      assert.match(notes[0], /^cut: step 30 is cut short at line \d+ and left out/);
    },
  ],
  ["stars", {
    ...FILES,
    "w.for": FOR.replace(/0\.?1?0*E-02|1\.0+E-2/, "********************"),
    "w.in": INPUT,
  }, ({ records }) => {
    assert.ok(records[0].forces!.some(Number.isNaN));
  }],
];
for (const [name, files, check] of ODD) {
  test(`cp.x, ${name}`, async () => check(await readFiles({ "w.pos": files["w.pos"], ...files })));
}

test("cp.x: what it cannot know, and steps that begin anew, are refused", async () => {
  await assert.rejects(readFiles(FILES), /w\.pos: which elements its rows are is not known/);
  const mixed = INPUT.replace("H 1.5", "O 1.5").replace("O -1.5", "H -1.5");
  await assert.rejects(readFiles({ ...FILES, "w.in": mixed }), /put the text output of cp\.x/);
  const elsewhere = TEXT.replaceAll("1.5000", "1.6000");
  await assert.rejects(readFiles({ ...FILES, "cp.out": elsewhere }), /which elements/);
  await assert.rejects(
    readFiles({ ...FILES, "w.out": elsewhere, "w.in": INPUT }),
    /w\.pos: its places are not those that w\.out prints of the same step/,
  );
  const carbon = INPUT.replaceAll("O ", "C ");
  await assert.rejects(
    readFiles({ ...FILES, "w.in": INPUT, "w.inp": carbon }),
    /w\.in and w\.inp name other elements for its rows/,
  );
  const cellless = INPUT.replace("ibrav = 0", "ibrav = 4");
  await assert.rejects(
    readFiles({ ...without("w.cel"), "w.in": cellless }),
    /w\.cel is not beside it, and w\.in does not say the cell/,
  );
});

test("inputs of Quantum ESPRESSO: cells without a unit, &end, and cards that are not read", async () => {
  const bare = INPUT.replace("CELL_PARAMETERS bohr", "CELL_PARAMETERS").replaceAll(
    "\n/\n",
    "\n&end\n",
  )
    .replace("ATOMIC_POSITIONS", "AUTOPILOT\n on_step = 10 : dt = 5\nENDRULES\nATOMIC_POSITIONS");
  const { records } = await readFiles({ "w.pos": POS, "w.in": bare });
  assertClose(records[0].cell, CELL, 1e-12, "Bohr");
  const angstrom = await readFiles({
    "w.pos": POS,
    "w.in": bare.replace("ntyp = 2", "ntyp = 2, A = 2.0"),
  });
  assertClose(angstrom.records[0].cell, CELL.map((x) => 2 * x / BOHR), 1e-12, "alat");
});

test("cp.x: a run that was killed and went on in the same files", async () => {
  // Steps 10 and 20, a third that was cut, and from the checkpoint 20 once more and 30.
  const from20 = (text: string) => text.slice(text.indexOf("      20 "));
  const on = (text: string) => text.slice(0, text.indexOf("      30 ")) + from20(text);
  const cut = `${POS.slice(0, POS.indexOf("      30 ") + 60)}\n${from20(POS)}`;
  const files = {
    "w.pos": cut,
    "w.for": on(FOR),
    "w.cel": on(CEL),
    "w.evp": on(EVP),
    "w.in": INPUT,
  };
  const { records, notes } = await readFiles(files);
  assert.deepEqual(records.map(({ info }) => info![0][1]), [10, 20, 20, 30]);
  assert.match(notes[0], /^cut: step 30 is cut short at line \d+ and left out/);
  records.forEach(({ energy, forces, info }) => {
    const step = Number(info![0][1]);
    assertClose([energy!], [-(step + 0.5) * HARTREE], 1e-12, "energy");
    assertClose(forces!, pushes(step).flat().map((x) => x * HARTREE / BOHR), 1e-12, "forces");
  });
  // Forces of the first part alone are not those of the second.
  const lost = await readFiles({ ...files, "w.for": FOR.slice(0, FOR.indexOf("      30 ")) });
  assert.deepEqual(lost.records.map(({ forces }) => forces !== null), [true, true, false, false]);
});

test("cp.x: the output of another run in the folder says nothing of the rows", async () => {
  const other = TEXT.replaceAll(/^ {3}[HO] {3}/gm, "   Al  ").replace("step:    20", "step:    50");
  const { records } = await readFiles({ ...FILES, "a.out": other, "cp.out": TEXT });
  assert.deepEqual([...records[0].species], [1, 8, 1]);
  await assert.rejects(
    readFiles({ ...FILES, "a.out": other }),
    /which elements its rows are is not known/,
  );
});

test("cp.x output: two runs, one killed; no forces at all; rows that are no numbers", async () => {
  const wide = TEXT.replaceAll("10.00000000", "12.00000000");
  const killed = TEXT.slice(0, TEXT.indexOf("   Forces acting"));
  const two = await readText(killed + wide);
  assert.equal(two.records.length, 1);
  assertClose([two.records[0].cell[0]], [12 * BOHR], 1e-12, "the cell of the second");
  assert.match(two.notes[0], /^cut: step 20 is cut short/);
  const both = await readText(TEXT + wide);
  assertClose(both.records.map(({ cell }) => cell[0]), [10 * BOHR, 12 * BOHR], 1e-12, "cells");
  const forceless = await readText(`${killed}\n   JOB DONE.\n`);
  assert.deepEqual(forceless.records.map(({ forces }) => forces), [null]);
  const stars = await readText(
    TEXT.replace(/(Forces acting[^\n]*\n {3}H).*/, "$1 NaN ******** NaN"),
  );
  assert.equal(stars.records[0].forces!.length, 9);
  assert.ok(stars.records[0].forces!.subarray(0, 3).every(Number.isNaN));
});

const matrix = (table: readonly (readonly number[])[]) =>
  table.map((row) => row.join(" ")).join("\n");
const STRESS = [[3e-4, 1e-5, 2e-5], [1e-5, 4e-4, 3e-5], [2e-5, 3e-5, 5e-4]];
function point(
  step: number,
  at: readonly (readonly number[])[],
  more: string,
  converged = true,
): string {
  const atoms = at.map((row, n) =>
    `<atom name="${["H1", "O", "H1"][n]}" index="${n + 1}">${row.join(" ")}</atom>`
  );
  return `<scf_conv><convergence_achieved>${converged}</convergence_achieved><n_scf_steps>8</n_scf_steps></scf_conv>
<opt_conv><convergence_achieved>false</convergence_achieved></opt_conv>
<atomic_structure nat="3" alat="9.0"><atomic_positions>${atoms.join("\n")}</atomic_positions>
<cell><a1>10 0 0</a1><a2>1 9 0</a2><a3>0.5 0.25 11</a3></cell></atomic_structure>
<total_energy><etot>-${step}.5</etot><eband>-3.5</eband></total_energy>
<forces rank="2" dims="3 3" order="F">
${matrix(pushes(step))}
</forces>${more}`;
}
const stress = `<stress rank="2" dims="3 3" order="F">\n${matrix(STRESS)}\n</stress>`;
const xml = (body: string, creator = "PWSCF") =>
  `<?xml version="1.0" encoding="UTF-8"?>
<qes:espresso xsi:schemaLocation="http://www.quantum-espresso.org/ns/qes/qes-1.0">
<general_info><creator NAME="${creator}" VERSION="6.7MaX">XML file</creator></general_info>
<input><atomic_structure nat="3" alat="9.0"><atomic_positions><atom name="Zz" index="1">9 9 9</atom>
</atomic_positions><cell><a1>1 0 0</a1></cell></atomic_structure></input>
${body}
<status>0</status></qes:espresso>
`;

test("XML of pw.x: a single point, smeared or not converged", async () => {
  const { format, records, notes } = await readText(
    xml(`<output>${point(4, places(4), stress)}</output>`),
  );
  assert.equal(format, "Quantum ESPRESSO XML");
  assert.deepEqual([notes, records.length], [[], 1]);
  const [record] = records;
  assert.deepEqual([[...record.species], record.converged, record.info], [[1, 8, 1], true, [[
    "step",
    1,
  ]]]);
  assertClose(record.cell, CELL, 1e-12, "cell");
  assertClose(record.positions, places(4).flat().map((x) => BOHR * x), 1e-12, "places");
  assertClose([record.energy!], [-4.5 * HARTREE], 1e-12, "energy");
  assertClose(record.forces!, pushes(4).flat().map((x) => x * HARTREE / BOHR), 1e-12, "forces");
  assertClose(record.stress!, STRESS.flat().map((x) => -x * HARTREE / BOHR ** 3), 1e-12, "stress");
  const open = await readText(xml(`<output>${point(4, places(4), "", false)}</output>`));
  assert.deepEqual([open.records[0].converged, open.records[0].stress], [false, null]);
});

const STEP = (n: number) => `<step n_step="${n}">${point(n, places(n), "")}</step>`;

test("XML of pw.x: places that come after the last step are not those of its labels", async () => {
  const moved = `<output>${point(2, places(3), stress)}</output>`;
  const { records } = await readText(xml(STEP(1) + STEP(2) + moved));
  assert.equal(records.length, 2);
  assertClose(records[1].positions, places(2).flat().map((x) => BOHR * x), 1e-12, "places");
  assert.deepEqual(records.map((record) => record.stress !== null), [false, true]);
});

test("XML of pw.x: the last cycle of a vc-relax is a point of its own", async () => {
  const { records } = await readText(
    xml(`${STEP(1)}${STEP(2)}<output>${point(7, places(3), stress)}</output>`),
  );
  assert.deepEqual(records.map(({ energy }) => Math.round(energy! / HARTREE)), [-1, -2, -7]);
  assert.deepEqual(records[2].info, [["step", 3], ["final_scf", "T"]]);
  assert.deepEqual(records.map((record) => record.stress !== null), [false, false, true]);
});

test("XML of pw.x: no energy of nscf, no forces of another length, no places in other coordinates", async () => {
  const settings =
    "<input><control_variables><calculation>nscf</calculation></control_variables></input>";
  const zero = point(0, places(1), "").replace("-0.5", "0.0");
  const { records, notes } = await readText(xml(`${settings}<output>${zero}</output>`));
  assert.equal(records.length, 0);
  assert.match(notes[0], /its calculation is nscf, which has no energy of its own/);
  const short = STEP(1).replace(/(<forces[^>]*>\n).*\n/, "$1");
  await assert.rejects(readText(xml(short)), /its step 1 has forces or a stress of another length/);
  const crystal = STEP(1).replaceAll("atomic_positions", "crystal_positions");
  await assert.rejects(readText(xml(crystal)), /its places are crystal_positions/);
  const whole = xml(STEP(1));
  const two = await readText(whole.slice(0, whole.indexOf("<status")) + whole);
  assert.equal(two.records.length, 1, "the step of the first was not closed by an output");
  assert.match(two.notes[0], /^cut: it ends before its end, after step 0/);
});

test("XML of pw.x: cut files give their steps; those of cp.x and other labels are refused", async () => {
  const whole = xml(STEP(1) + STEP(2));
  const { records, notes } = await readText(whole.slice(0, whole.lastIndexOf("<forces")));
  assert.equal(records.length, 1);
  assert.match(notes[0], /^cut: it ends before its end, after step 1/);
  await assert.rejects(
    readText(xml(STEP(1), "CP")),
    /it is of cp\.x, whose forces are half of what it says/,
  );
  await assert.rejects(
    readText(xml(STEP(1).replace('"O"', '"Q1"'))),
    /its label "Q1" names no element/,
  );
  await assert.rejects(
    readText(xml(STEP(1).replace(/<cell>.*<\/cell>/, ""))),
    /its step 1 has no atoms or no cell/,
  );
});
