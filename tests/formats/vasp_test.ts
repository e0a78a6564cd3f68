/** Outputs of VASP: labels, signs and units; and files that are broken or odd. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrameRecord } from "../../src/io/formats/frame_record.ts";
import { assertClose } from "../support.ts";
import { CELL, latin1, outcar, readFiles, readText, step, vasprun } from "./reading.ts";

/** One eV/Å³ in kB. */
const KILOBAR = 1602.176634;

function assertStep(record: FrameRecord, n: number, digits: number): void {
  const { positions, forces, energy, stress: [xx, yy, zz, xy, yz, zx] } = step(n);
  assert.deepEqual([...record.species], [1, 1]);
  assertClose(record.positions, positions.flat(), digits, "positions");
  assertClose(record.cell, CELL.flat(), digits, "cell");
  assert.deepEqual(record.pbc, [true, true, true]);
  assert.equal(record.energy, energy);
  assertClose(record.forces!, forces.flat(), 1e-12, "forces");
  const tensor = [xx, xy, zx, xy, yy, yz, zx, yz, zz].map((x) => -x / KILOBAR);
  assertClose(record.stress!, tensor, 1e-12, "stress, ASE's sign");
  const info = new Map(record.info);
  assert.ok(Math.abs(Number(info.get("energy_sigma0")) - energy - 0.1) < 1e-9);
  assert.equal(info.get("step"), n);
  assert.equal(record.converged, true);
}

