/** Data files of LAMMPS, trajectories of CASTEP, databases of ASE, raw files of DeePMD; broken and odd ones. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { assertClose } from "../support.ts";
import { numbersOf } from "../../src/io/formats/lines.ts";
import { readFiles, readText } from "./reading.ts";

const DATA = `LAMMPS data file via write_data, version 30 Jul 2021, timestep = 0, units = metal

3 atoms
2 atom types

1.0 11.0 xlo xhi
-2.0 7.0 ylo yhi
0.5 8.5 zlo zhi
1.0 0.5 0.25 xy xz yz

Masses

1 15.9994 # O
2 1.00794 # H

Pair Coeffs # lj/cut

1 1 1
2 1 1

Atoms # full

12 1 2 0.41 2.0 -1.0 1.5 0 0 0
3 1 1 -0.82 1.0 -2.0 0.5 0 0 0
7 1 2 0.41 3.0 -2.0 0.5 0 0 0

Velocities

12 0 0 0
3 0 0 0
7 0 0 0
`;

test("LAMMPS data: the box, its origin, atoms by id, and elements of names and masses that agree", async () => {
  const { format, records: [record], notes } = await readText(DATA);
  assert.equal(format, "LAMMPS data");
  assert.deepEqual([[...record.species], record.energy, record.forces, notes], [
    [8, 1, 1],
    null,
    null,
    [],
  ]);
  assertClose(record.cell, [10, 0, 0, 1, 9, 0, 0.5, 0.25, 8], 1e-12, "cell");
  assertClose(record.positions, [0, 0, 0, 2, 0, 0, 1, 1, 1], 1e-12, "places");
});

const untilted = DATA.replace(/.*xy xz yz\n/, "");
const DATA_ODD: [
  name: string,
  text: string,
  check: (read: Awaited<ReturnType<typeof readText>>) => void,
][] = [
  ["an orthogonal box", untilted, ({ records }) => {
    assertClose(records[0].cell, [10, 0, 0, 0, 9, 0, 0, 0, 8], 1e-12, "cell");
  }],
  [
    "three vectors",
    untilted.replace(/.*[xyz]lo .*\n/g, "").replace(
      "2 atom types\n",
      "2 atom types\n9 0 0 avec\n0 8 1 bvec\n0 2 7 cvec\n1 -2 0.5 abc origin\n",
    ),
    ({ records }) => {
      assertClose(records[0].cell, [9, 0, 0, 0, 8, 1, 0, 2, 7], 1e-12, "cell");
      assertClose(records[0].positions.subarray(0, 3), [0, 0, 0], 1e-12, "places");
    },
  ],
  [
    "five columns without a style",
    DATA.replace("# full", "").replace(/^(\d+) 1 ([12]) \S+ (.*) 0 0 0$/gm, "$1 $2 $3"),
    ({ records }) => {
      assert.deepEqual([...records[0].species], [8, 1, 1]);
    },
  ],
];
for (const [name, text, check] of DATA_ODD) {
  test(`LAMMPS data, ${name}`, async () => check(await readText(text)));
}

test("LAMMPS data: type labels, a comment of any kind, units that are not said, a last line without an end", async () => {
  const labelled = DATA.replace("Masses", "Atom Type Labels\n\n1 O\n2 H\n\nMasses")
    .replace("1 15.9994 # O", "O 15.9994").replace("2 1.00794 # H", "H 1.00794")
    .replace("12 1 2 ", "12 1 H ").replace(/^LAMMPS.*/, "8 atoms of water, 0 1 xlo xhi").trimEnd();
  const { records: [record], notes } = await readText(
    labelled.slice(0, labelled.indexOf("\n\nVelocities")),
  );
  assert.deepEqual([...record.species], [8, 1, 1]);
  assertClose(record.positions, [0, 0, 0, 2, 0, 0, 1, 1, 1], 1e-12, "places");
  assert.match(notes[0], /it does not say its units: lengths are taken as Å/);
  const electrons = DATA.replace("# full", "").replace(
    /^(\d+) 1 ([12]) \S+ (.*) 0 0 0$/gm,
    "$1 $2 0.5 1.5 2.5 $3",
  );
  await assert.rejects(readText(electrons), /what its 8 columns are is not known/);
  await assert.rejects(readText(DATA.replace("7 1 2", "3 1 2")), /says 3 atoms, each once/);
  await assert.rejects(
    readText(DATA.replace("# full", "# constructor")),
    /what its 10 columns are/,
  );
});

