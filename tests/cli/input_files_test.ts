import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { inFolder, runProgram } from "./program.ts";

const encoder = new TextEncoder();
const LATTICE = 'Lattice="4 0 0 0 4 0 0 0 4"';
const PROPERTIES = "Properties=species:S:1:pos:R:3";

/** A frame of two hydrogen atoms; any part can be replaced. */
function frame(parts: { count?: string; comment?: string; rows?: string[] } = {}): string {
  const rows = parts.rows ?? ["H 0.0 0.0 0.0", "H 0.0 0.0 0.8"];
  const comment = parts.comment ?? `${LATTICE} ${PROPERTIES} pbc="T T T"`;
  return [parts.count ?? "2", comment, ...rows].join("\n") + "\n";
}

/** The frame as xz -9 and bzip2 write it. */
const XZ =
  "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ABkAEhdABkChgeyPmk7YC3F8h8jRw3mhJOX2x0gV1NERMvnCkVExXJGgiZUFtGyHpXA39n9DD81FIetFSdXl3Ayps1svfm4Iz67J/jxOQDPP5B5jJpKFQABZGVfjs8cH7bzfQEAAAAABFla";
const BZIP2 =
  "QlpoOTFBWSZTWVZzsM0AABlfgAAQUAF8UgBEXAA6INwAIABUNU09Ex6hNAaabQSpqYh6noh6g0AsZ4KXEKCBJxknUmQZgQEArRFiSd/TW1kOkCDqO//rktCBUYrYTWeCjB5GK5F3JFOFCQVnOwzQ";

const row = (text: string) => frame({ rows: ["H 0.0 0.0 0.0", text] });
const comment = (text: string) => frame({ comment: text });

/** Files that are read, and how many frames and atoms they hold. */
const ACCEPTED: [name: string, content: string | Uint8Array, frames: number, warning?: RegExp][] = [
  ["plain", frame() + frame(), 2],
  ["no final newline", frame().trimEnd(), 1],
  ["CRLF", frame().replaceAll("\n", "\r\n"), 1],
  ["tabs and extra spaces", frame({ rows: ["\tH\t0.0\t 0  0", "  H 0 0   0.8  "] }), 1],
  ["blank line between frames", frame() + "\n\n" + frame(), 2],
  ["blank lines at the end", frame() + "\n \n\n", 1],
  ["blank lines at the start", "\n\n" + frame(), 1],
  ["byte order mark", "\uFEFF" + frame(), 1],
  ["padded count", frame({ count: "   2  " }), 1],
  [
    "columns in another order",
    frame({
      comment: `${LATTICE} Properties=forces:R:3:pos:R:3:species:S:1`,
      rows: ["1 2 3 0 0 0 H", "1 2 3 0 0 0.8 H"],
    }),
    1,
  ],
  [
    "atomic numbers",
    frame({ comment: `${LATTICE} Properties=Z:I:1:pos:R:3`, rows: ["1 0 0 0", "1 0 0 .8"] }),
    1,
  ],
  ["plain xyz without Properties", comment("step 7, E = -3.5, i = 5"), 1],
  [
    "plain xyz with further columns",
    frame({ comment: "", rows: ["H 0 0 0 9 9", "H 0 0 0.8 9 9"] }),
    1,
  ],
  ["spaces around =", comment('Lattice = "4 0 0 0 4 0 0 0 4" Properties = species:S:1:pos:R:3'), 1],
  [
    "new-style arrays",
    comment(`Lattice=[[4,0,0],[0,4,0],[0,0,4]] ${PROPERTIES} pbc=[True,True,False]`),
    1,
  ],
  ["pbc as numbers", comment(`${LATTICE} ${PROPERTIES} pbc="1 0 0"`), 1],
  ["lower-case keys", comment('lattice="4 0 0 0 4 0 0 0 4" properties=species:S:1:pos:R:3'), 1],
  ["6-component stress", comment(`${LATTICE} ${PROPERTIES} stress="1 2 3 4 5 6"`), 1],
  ["escaped quote and non-ASCII", comment(`${LATTICE} ${PROPERTIES} note="a \\"b\\" é Å 水"`), 1],
  ["bare keys and duplicates", comment(`${LATTICE} ${PROPERTIES} flag a=1 a=2 flag`), 1],
  ["Fortran exponents", row("H 0.0D0 0.0d+00 8.0D-01"), 1],
  ["17 digits", row("H 0.00000000000000001 1e-17 0.80000000000000004"), 1],
  ["atoms outside the cell", row("H 40.1 -39.9 100.8"), 1],
  ["slab", comment(`Lattice="4 0 0 0 4 0 0 0 0" ${PROPERTIES} pbc="T T F"`), 1],
  ["no cell at all", comment(PROPERTIES), 1],
  ["gzip", gzipSync(encoder.encode(frame())), 1],
  ["xz", Buffer.from(XZ, "base64"), 1],
  ["bzip2", Buffer.from(BZIP2, "base64"), 1],
  [
    "two gzip members",
    new Uint8Array([...gzipSync(encoder.encode(frame())), ...gzipSync(encoder.encode(frame()))]),
    2,
  ],
  ["zstd", zstdCompressSync(encoder.encode(frame())), 1],
  ["one atom", frame({ count: "1", rows: ["H 0 0 0"] }), 1],
  [
    "truncated last frame",
    frame() + frame({ rows: ["H 0 0 0"] }),
    1,
    /x\.xyz:5: frame 1 declares 2 atoms but 1 rows follow; the last frame is cut off and was dropped/,
  ],
  ["only the count of a last frame", frame() + "2\n", 1, /declares 2 atoms but 0 rows follow/],
];