for (
  const [name, write, digits] of [["OUTCAR", outcar, 1e-12], [
    "vasprun.xml",
    vasprun,
    1e-7,
  ]] as const
) {
  test(`${name}: free energies, forces, stress, cells and elements of every step`, async () => {
    const { format, records, notes } = await readText(write(3));
    assert.equal(format, `VASP ${name}`);
    assert.deepEqual(notes, []);
    assert.equal(records.length, 3);
    records.forEach((record, i) => assertStep(record, i + 1, digits));
  });

  test(`${name} cut at any line gives its whole steps and says that it is cut`, async () => {
    const lines = write(3).split("\n");
    let whole = 0;
    for (let n = 1; n < lines.length - 2; n += 3) {
      const { records, notes, format } = await readText(lines.slice(0, n).join("\n"));
      if (format === null) continue;
      assert.ok(records.length >= whole, `${n} lines`);
      whole = records.length;
      records.forEach((record, i) => assert.equal(record.energy, step(i + 1).energy));
      if (name !== "OUTCAR") {
        assert.match(notes[0] ?? "", /^cut: it ends before its end/, `${n} lines`);
      }
    }
    assert.equal(whole, 2);
  });

  test(`${name}: stars are not numbers, and the rest stays`, async () => {
    const text = write(2).replace(/ -0\.25(0+) /, " ********* ");
    const { records } = await readText(text);
    assert.equal(records.length, 2);
    const bad = [...records[0].forces!].filter(Number.isNaN).length;
    assert.ok(bad >= 1 && bad <= 3, `${bad} numbers`);
    assert.ok([...records[1].forces!].every(Number.isFinite));
  });

  test(`${name}: with ISIF = 1 there is no stress`, async () => {
    const { records } = await readText(write(1).replace(/(ISIF(?: {3}=|">)) +2/, "$1 1"));
    assert.equal(records[0].stress, null);
    assert.ok(records[0].forces);
  });

  test(`${name} with CRLF, and in Latin-1`, async () => {
    const text = write(2).replaceAll("\n", "\r\n").replace("PAW_PBE H", "PAW_PBE H \xe9");
    const { records } = await readText(latin1(text));
    assert.equal(records.length, 2);
    assertStep(records[1], 2, digits);
  });
}

/** What OUTCARs say in other ways. */
const ODD: [
  name: string,
  change: (text: string) => string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
][] = [
  [
    "cut within a table of forces",
    (t) => t.slice(0, t.lastIndexOf("  -0.500000")),
    ({ records, notes }) => {
      assert.equal(records.length, 1);
      assert.match(notes[0], /^cut: step 2 is cut short at line \d+ and left out/);
    },
  ],
  [
    "forces without van der Waals beside the total ones",
    (t) =>
      t.replace(/(TOTAL-FORCE \(eV\/Angst\))/g, "$1,   FORCE-w/o vdW (eV/Angst)")
        .replace(/(0\.500000 .*)$/gm, "$1   9.0 9.0 9.0"),
    ({ records }) => assertStep(records[0], 1, 1e-12),
  ],
  [
    "two runs of other atoms, one after another",
    (t) => `${t}${t.replaceAll("PAW_PBE H", "PAW_PBE O").replace("VRHFIN =H", "VRHFIN =O")}`,
    ({ records }) => {
      assert.deepEqual(records.map(({ species }) => [...species]), [[1, 1], [1, 1], [8, 8], [
        8,
        8,
      ]]);
    },
  ],
  [
    "killed within a table, and continued in the same file",
    (t) => t.slice(0, t.lastIndexOf("  -0.500000")) + "\n" + t,
    ({ records, notes }) => {
      assert.deepEqual(records.map(({ energy }) => energy), [1, 1, 2].map((n) => step(n).energy));
      assert.match(notes[0], /^cut: step 2 is cut short/);
    },
  ],
  ["energies before the places, as VASP 5.2 has them", (t) => {
    const lines = t.split("\n");
    const moved = lines.filter((line) => /^ {2}(free {2}energy|energy {2}without)/.test(line));
    const rest = lines.filter((line) => !moved.includes(line));
    let k = 0;
    return rest.flatMap((line) =>
      line.startsWith(" POSITION") ? [...moved.slice(2 * k, 2 * ++k), line] : [line]
    ).join("\n");
  }, ({ records }) => {
    assert.equal(records.length, 2);
    records.forEach((record, i) => assertStep(record, i + 1, 1e-12));
  }],
  [
    "steps without places",
    (t) => t.replace(/^ POSITION[^]*?-{20,}\n[^]*?-{20,}\n/m, ""),
    ({ records, notes }) => {
      assert.deepEqual(records.map(({ energy }) => energy), [step(2).energy]);
      assert.match(notes[0], /1 steps have no places/);
    },
  ],
  [
    "NELM used up, EDIFF said to be reached, and it is not",
    (t) =>
      t.replace("   ISIF", "   EDIFF  = 0.1E-05   stopping\n   ISIF")
        .replace("(   2)", "(  60)").replace(
          "------------------------ aborting",
          "  total energy-change (2. order) :-0.2360000E-02  (-0.1E-01)\n------------------------ aborting",
        ),
    ({ records }) => assert.deepEqual(records.map(({ converged }) => converged), [false, true]),
  ],
  [
    "stars grown together in forces and stress",
    (t) =>
      t.replace(/ {3,}0\.500000 +-0\.250000/, (own) => `   ${"*".repeat(own.length - 3)}`)
        .replace("    11.00000    20.00000", "************************"),
    ({ records }) => {
      assert.equal(records.length, 2);
      assertClose(records[0].positions, step(1).positions.flat(), 1e-12, "places");
      assert.ok([...records[0].forces!.subarray(0, 3)].every(Number.isNaN));
      assert.ok([...records[0].stress!].every(Number.isNaN), "no number in another's place");
    },
  ],
  [
    "a line of the launcher first",
    (t) => `mpirun: 16 processes\n${t}`,
    ({ records }) => assert.equal(records.length, 2),
  ],
  [
    "a last line without an end",
    (t) => t.slice(0, -4),
    ({ records }) => assert.equal(records.length, 1),
  ],
  [
    "numbers glued by a minus sign",
    (t) => t.replace(/ +-0\.250000/g, "-0.250000"),
    ({ records }) => assertStep(records[0], 1, 1e-12),
  ],
  [
    "all electronic steps used up",
    (t) => t.replace("(   2)", "(  60)").replace(/-+ aborting loop.*\n/, ""),
    ({ records }) => {
      assert.equal(records[0].converged, false);
      assert.equal(records[1].converged, true);
    },
  ],
  [
    "EDIFF reached in the last electronic step",
    (t) => t.replace("(   2)", "(  60)"),
    ({ records }) => assert.equal(records[0].converged, true),
  ],
  [
    "no stress",
    (t) => t.replace(/^ {2}in kB.*\n/gm, ""),
    ({ records }) => assert.equal(records[1].stress, null),
  ],
  [
    "NWRITE = 0: no VRHFIN",
    (t) => t.replace(/^ {3}(VRHFIN|TITEL).*\n/gm, ""),
    ({ records }) => assertStep(records[1], 2, 1e-12),
  ],
  ["steps of a force field", (t) => {
    const first = t.indexOf("-------");
    const ml = t.slice(
      first,
      t.indexOf("-------", t.indexOf("sigma->0) =", t.indexOf("POSITION"))),
    );
    const other = ml.replace("   0.10000 ", "   0.15000 ").replace(
      "free  energy   TOTEN",
      "free  energy ML TOTEN",
    )
      .replace("  energy  without entropy=", "  ML energy  without entropy=").replace(
        /^-.*\n/gm,
        "",
      );
    return `${t}${other}`;
  }, ({ records, notes }) => {
    assert.equal(records.length, 3);
    assert.deepEqual([records[2].energy, records[2].forces, records[2].stress], [null, null, null]);
    assert.deepEqual(records[2].info, [["ml", "T"]]);
    assert.match(notes[0], /^1 steps of a machine-learned force field/);
  }],
];
for (const [name, change, check] of ODD) {
  test(`OUTCAR, ${name}`, async () => check(await readText(change(outcar(2)))));
}

/** OUTCARs that say too little. */
const REFUSED: [name: string, change: (text: string) => string, message: RegExp][] = [
  [
    "no elements",
    (t) => t.replace(/^.*(POTCAR|VRHFIN|TITEL).*\n/gm, ""),
    /1 types of ions and 0 elements: none/,
  ],
  [
    "names that differ",
    (t) => t.replace("VRHFIN =H:", "VRHFIN =He:"),
    /type 1 is H by the POTCAR and He by VRHFIN/,
  ],
  [
    "types that are not all written",
    (t) => t.replace("NIONS =      2", "NIONS =     12"),
    /2 ions together, and NIONS is 12/,
  ],
  [
    "no numbers of ions",
    (t) => t.replace(/^ {3}ions per type.*\n/m, ""),
    /how many ions of each type/,
  ],
];
for (const [name, change, message] of REFUSED) {
  test(`OUTCAR, refused: ${name}`, async () => {
    await assert.rejects(readText(change(outcar(1))), message);
  });
}

test("vasprun.xml: steps of a force field have no labels", async () => {
  const text = vasprun(2);
  const structure = text.slice(
    text.indexOf("<structure>"),
    text.indexOf("</structure>", text.indexOf("<structure>")) + 12,
  );
  const { records, notes } = await readText(
    text.replace("</modeling>", `${structure}\n</modeling>`),
  );
  assert.equal(records.length, 3);
  assert.deepEqual([records[2].energy, records[2].forces], [null, null]);
  assert.match(notes[0], /^1 steps of a machine-learned force field/);
});

test("vasprun.xml: as many electronic steps as NELM are not converged", async () => {
  const { records } = await readText(vasprun(1).replace('NELM">    60', 'NELM">     2'));
  assert.equal(records[0].converged, false);
});

test("vasprun.xml: electronic steps of a linear response behind the energy are not the step's", async () => {
  const more =
    '<scstep><energy><i name="e_fr_energy"> -0.5 </i><i name="e_0_energy"> -0.4 </i></energy></scstep>\n';
  const { records } = await readText(
    vasprun(1).replace("<eigenvalues>", `${more.repeat(70)}<eigenvalues>`),
  );
  assertStep(records[0], 1, 1e-7);
});

test("vasprun.xml: a calculation without places is left out; an unknown element is named", async () => {
  const bare = "<calculation><dielectricfunction></dielectricfunction></calculation>\n";
  const { records, notes } = await readText(
    vasprun(1).replace("</modeling>", `${bare}</modeling>`),
  );
  assert.equal(records.length, 1);
  assert.match(notes[0], /1 calculations have no places/);
  await assert.rejects(
    readText(vasprun(1).replace("<c>H </c><c>   1</c>", "<c>X </c><c>   1</c>")),
    /element "X" is not known/,
  );
});

test("vasprun.xml: a broken tag in the middle gives the steps before it", async () => {
  const text = vasprun(3);
  const at = text.indexOf("</calculation>", text.indexOf("</calculation>") + 5);
  const { records } = await readText(text.slice(0, at));
  assert.equal(records.length, 1);
});

const XDATCAR = `unknown system
           1
     4.000000    0.000000    0.000000
     0.000000    5.000000    0.000000
     0.000000    0.000000    6.000000
   H    O
   1   1
Direct configuration=     1
   0.25000000  0.50000000 -0.50000000
   0.75000000-0.50000000  0.12500000
Direct configuration=     2
   0.26000000  0.50000000 -0.50000000
   0.75000000  0.50000000  0.12500000
`;

test("XDATCAR: places without labels, in the cell before them", async () => {
  const { format, records } = await readText(XDATCAR);
  assert.equal(format, "VASP XDATCAR");
  assert.equal(records.length, 2);
  assert.deepEqual([...records[0].species], [1, 8]);
  assertClose(records[0].positions, [1, 2.5, -3, 3, -2.5, 0.75], 1e-12, "positions, glued numbers");
  assert.equal(records[0].energy, null);
});

test("XDATCAR: a cell that changes, a scale, a volume for a scale, suffixes of elements", async () => {
  const moved = XDATCAR.replace(
    "Direct configuration=     2",
    `unknown system\n  -240\n 4 0 0\n 0 5 0\n 0 0 6\n   H_GW   O/abc\n   1   1\nDirect configuration=     2`,
  );
  const { records } = await readText(moved);
  const factor = Math.cbrt(240 / 120);
  assertClose(records[1].cell, [4, 0, 0, 0, 5, 0, 0, 0, 6].map((x) => factor * x), 1e-12, "cell");
  const scaled = await readText(XDATCAR.replace("           1\n", "         2.0\n"));
  assertClose(scaled.records[0].positions, [2, 5, -6, 6, -5, 1.5], 1e-12, "positions");
});

test("XDATCAR: cut short, and without elements", async () => {
  const { records, notes } = await readText(XDATCAR.slice(0, -40));
  assert.equal(records.length, 1);
  assert.match(notes[0], /^cut: a configuration is cut short at line \d+/);
  await assert.rejects(
    readText(XDATCAR.replace("   H    O\n", "   1    2\n")),
    /file:\d+: it does not name its elements/,
  );
});

test("files are known by their content, not by their names", async () => {
  const read = async (files: Record<string, string | Uint8Array>) =>
    (await readFiles(files)).format;
  assert.equal(await read({ "notes.txt": outcar(1) }), "VASP OUTCAR");
  assert.equal(await read({ OUTCAR: XDATCAR }), "VASP XDATCAR");
  assert.equal(await read({ OUTCAR: "2\n\nH 0 0 0\nH 0 0 0.8\n" }), null);
  assert.equal(await read({ OUTCAR: "" }), null);
  await assert.rejects(read({ "a.traj": latin1("\x80\x04\x95") }), /Python pickle/);
});
