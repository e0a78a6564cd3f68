/** Files of LAMMPS, ASE and DeePMD: labels, signs and units; broken and odd files. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { npyBytes, npyHeader } from "../../src/io/npy.ts";
import { assertClose, projectPath } from "../support.ts";
import { readFiles, readText } from "./reading.ts";

const DUMP = `ITEM: TIMESTEP
10
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS xy xz yz pp pp ff
-1.0 4.5 0.5
0.0 5.5 -1.0
0.0 6.0 0.5
ITEM: ATOMS id element x y z
2 O 1.0 2.0 3.0
1 H 0.5 0.5 0.5
`;

test("LAMMPS dump: bounds of a tilted box, atoms by id, periodicity", async () => {
  const { format, records } = await readText(DUMP);
  assert.equal(format, "LAMMPS dump");
  const [record] = records;
  assert.deepEqual([...record.species], [1, 8]);
  // xy 0.5, xz -1, yz 0.5: x runs from -1 + 1 to 4.5 - 0.5, y from 0 to 5.5 - 0.5.
  assertClose(record.cell, [4, 0, 0, 0.5, 5, 0, -1, 0.5, 6], 1e-12, "cell");
  assertClose(record.positions, [0.5, 0.5, 0.5, 1, 2, 3], 1e-12, "the box begins at the origin");
  assert.deepEqual(record.pbc, [true, true, false]);
  assert.equal(record.forces, null);
});

const DUMP_ODD: [
  name: string,
  text: string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
  elements?: string[],
][] = [
  [
    "scaled places",
    DUMP.replace("x y z", "xs ys zs").replace("1 H 0.5 0.5 0.5", "1 H 0.5 0 0"),
    ({ records }) =>
      assertClose(records[0].positions.subarray(0, 3), [2, 0, 0], 1e-12, "half of a"),
  ],
  [
    "unwrapped places",
    DUMP.replace("x y z", "xu yu zu"),
    ({ records }) => assert.equal(records.length, 1),
  ],
  [
    "types with names",
    DUMP.replace("element", "type").replace("2 O", "2 2").replace("1 H", "1 1"),
    ({ records }) => assert.deepEqual([...records[0].species], [6, 7]),
    ["C", "N"],
  ],
  [
    "an orthogonal box that does not begin at 0",
    DUMP.replace("xy xz yz ", "").replace("-1.0 4.5 0.5", "-1.0 4.5")
      .replace("0.0 5.5 -1.0", "2.0 5.5").replace("0.0 6.0 0.5", "0.0 6.0"),
    ({ records }) => {
      assertClose(records[0].cell, [5.5, 0, 0, 0, 3.5, 0, 0, 0, 6], 1e-12, "cell");
      assertClose(records[0].positions.subarray(0, 3), [1.5, -1.5, 0.5], 1e-12, "places");
    },
  ],
  [
    "vectors of a general box",
    DUMP.replace("xy xz yz pp pp ff", "abc origin pp pp pp").replace("-1.0 4.5 0.5", "4 1 0 1")
      .replace("0.0 5.5 -1.0", "0 5 0 1").replace("0.0 6.0 0.5", "0 0 6 1"),
    ({ records }) => {
      assertClose(records[0].cell, [4, 1, 0, 0, 5, 0, 0, 0, 6], 1e-12, "cell");
      assertClose(records[0].positions.subarray(0, 3), [-0.5, -0.5, -0.5], 1e-12, "places");
    },
  ],
  [
    "metal units",
    `ITEM: UNITS\nmetal\n${
      DUMP.replace("x y z", "x y z fx fy fz vx vy vz")
        .replace("2.0 3.0", "2.0 3.0 1 2 3 4 5 6").replace(
          "0.5 0.5 0.5\n",
          "0.5 0.5 0.5 -1 -2 -3 7 8 9\n",
        )
    }`,
    ({ records }) => {
      assert.equal(records.length, 1);
      assertClose(records[0].forces!, [-1, -2, -3, 1, 2, 3], 1e-12, "forces");
      assertClose(records[0].velocities!, [7, 8, 9, 4, 5, 6].map((v) => v / 1000), 1e-12, "Å/fs");
    },
  ],
  [
    "forces without units",
    DUMP.replace("x y z", "x y z fx fy fz").replace("2.0 3.0", "2.0 3.0 1 2 3")
      .replace("0.5 0.5 0.5\n", "0.5 0.5 0.5 -1 -2 -3\n"),
    ({ records, notes }) => {
      assert.equal(records[0].forces, null);
      assert.match(notes[0], /its forces are not read: it does not state its units/);
    },
  ],
  [
    "a number of atoms that changes",
    DUMP + DUMP.replace("10\n", "20\n").replace("2\nITEM: BOX", "1\nITEM: BOX")
      .replace("2 O 1.0 2.0 3.0\n", ""),
    ({ records }) => assert.deepEqual(records.map((r) => r.species.length), [2, 1]),
  ],
  [
    "cut within a heading, and continued",
    DUMP + DUMP.slice(0, DUMP.indexOf("0.0 5.5")) + DUMP,
    ({ records, notes }) => {
      assert.equal(records.length, 2);
      assert.match(notes[0], /^cut: the snapshot of step 10 is cut short/);
    },
  ],
  [
    "killed within the atoms, and continued",
    DUMP.slice(0, DUMP.indexOf("1 H")) + DUMP,
    ({ records }) => assert.equal(records.length, 1),
  ],
  ["cut short", DUMP + DUMP.slice(0, -20), ({ records, notes }) => {
    assert.equal(records.length, 1);
    assert.match(notes[0], /^cut: the snapshot of step 10 is cut short at line \d+/);
  }],
];
for (const [name, text, check, elements] of DUMP_ODD) {
  test(`LAMMPS dump, ${name}`, async () => check(await readText(text, elements)));
}

const DUMP_REFUSED: [name: string, text: string, message: RegExp, elements?: string[]][] = [
  [
    "types without elements",
    DUMP.replace("element", "type").replace("2 O", "2 2").replace("1 H", "1 1"),
    /its atoms have types \(1, 2\) and no elements: name them with --species/,
  ],
  [
    "a type that is not named",
    DUMP.replace("element", "type").replace("2 O", "2 2").replace("1 H", "1 1"),
    /--species names no element for type 2/,
    ["C"],
  ],
  ["neither", DUMP.replace("element", "mol"), /neither element nor type/],
  [
    "no places",
    DUMP.replace("x y z", "ix iy iz"),
    /no columns x y z or xs ys zs: id element ix iy iz/,
  ],
  ["units of its own", `ITEM: UNITS\nlj\n${DUMP}`, /its units are lj/],
  ["no box", DUMP.replace(/ITEM: BOX[^I]*/, ""), /no box stands before its atoms/],
];
for (const [name, text, message, elements] of DUMP_REFUSED) {
  test(`LAMMPS dump, refused: ${name}`, async () => {
    await assert.rejects(readText(text, elements), message);
  });
}