test("numbers of Fortran: exponents without a letter, signs that grew together, no hexadecimals", () => {
  assert.deepEqual(numbersOf("1.0 0.5-100 2.5+123 1.5D-03"), [1, 5e-101, 2.5e123, 1.5e-3]);
  assert.deepEqual(numbersOf("-0.63-0.11 5-100 0.5-1000.5"), [-0.63, -0.11, 5, -100, 0.5, -1000.5]);
  assert.deepEqual(numbersOf("0x10 ****"), [NaN, NaN]);
});

test("LAMMPS data: types are no elements, and columns are not guessed", async () => {
  const unnamed = DATA.replace("# O", "# ow").replace("# H", "# hw");
  await assert.rejects(
    readText(unnamed),
    /its atoms have types and no elements: name them with --species/,
  );
  assert.deepEqual([...(await readText(unnamed, ["S", "Li"])).records[0].species], [16, 3, 3]);
  const calcium = DATA.replace("15.9994 # O", "12.011 # Ca");
  await assert.rejects(
    readText(calcium),
    /no element is named for type 1/,
    "Ca of a force field, by its mass no calcium",
  );
  await assert.rejects(
    readText(DATA.replace("# full", "")),
    /what its 10 columns are is not known: write the style/,
  );
  await assert.rejects(readText(DATA.replace("units = metal", "units = lj")), /its units are lj/);
  await assert.rejects(
    readText(DATA.replace("3 atoms", "4 atoms")),
    /it has 3 rows of Atoms, and says 4 atoms/,
  );
});

const [HARTREE, BOHR] = [27.211386245988, 0.529177210903];
const number = (x: number) => x.toExponential(16).replace("e", "E").padStart(27);
const tagged = (
  table: readonly (readonly number[])[],
  tag: string,
  names: readonly string[] = [],
) =>
  table.map((row, n) =>
    `${names[n] === undefined ? "" : ` ${names[n].padEnd(2)}  1 `}${
      row.map(number).join("")
    }  <-- ${tag}\n`
  ).join("");
const NAMES = ["H", "O:1"];
const R = [[0, 0.5, 1], [2, 2.5, 3]];
const F = [[0.01, 0, -0.02], [-0.01, 0, 0.02]];
const S = [[1e-4, 2e-5, 0], [2e-5, 3e-4, 0], [0, 0, -1e-4]];
const BOX = [[10, 0, 0], [1, 9, 0], [0.5, 0.25, 8]];
const castep = (head: string, energy: number, more = "") =>
  `${head}\n${tagged([[energy, energy + 1]], "E")}${tagged(BOX, "h")}${tagged(S, "S")}` +
  tagged(R, "R", NAMES) + more + tagged(F, "F", NAMES);
const BEGIN = " BEGIN header\n\n END header\n\n";
const GEOM = `${BEGIN}${castep("      0     F   F   F   F     <-- c", -1)}\n${
  castep("      1     T   T   T   T     <-- c", -2)
}`;

test("CASTEP .geom: the free energy, forces, and the stress with ASE's sign", async () => {
  const { format, records, notes } = await readText(GEOM);
  assert.equal(format, "CASTEP trajectory");
  assert.deepEqual([notes, records.length], [[], 2], "the last has no blank line behind it");
  const [record] = records;
  assert.deepEqual([...record.species], [1, 8]);
  assertClose(record.cell, BOX.flat().map((x) => BOHR * x), 1e-12, "cell");
  assertClose(record.positions, R.flat().map((x) => BOHR * x), 1e-12, "places");
  assertClose(records.map(({ energy }) => energy!), [-HARTREE, -2 * HARTREE], 1e-12, "energies");
  assertClose(record.forces!, F.flat().map((x) => x * HARTREE / BOHR), 1e-12, "forces");
  assertClose(record.stress!, S.flat().map((x) => x * HARTREE / BOHR ** 3), 1e-12, "stress");
});

test("CASTEP .md: velocities, and a stress that holds them is left out; cut files", async () => {
  const text = `${BEGIN}${castep(number(0), -1, tagged(F, "V", NAMES))}\n${
    castep(number(10), -2, tagged(F, "V", NAMES))
  }\n`;
  const { records, notes } = await readText(text);
  assert.equal(records[1].stress, null);
  assert.match(notes[0], /its stress is not read: it holds the motion of the nuclei/);
  assertClose([records[0].velocities![0]], [0.01 * 21.876912], 1e-7, "Bohr a.u. in Å/fs");
  const cut = await readText(text.slice(0, text.lastIndexOf(" O:1")));
  assert.equal(cut.records.length, 1);
  assert.match(cut.notes[0], /^cut: step 2 is cut short at line \d+/);
  await assert.rejects(readText(text.replaceAll(" H ", " Q ")), /"Q" names no element/);
});