/** Files that are refused, and what the one line says. */
const REFUSED: [name: string, content: string | Uint8Array, message: RegExp][] = [
  ["empty file", "", /x\.xyz: it holds no frame/],
  ["only blank lines", "\n\n  \n", /x\.xyz: it holds no frame/],
  [
    "not a number of atoms",
    "hello\nworld\n",
    /x\.xyz:1: expected the number of atoms of frame 0, found "hello"/,
  ],
  ["negative count", frame({ count: "-2" }), /x\.xyz:1: expected the number of atoms/],
  ["zero atoms", "0\n\n", /x\.xyz:1: expected the number of atoms/],
  ["absurd count", frame({ count: "99999999999" }), /x\.xyz:1: expected the number of atoms/],
  [
    "too many rows",
    frame({ rows: ["H 0 0 0", "H 0 0 1", "H 0 0 2"] }) + frame(),
    /x\.xyz:5: expected the number of atoms of frame 1, found "H 0 0 2"; does the frame before it declare too few/,
  ],
  [
    "too few rows in the middle",
    frame({ rows: ["H 0 0 0"] }) + frame(),
    /x\.xyz:1: frame 0 declares 2 atoms but 1 rows follow; was a run killed here/,
  ],
  ["short row", row("H 0.0 0.0"), /x\.xyz:4: the row of atom 2 has 3 columns, expected 4/],
  ["NaN position", row("H 0.0 NaN 0.8"), /x\.xyz:4: position "NaN" is not a finite number/],
  ["infinite position", row("H 0.0 inf 0.8"), /x\.xyz:4: position "inf" is not a finite number/],
  [
    "overflow stars",
    row("H 0.0 ******** 0.8"),
    /x\.xyz:4: position "\*{8}" is not a finite number/,
  ],
  [
    "glued numbers",
    row("H 0.0-12.34 0.8 1"),
    /x\.xyz:4: position "0.0-12.34" is not a finite number/,
  ],
  [
    "labelled species",
    row("H1 0 0 0.8"),
    /x\.xyz:4: species "H1" is not a chemical element; write H/,
  ],
  ["spin species", row("Fe_up 0 0 0.8"), /species "Fe_up" is not a chemical element; write Fe/],
  ["deuterium", row("D 0 0 0.8"), /species "D" is not a chemical element; write H for isotopes/],
  ["dummy atom", row("X 0 0 0.8"), /species "X" is not a chemical element/],
  ["lower-case species", row("h 0 0 0.8"), /species "h" is not a chemical element/],
  ["atomic number 0", row("0 0 0 0.8"), /species "0" is not a chemical element/],
  [
    "lattice of three numbers",
    comment(`Lattice="4 4 4" ${PROPERTIES}`),
    /x\.xyz:2: Lattice="4 4 4" is not 9 finite numbers/,
  ],
  [
    "lattice with NaN",
    comment(`Lattice="4 0 0 0 nan 0 0 0 4" ${PROPERTIES}`),
    /x\.xyz:2: Lattice=.* is not 9 finite numbers/,
  ],
  [
    "flat cell",
    comment(`Lattice="4 0 0 8 0 0 0 0 4" ${PROPERTIES}`),
    /x\.xyz@0: its periodic lattice vectors are linearly dependent/,
  ],
  [
    "periodic without a cell",
    comment(`${PROPERTIES} pbc="T T T"`),
    /x\.xyz:2: axis 1 is periodic \(pbc\), but there is no Lattice/,
  ],
  [
    "periodic along a zero vector",
    comment(`Lattice="4 0 0 0 4 0 0 0 0" ${PROPERTIES} pbc="T T T"`),
    /x\.xyz:2: axis 3 is periodic \(pbc\), but that lattice vector is zero/,
  ],
  [
    "malformed pbc",
    comment(`${LATTICE} ${PROPERTIES} pbc="yes no"`),
    /x\.xyz:2: pbc="yes no" is not three truth values/,
  ],
  [
    "Properties without positions",
    comment(`${LATTICE} Properties=species:S:1:forces:R:3`),
    /x\.xyz:2: Properties=.* does not name species:S:1 and pos:R:3/,
  ],
  [
    "malformed Properties",
    comment(`${LATTICE} Properties=species:pos`),
    /x\.xyz:2: Properties="species:pos" does not name/,
  ],
  ["coincident atoms", row("H 0 0 4.0"), /x\.xyz@0: atoms 1 and 2 are at the same place/],
  [
    "cell in metres",
    comment(`Lattice="4e-10 0 0 0 4e-10 0 0 0 4e-10" ${PROPERTIES}`),
    /x\.xyz@0: .* million neighbors per atom within 3 Å; is its cell, 4e-10 Å, in Å\?/,
  ],
  [
    "damaged xz",
    new Uint8Array([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 0]),
    /x\.xyz: its xz data is damaged after 0 bytes/,
  ],
  [
    "xz whose checks are SHA-256",
    new Uint8Array([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 10]),
    /x\.xyz: its xz checks are SHA-256, which are not read; write it anew/,
  ],
  [
    "damaged bzip2",
    encoder.encode("BZh91AY&SY"),
    /x\.xyz: its bzip2 data is damaged after 0 bytes/,
  ],
  ["ZIP archive", new Uint8Array([0x50, 0x4B, 3, 4, 0, 0]), /x\.xyz: it is a ZIP archive/],
  [
    "truncated gzip",
    gzipSync(encoder.encode(frame().repeat(500))).subarray(0, 60),
    /x\.xyz: its gzip data is damaged after/,
  ],
  [
    "UTF-16",
    new Uint8Array([0xFF, 0xFE, 0x32, 0, 0x0A, 0]),
    /x\.xyz: it is UTF-16 text; save it as UTF-8/,
  ],
];

