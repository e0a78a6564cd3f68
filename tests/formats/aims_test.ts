/** Outputs of FHI-aims: labels, signs and units; broken and odd files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "../support.ts";
import { aimsOutput, readText } from "./reading.ts";

const CELL = [4, 0, 0, 0.5, 4.5, 0, 0, 0.25, 5];
const FORCES = [0.5, -0.25, 0.125, -0.5, 0.25, -0.125];
const whole = aimsOutput([[0.1, 0.2, 0.3], [0.9, 0.25, 0.35]], CELL);
/** The same with a step of dynamics that comes after it, and its end. */
const END = "          Have a nice day.\n";
const MOVED = `------------------------------------------------------------
  Atomic structure (and velocities) as used in the preceding time step:
                      x [A]             y [A]             z [A]       Atom
   atom               4.10000000        0.20000000        0.30000000  H
     velocity          -6.24267483         -2.44688549          4.72721690
   atom               0.90000000        0.25000000        0.35000000  O
     velocity           2.14068370          7.32410581         -3.65858527
------------------------------------------------------------
`;
const AGAIN = `          Begin self-consistency loop: Re-initialization.
  | Electronic free energy        :        -1.0 Ha       -27.0 eV
  Self-consistency cycle converged.
  | Total energy uncorrected      :         -0.800E+01 eV
  | Total energy corrected        :         -0.801E+01 eV  <-- do not rely on this value
  | Electronic free energy        :         -0.802E+01 eV
  Total atomic forces (unitary forces cleaned) [eV/Ang]:
  |   1          0.100000000000000E+01          0.000000000000000E+00          0.000000000000000E+00
  |   2         -0.100000000000000E+01          0.000000000000000E+00          0.000000000000000E+00
`;

test("FHI-aims: the free energy, forces, and the stress with ASE's sign", async () => {
  const { format, records: [record], notes } = await readText(whole);
  assert.equal(format, "FHI-aims output");
  assert.deepEqual(notes, []);
  assert.deepEqual([[...record.species], record.pbc, record.converged], [
    [1, 8],
    [true, true, true],
    true,
  ]);
  assertClose(record.cell, CELL, 1e-12, "cell");
  assertClose(record.positions, [0.1, 0.2, 0.3, 0.9, 0.25, 0.35], 1e-12, "places");
  assertClose([record.energy!], [-7.52], 1e-12, "the free energy");
  assert.deepEqual(record.info, [["step", 1], ["energy_sigma0", -7.51]]);
  assertClose(record.forces!, FORCES, 1e-12, "forces");
  // Pressure 0.002 eV/Å³ in the file.
  assertClose(record.stress!, [-1e-3, 1e-4, 0, 1e-4, -2e-3, 0, 0, 0, -3e-3], 1e-12, "stress");
});

const ODD: [
  name: string,
  text: string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
][] = [
  [
    "dynamics print the places of a step after its labels",
    whole.replace(END, MOVED + AGAIN + END),
    ({ records }) => {
      assert.equal(records.length, 2);
      assertClose([records[0].positions[0], records[0].energy!], [4.1, -7.52], 1e-12, "the first");
      assertClose([records[1].forces![0], records[1].energy!], [1, -8.02], 1e-12, "the second");
      assert.equal(records[1].stress, null, "no stress of the step before");
    },
  ],
  [
    "a relaxation prints the places of the next step",
    whole.replace(END, `${UPDATED()}${AGAIN}${END}`),
    ({ records }) => {
      assertClose([records[0].positions[0], records[0].cell[0]], [0.1, 4], 1e-12, "the first");
      assertClose([records[1].positions[0], records[1].cell[0]], [0.15, 4.1], 1e-12, "the second");
    },
  ],
  [
    "a molecule",
    whole.replace(/ {2}\| Unit cell:\n(?:.*\n){3}/, "  | No unit cell requested.\n"),
    ({ records }) => {
      assert.deepEqual(records[0].pbc, [false, false, false]);
    },
  ],
  [
    "forces on which constraints were applied",
    whole.replace(
      "(unitary forces cleaned)",
      "(unitary forces were cleaned, then relaxation constraints were applied)",
    ),
    ({ records, notes }) => {
      assert.equal(records[0].forces, null, "absent, not zero");
      assert.match(notes[0], /forces of 1 steps are not read: constraints were applied/);
    },
  ],
  [
    "not converged",
    whole.replace("  Self-consistency cycle converged.\n", "  SCF cycle not converged.\n"),
    ({ records }) => {
      assert.equal(records[0].converged, false);
    },
  ],
  [
    "killed within the forces of the second step",
    whole.replace(END, MOVED + AGAIN.slice(0, -60)),
    ({ records, notes }) => {
      assert.equal(records.length, 1);
      assert.match(notes[0], /^cut: step 2 is left out: the run is cut short at line \d+/);
    },
  ],
  [
    "killed before the first energy",
    whole.slice(0, whole.indexOf("  | Electronic free")),
    ({ records, notes }) => {
      assert.equal(records.length, 0);
      assert.match(notes[0], /^cut: step 1 is left out/);
    },
  ],
  ["two runs in one file", whole + whole, ({ records }) => assert.equal(records.length, 2)],
  ["CRLF", whole.replaceAll("\n", "\r\n"), ({ records }) => {
    assertClose(records[0].forces!, FORCES, 1e-12, "forces");
    assert.ok(records[0].stress);
  }],
];