const blob = (values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);
const COLUMNS =
  "id, numbers, positions, cell, pbc, energy, free_energy, forces, stress, momenta, masses, key_value_pairs, data";

/** A database of ASE with these columns. */
function database(
  rows: readonly (readonly unknown[])[],
  metadata: object | null = null,
): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "cpd-test-"));
  try {
    const path = join(folder, "x.db");
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE systems (${COLUMNS}); CREATE TABLE information (name TEXT, value TEXT)`);
    const marks = COLUMNS.split(",").map(() => "?").join(", ");
    for (const row of rows) db.prepare(`INSERT INTO systems VALUES (${marks})`).run(...row as []);
    if (metadata) {
      db.prepare("INSERT INTO information VALUES ('metadata', ?)").run(JSON.stringify(metadata));
    }
    db.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const numbers = new Uint8Array(Int32Array.of(1, 8).buffer);
const places = [0, 0, 0, 0, 0, 1];
const pushes = [1, 2, 3, -1, -2, -3];
const cell = [4, 0, 0, 0, 5, 0, 0, 0, 6];
const atoms = [numbers, blob(places), blob(cell), 5];

test("ASE database: columns by their names, rows by their ids, keys that are no labels", async () => {
  const labels = [-5, -5.5, blob(pushes), blob([1, 2, 3, 4, 5, 6]), blob([1, 0, 0, 0, 0, 0]), null];
  const keys = JSON.stringify({ phase: "ice", rs: 1.4, relaxed: true, energy_ref: 3 });
  const bytes = database([
    [9, ...atoms, ...labels, keys, null],
    [2, ...atoms, -4, null, null, null, null, null, "{}", "null"],
  ]);
  const { format, records, notes } = await readText(bytes);
  assert.equal(format, "ASE database");
  assert.deepEqual(notes, []);
  const [second, ninth] = records;
  assert.deepEqual(
    [second.energy, second.forces, second.stress],
    [-4, null, null],
    "absent, not zero",
  );
  assert.deepEqual([[...ninth.species], ninth.pbc, ninth.energy], [
    [1, 8],
    [true, false, true],
    -5.5,
  ]);
  assert.deepEqual([...ninth.stress!], [1, 6, 5, 6, 2, 4, 5, 4, 3]);
  assert.deepEqual([...ninth.forces!], pushes);
  assertClose([ninth.velocities![0]], [0.0982269 / 1.008], 1e-5, "one u Å √(eV/u)/u in Å/fs");
  const own = [["phase", "ice"], ["rs", 1.4], ["relaxed", "T"]];
  assert.deepEqual(ninth.info, [["db_id", 9], ["energy_sigma0", -5], ...own]);
});

test("ASE database: labels of SchNetPack in their units, in both ways of writing data", async () => {
  const json = Buffer.from(
    JSON.stringify({ energy: -2, forces: { __ndarray__: [[2, 3], "float64", 8] } }),
  );
  const at = Buffer.alloc(8);
  at.writeBigInt64LE(56n);
  const binary = new Uint8Array(Buffer.concat([at, Buffer.from(blob(pushes)), json]));
  const text = JSON.stringify({
    energy: [-3],
    forces: { __ndarray__: [[2, 3], "float64", [[1, 2, 3], [-1, -2, -3]]] },
  });
  const none = [null, null, null, null, null, null, "{}"];
  const rows = [[1, ...atoms, ...none, binary], [2, ...atoms, ...none, text]];
  const units = {
    _property_unit_dict: { energy: "Hartree", forces: "Hartree/Ang" },
    _distance_unit: "Ang",
  };
  const { records } = await readText(database(rows, units));
  assertClose(
    records.map(({ energy }) => energy!),
    [-2 * HARTREE, -3 * HARTREE],
    1e-12,
    "energies",
  );
  for (const { forces } of records) {
    assertClose(
      forces!,
      pushes.map((f) => HARTREE * f),
      1e-12,
      "forces",
    );
  }
  const unsaid = await readText(database(rows));
  assert.deepEqual(unsaid.records.map(({ energy, forces }) => energy ?? forces), [null, null]);
  assert.match(
    unsaid.notes[0],
    /labels in data of 2 rows are not read: their units are not said/,
  );
});

test("ASE database: numbers that JSON has not, arrays that are no labels, rows that are damaged by their ids", async () => {
  const none = [null, null, null, null, null, null];
  const at = Buffer.alloc(8);
  at.writeBigInt64LE(8n);
  const data = new Uint8Array(
    Buffer.concat([
      at,
      Buffer.from(JSON.stringify({ energy: -2, forces: { __ndarray__: [[2, 3], "int64", 8] } })),
    ]),
  );
  const units = { _property_unit_dict: { energy: "eV" }, _distance_unit: "Ang" };
  const both = [-5, -5.5, null, null, null, null];
  const { records, notes } = await readText(database([
    [1, ...atoms, ...none, '{"gap": NaN, "phase": "ice"}', data],
    [2, ...atoms, ...both, "{}", null],
  ], units));
  assert.deepEqual([records[0].energy, records[0].forces], [-2, null]);
  assert.deepEqual(records[0].info!.slice(1), [["phase", "ice"]]);
  assert.match(notes[0], /labels in data of 1 rows are not read/, "forces without a unit");
  assert.deepEqual([records[1].energy, records[1].info![1]], [-5.5, ["energy_sigma0", -5]]);
  const broken = database([[3, ...atoms, ...none, "{phase", null]]);
  await assert.rejects(readText(broken), /file, id 3: its row cannot be read/);
  const short = database([[4, ...atoms, -1, null, blob([1, 2]), null, null, null, "{}", null]]);
  await assert.rejects(readText(short), /file, id 4: its forces are of another length/);
});

test("ASE database: others, damaged and compressed ones are refused", async () => {
  const bytes = database([[1, ...atoms, -1, null, null, null, null, null, "{}", null]]);
  await assert.rejects(readText(gzipSync(bytes)), /a compressed database is not read: unpack it/);
  await assert.rejects(readText(bytes.subarray(0, 5000)), /its database cannot be read/);
  const lost = database([[
    1,
    numbers,
    blob([0]),
    blob(cell),
    0,
    null,
    null,
    null,
    null,
    null,
    null,
    "{}",
    null,
  ]]);
  await assert.rejects(readText(lost), /file, id 1: its positions are of another length/);
  const folder = mkdtempSync(join(tmpdir(), "cpd-test-"));
  const db = new DatabaseSync(join(folder, "x.db"));
  db.exec("CREATE TABLE songs (title)");
  db.close();
  const other = readFileSync(join(folder, "x.db"));
  rmSync(folder, { recursive: true });
  await assert.rejects(
    readText(other),
    /an SQLite database, but none of ASE: it has no table systems/,
  );
});

test("DeePMD raw files: the same as its arrays where it has no set", async () => {
  const files = {
    "sys/type.raw": "0 1\n",
    "sys/type_map.raw": "H\nO\n",
    "sys/coord.raw": "0 0 0 0 0 1\n0 0 0 0 0 2\n",
    "sys/box.raw": "4 0 0 0 5 0 0 0 6\n4 0 0 0 5 0 0 0 6\n",
    "sys/energy.raw": "-3\n-4\n",
    "sys/force.raw": "1 2 3 -1 -2 -3\n0 0 0 0 0 0\n",
    "sys/virial.raw": `120 0 0 0 240 0 0 0 0\n${"0 ".repeat(9)}\n`,
  };
  const { records } = await readFiles(files);
  assert.deepEqual(records.map(({ energy }) => energy), [-3, -4]);
  assert.deepEqual([...records[0].forces!], pushes);
  assertClose(records[0].stress!, [-1, 0, 0, 0, -2, 0, 0, 0, 0], 1e-12, "-W / V");
  const { "sys/box.raw": _box, ...open } = files;
  await assert.rejects(readFiles(open), /box\.raw is missing/);
  const short = await readFiles({ ...files, "sys/energy.raw": "-3\n" });
  assert.equal(short.records.length, 1);
  assert.match(short.notes[0], /^cut: energy\.raw ends within row 2; 1 frames are read/);
  await assert.rejects(
    readFiles({ "sys/type.raw": "0\n", "sys/type_map.raw": "H\n" }),
    /neither set\.000 .* nor coord\.raw/,
  );
});