const features = (folder: string, file: string, extra: string[] = []) =>
  runProgram(["features", file, "-o", "f.npy", "--force", "--backend", "reference", ...extra], {
    cwd: folder,
  });

for (const [name, content, nFrames, warning] of ACCEPTED) {
  test(`reads ${name}`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "x.xyz"), content);
      const { code, stderr } = await features(folder, "x.xyz");
      assert.equal(code, 0, stderr);
      const lines = readFileSync(join(folder, "f.csv"), "utf8").trim().split("\n");
      assert.equal(lines.length - 1, nFrames);
      if (warning) assert.match(stderr, warning);
      else assert.doesNotMatch(stderr, /warning/);
    }));
}

for (const [name, content, message] of REFUSED) {
  test(`refuses ${name}`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "x.xyz"), content);
      const { code, stderr, stdout } = await features(folder, "x.xyz");
      assert.match(stderr, message);
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      assert.equal(stderr.trim().split("\n").filter((line) => line.startsWith("cpd: ")).length, 1);
    }));
}

test("what a thread refuses is told as if there were none", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), frame() + row("H 0 0 4.0"));
    const args = ["features", "x.xyz", "-o", "f.npy", "--backend", "cpu"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^cpd: x\.xyz@1: atoms 1 and 2 are at the same place$/m);
  }));

test("where a killed run was continued, --skip-bad goes on with the next frame", () =>
  inFolder(async (folder) => {
    const cut = frame({ rows: ["H 0 0 0"] });
    const glued = frame({ rows: ["H 0 0 0", "H 0 02"] }) + "H 0 0 1\n";
    const good = (x: number) => frame({ rows: ["H 0 0 0", `H 0 0 ${x}`] });
    const text = good(0.7) + cut + good(0.8) + "H 1 1 1\n" + good(0.9) + glued + good(1);
    writeFileSync(join(folder, "x.xyz"), text);
    const args = ["distill", "x.xyz", "-n", "3", "--backend", "reference", "-o", "out"];
    const strict = await runProgram(args, { cwd: folder });
    assert.equal(strict.code, 3);
    assert.match(
      strict.stderr,
      /x\.xyz:5: frame 1 declares 2 atoms but 1 rows .*--skip-bad leaves/,
    );
    const { code, stderr } = await runProgram([...args, "--skip-bad"], { cwd: folder });
    assert.equal(code, 0, stderr);
    const selected = readFileSync(join(folder, "out/selected.xyz"), "utf8");
    // A frame with lines behind it that belong to nothing is not what it says.
    assert.equal(selected, good(0.7) + good(0.9) + good(1));
    assert.match(
      readFileSync(join(folder, "out/selected.txt"), "utf8"),
      /^x.xyz@0\nx.xyz@3\nx.xyz@5/,
    );
    const scan = await runProgram(["scan", "x.xyz"], { cwd: folder });
    assert.equal(scan.code, 0, scan.stderr);
    assert.match(scan.stdout, /unreadable: 3/);
  }));

test("a truncated last frame is an error with --strict", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), frame() + frame({ rows: ["H 0 0 0"] }));
    const { code, stderr } = await features(folder, "x.xyz", ["--strict"]);
    assert.equal(code, 3);
    assert.match(stderr, /x\.xyz:5: frame 1 declares 2 atoms but 1 rows follow/);
  }));