function UPDATED(): string {
  return `  Updated atomic structure:
                         x [A]             y [A]             z [A]
  lattice_vector         4.10000000        0.00000000        0.00000000
  lattice_vector         0.50000000        4.50000000        0.00000000
  lattice_vector         0.00000000        0.25000000        5.00000000

            atom         0.15000000        0.20000000        0.30000000  H
            atom         0.90000000        0.25000000        0.35000000  O

  Fractional coordinates:
       atom_frac         0.90000000        0.00000000        0.00000000  H
       atom_frac         0.25000000        0.25000000        0.25000000  O
`;
}

for (const [name, text, check] of ODD) {
  test(`FHI-aims, ${name}`, async () => check(await readText(text)));
}

const ADVANCING = "  Molecular dynamics: Attempting to update all nuclear coordinates.\n";

test("FHI-aims: labels of dynamics are left out where their places, which follow, are missing", async () => {
  const moved = whole.replace(END, ADVANCING + MOVED + AGAIN);
  for (
    const [name, text] of [
      ["cut behind the forces", moved + ADVANCING],
      ["and another run in the same file", moved + ADVANCING + whole],
      ["cut before the forces", moved.slice(0, moved.lastIndexOf("  Total atomic forces"))],
    ]
  ) {
    const { records, notes } = await readText(text);
    assertClose([records[0].positions[0], records[0].energy!], [4.1, -7.52], 1e-12, name);
    assert.ok(records.every(({ energy }) => energy !== -8.02), name);
    assert.match(notes[0], /^cut: step 2 is left out/, name);
  }
});

test("FHI-aims: rows between the atoms of a later structure, and fractional ones", async () => {
  const [first, second] = MOVED.split("\n").filter((row) => row.startsWith("   atom"));
  const moment = MOVED.replace(second, `     initial_moment 1.0\n${second}`);
  const read = await readText(whole.replace(END, ADVANCING + moment + END));
  assertClose([read.records[0].positions[0]], [4.1], 1e-12, "places");
  const fractional = MOVED.replace(first, "   atom_frac 0.5 0 0 H").replace(
    second,
    "   atom_frac 0 0.5 0 O",
  );
  const { records } = await readText(whole.replace(END, ADVANCING + fractional + END));
  assertClose(records[0].positions, [2, 0, 0, 0.25, 2.25, 0], 1e-12, "places");
  await assert.rejects(
    readText(whole.replace(END, ADVANCING + MOVED.replace(`${second}\n`, "") + END)),
    /its structure has 1 atoms, expected 2/,
  );
  await assert.rejects(
    readText(whole.replace("Species O", "Ghost O")),
    /"Ghost O" is no atom that is read/,
  );
});

test("FHI-aims: a species that is no element is refused", async () => {
  await assert.rejects(readText(whole.replace("Species H ", "Species Q ")), /"Q" names no element/);
});