/** An ASE trajectory of frames of arrays and results. */
function ulm(frames: readonly Record<string, unknown>[], magic = "- of Ulm"): Uint8Array {
  const parts: Buffer[] = [Buffer.alloc(48)];
  let at = 48;
  const add = (bytes: Buffer) => {
    const padded = Buffer.concat([bytes, Buffer.alloc((8 - bytes.length % 8) % 8)]);
    parts.push(padded);
    at += padded.length;
    return at - padded.length;
  };
  const offsets = frames.map((frame) => {
    const written = JSON.stringify(
      frame,
      (_, value) =>
        value instanceof Float64Array
          ? { ndarray: [[value.length / 3, 3], "float64", add(Buffer.from(value.buffer.slice(0)))] }
          : value,
    );
    const text = Buffer.from(written, "utf8");
    const length = Buffer.alloc(8);
    length.writeBigInt64LE(BigInt(text.length));
    return add(Buffer.concat([length, text]));
  });
  const table = Buffer.alloc(8 * offsets.length);
  offsets.forEach((offset, i) => table.writeBigInt64LE(BigInt(offset), 8 * i));
  const place = add(table);
  parts[0].write(magic + "ASE-Trajectory", 0, "latin1");
  parts[0].writeBigInt64LE(3n, 24);
  parts[0].writeBigInt64LE(BigInt(frames.length), 32);
  parts[0].writeBigInt64LE(BigInt(place), 40);
  return Buffer.concat(parts);
}

const ATOMS = {
  "numbers.": [1, 8],
  "cell": [[4, 0, 0], [0, 5, 0], [0, 0, 6]],
  "pbc": [true, true, false],
  "positions.": Float64Array.of(0, 0, 0, 0, 0, 1),
};
const RESULTS = {
  "calculator.": {
    name: "vasp",
    energy: -5,
    free_energy: -5.5,
    "forces.": Float64Array.of(1, 2, 3, -1, -2, -3),
    "stress.": [1, 2, 3, 4, 5, 6],
  },
};

test("ASE trajectory: results of its calculator, and what stands in the first frame alone", async () => {
  const second = {
    "positions.": Float64Array.of(0, 0, 0, 0, 0, 2),
    "momenta.": Float64Array.of(1, 0, 0, 0, 0, 0),
  };
  const { format, records, notes } = await readText(ulm([{ ...ATOMS, ...RESULTS }, second]));
  assert.equal(format, "ASE trajectory");
  assert.deepEqual(notes, []);
  assert.equal(records[0].energy, -5.5, "the free energy");
  assert.deepEqual(records[0].info, [["energy_sigma0", -5]]);
  assert.deepEqual([...records[0].stress!], [1, 6, 5, 6, 2, 4, 5, 4, 3]);
  assert.deepEqual(records[0].pbc, [true, true, false]);
  assert.deepEqual([...records[1].species], [1, 8]);
  assert.deepEqual([records[1].energy, records[1].forces], [null, null], "its own labels alone");
  assertClose([records[1].velocities![0]], [0.0982269 / 1.008], 1e-5, "one u Å √(eV/u)/u in Å/fs");
});

test("ASE trajectory: motion and masses are a frame's own; energies that are no number, or an array", async () => {
  const moving = {
    ...ATOMS,
    "momenta.": Float64Array.of(1, 0, 0, 0, 0, 0),
    "masses.": [2.014, 16],
  };
  const { records } = await readText(ulm([moving, { "positions.": ATOMS["positions."] }]));
  assertClose([records[0].velocities![0]], [0.0982269 / 2.014], 1e-5, "deuterium");
  assert.equal(records[1].velocities, null);
  const odd = ulm([{ ...ATOMS, "calculator.": { energy: [-4] } }]);
  assert.equal((await readText(odd)).records[0].energy, -4);
  const nan = Buffer.from(ulm([{ ...ATOMS, "calculator.": { energy: -7.25 } }]));
  nan.write("NaN  ", nan.indexOf("-7.25"));
  assert.ok(Number.isNaN((await readText(nan)).records[0].energy));
  await assert.rejects(readText(ulm([{ ...ATOMS, _little_endian: false }])), /big-endian/);
});

test("ASE trajectory: the old magic; cut short; damaged", async () => {
  const bytes = ulm([{ ...ATOMS, ...RESULTS }, { ...ATOMS }], "AFFormat");
  assert.equal((await readText(bytes)).records.length, 2);
  await assert.rejects(readText(bytes.subarray(0, 40)), /cut short/);
  await assert.rejects(readText(bytes.subarray(0, 60)), /damaged/);
  const none = ulm([{ "numbers.": [1] }]);
  await assert.rejects(readText(none), /file@0: it has no positions or elements/);
});

function npy(
  values: readonly number[],
  shape: readonly number[],
  type: "<f4" | "<f8" = "<f8",
): Uint8Array {
  return Buffer.concat([npyHeader(shape, type), npyBytes(values, type)]);
}

test("DeePMD arrays: virials become stress; elements by type_map.raw or --species", async () => {
  const files = {
    "sys/type.raw": "0\n1\n",
    "sys/type_map.raw": "H\nO1\n",
    "sys/set.000/coord.npy": npy([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2], [2, 6], "<f4"),
    "sys/set.000/box.npy": npy([4, 0, 0, 0, 5, 0, 0, 0, 6, 4, 0, 0, 0, 5, 0, 0, 0, 6], [2, 9]),
    "sys/set.000/energy.npy": npy([-3, -4], [2]),
    "sys/set.000/virial.npy": npy([120, 0, 0, 0, 240, 0, 0, 0, 0, ...new Array(9).fill(0)], [2, 9]),
  };
  const { format, records } = await readFiles(files);
  assert.equal(format, "DeePMD arrays");
  assert.deepEqual(records.map(({ energy }) => energy), [-3, -4]);
  assert.deepEqual([...records[0].species], [1, 8]);
  assertClose(records[0].stress!, [-1, 0, 0, 0, -2, 0, 0, 0, 0], 1e-12, "-W / V");
  assert.equal(records[0].forces, null);
  const { "sys/type_map.raw": _map, ...unnamed } = files;
  await assert.rejects(readFiles(unnamed), /no type_map\.raw: name the elements of types 0, 1/);
  assert.deepEqual([...(await readFiles(unnamed, ["C", "N"])).records[0].species], [6, 7]);
  const free = await readFiles({ ...files, "sys/nopbc": "" });
  assert.deepEqual(free.records[0].pbc, [false, false, false]);
  assert.equal(free.records[0].stress, null);
  const wrong = { ...files, "sys/set.000/coord.npy": npy([0, 0, 0, 0], [1, 4]) };
  await assert.rejects(readFiles(wrong), /coord\.npy: it holds 4 numbers, expected 6/);
  const short = { ...files, "sys/set.000/energy.npy": npy([-3], [1]) };
  await assert.rejects(readFiles(short), /energy\.npy: it has 1 rows, and coord\.npy has 2/);
  const mixed = { ...files, "sys/set.000/real_atom_types.npy": npy([0, 1, 1, 0], [2, 2]) };
  await assert.rejects(readFiles(mixed), /types of their own \(real_atom_types\.npy\)/);
});

test("what is no output is left to extended XYZ", async () => {
  for (
    const text of ["2\n\nH 0 0 0\nH 0 0 0.8\n", "hello", "<?xml version='1.0'?><svg/>", "ITEM\n"]
  ) {
    assert.equal((await readText(text)).format, null, text);
  }
});

test("the file that LAMMPS wrote for another test is read", async () => {
  const text = readFileSync(projectPath("tests/golden/lennard_jones_1.dump"), "utf8");
  const dump = text.slice(text.indexOf("ITEM:")).replace("ATOMS id", "ATOMS id type")
    .replace(/^(\d+) (?=[-\d.]+ [-\d.]+ [-\d.]+ [-\d.]+ )/gm, "$1 1 ");
  const { records: [record] } = await readText(dump, ["Ar"]);
  assertClose(record.cell, [5.3, 0, 0, 1.06, 5.3, 0, -0.795, 1.59, 5.3], 1e-12, "cell");
});
