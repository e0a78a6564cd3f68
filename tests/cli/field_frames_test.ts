/** What public files and bug reports were found to hold, each kind by an input of our own: frames. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { normalNumbers } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";
import { cubic, molecule, POSITIONS, type Report, scan, told } from "./scanned.ts";

/** Frames of four hydrogen atoms, and single atoms among them. */
function atomsAmong(single: (i: number) => string): string {
  const frames = Array.from({ length: 24 }, (_, i) => {
    const noise = normalNumbers(i, 12);
    const rows = [0, 1, 2, 3].map((a) =>
      `H ${
        [0, 1, 2].map((k) => ((a === k + 1 ? 1.4 : 0) + 0.1 * noise[3 * a + k]).toFixed(6)).join(
          " ",
        )
      }`
    );
    const energy = (-4 + 0.1 * noise[0]).toFixed(6);
    return `4\n${cubic(4)} ${POSITIONS} energy=${energy}\n${rows.join("\n")}\n`;
  });
  return frames.map((frame, i) => frame + single(i)).join("");
}

test("single atoms that meet no other are set aside, whatever they are tagged", () =>
  inFolder(async (folder) => {
    const atom = (info: string) => `1\n${info} ${POSITIONS} energy=-13.6\nH 0 0 0\n`;
    const tags = [
      'pbc="F F F"',
      cubic(12),
      `${cubic(2)} config_type=isolated_atom`,
      `${cubic(2)} config_type=IsolatedAtom`,
      `${cubic(2)} isolated_atom=T`,
    ];
    writeFileSync(join(folder, "x.xyz"), atomsAmong((i) => (i < 5 ? atom(tags[i]) : "")));
    const run = (command: string, ...args: string[]) =>
      runProgram([command, "x.xyz", "--backend", "cpu", ...args], { cwd: folder });
    const chosen = await run("distill", "-n", "6", "-o", "d");
    assert.equal(chosen.code, 0, chosen.stderr);
    assert.match(chosen.stderr, /Frames: 24 in 1 file\nIsolated atoms: 5 frames are kept and not/);
    assert.equal(readFileSync(join(folder, "d/selected.txt"), "utf8").split("\n").length, 7);
    assert.equal(readFileSync(join(folder, "d/selected.xyz"), "utf8").match(/^1$/gm)?.length, 5);
    const auto = await run("distill", "--select", "auto", "--margin", "500", "-o", "a");
    assert.match(auto.stderr, /Frames: 24 in 1 file\nIsolated atoms: 5/);
    const compared = await run("compare", "-n", "6", "--methods", "fps,random", "--splits", "2");
    assert.equal(compared.code, 0, compared.stderr);
    assert.match(compared.stderr, /Frames: 24 in 1 file\nIsolated atoms: 5 frames are left out/);
    const features = await run("features", "-o", "f.npy");
    assert.match(features.stderr, /Isolated atoms: 5 frames are left out/);
    assert.equal(readFileSync(join(folder, "f.csv"), "utf8").trim().split("\n").length, 25);
    // Rows for the frames that are left; a row for every frame is taken, too.
    const again = await run("distill", "-n", "6", "-o", "e", "--features", "f.npy");
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(
      readFileSync(join(folder, "e/selected.txt"), "utf8"),
      readFileSync(join(folder, "d/selected.txt"), "utf8"),
    );
    const fewer = await runProgram(
      ["distill", "x.xyz@:20", "-n", "6", "-o", "g", "--features", "f.npy"],
      { cwd: folder },
    );
    assert.match(
      fewer.stderr,
      /f\.npy: it holds 24 rows for 20 frames \(5 of them isolated atoms\)/,
    );
    const report = await scan(folder, readFileSync(join(folder, "x.xyz"), "utf8"));
    assert.equal(report.files[0].n_isolated_atoms, 5);
  }));

test("an isolated atom behind the frames of a file changes neither choice nor verdict", () =>
  inFolder(async (folder) => {
    const atom = `1\n${cubic(20)} ${POSITIONS} energy=-13.6\nH 0 0 0\n`;
    const found = async (single: (i: number) => string, first: string) => {
      writeFileSync(join(folder, "x.xyz"), first + atomsAmong(single));
      const run = (...args: string[]) =>
        runProgram([...args, "--backend", "cpu", "--force", "-o", "out"], { cwd: folder });
      const compared = await run(
        "compare",
        "x.xyz",
        "-n",
        "6",
        "--methods",
        "cpd,random",
        "--json",
      );
      assert.equal(compared.code, 0, compared.stderr);
      await run("distill", "x.xyz", "-n", "6", "--method", "cpd");
      const chosen = readFileSync(join(folder, "out/selected.xyz"), "utf8").replaceAll(atom, "");
      return { verdict: JSON.parse(compared.stdout).verdict, chosen };
    };
    const none = await found(() => "", "");
    assert.deepEqual(await found((i) => (i === 23 ? atom : ""), ""), none);
  }));

test("a one-atom bulk cell is a frame", () =>
  inFolder(async (folder) => {
    const cells = Array.from({ length: 12 }, (_, i) => {
      const half = 0.5 * (2.4 + 0.05 * i);
      const fcc = [0, half, half, half, 0, half, half, half, 0].join(" ");
      return `1\nLattice="${fcc}" pbc="T T T" ${POSITIONS}\nH 0 0 0\n`;
    });
    writeFileSync(join(folder, "x.xyz"), cells.join(""));
    const run = await runProgram(["distill", "x.xyz", "-n", "4", "--backend", "cpu"], {
      cwd: folder,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Frames: 12 in 1 file\nChose 4 of 12/);
  }));

/** Two molecules of two atoms each, `apart` from each other, turned and renumbered where asked to. */
function pair(apart: number, energy: number, moved = false, cell = ""): string {
  const atoms: [string, number, number, number][] = [
    ["O", 0, 0, 0],
    ["H", 0.96, 0, 0],
    ["O", 0, apart, 0.1],
    ["H", 0, apart, 1.06],
  ];
  const placed = moved
    ? [atoms[2], atoms[3], atoms[0], atoms[1]].map(([s, x, y, z]) => [s, 2 - y, x + 3, z - 1])
    : atoms;
  const rows = placed.map((row) => row.join(" ")).join("\n");
  return `4\n${cell} ${POSITIONS} energy=${energy}\n${rows}\n`;
}

test("a dissociation curve has no near duplicates, in open space or in a box", () =>
  inFolder(async (folder) => {
    for (const cell of ["", cubic(30)]) {
      const curve = [3, 4, 5, 6, 7, 8, 9, 10].map((d) => pair(d, -20 - 1 / d ** 3, false, cell));
      assert.deepEqual(told(await scan(folder, curve.join(""))), []);
    }
  }));

test("a molecule moved, turned and renumbered is told, and contradicting labels of it, too", () =>
  inFolder(async (folder) => {
    const others = [4, 5, 6].map((d) => pair(d, -20 - 0.1 / d)).join("");
    const first = pair(3, -20.1);
    assert.deepEqual(told(await scan(folder, first + others + pair(3, -20.1, true))), [
      "near duplicate, x.xyz@4: almost the same as x.xyz@0",
    ]);
    assert.match(
      told(await scan(folder, first + others + pair(3, -21.1, true)))[0],
      /^conflicting labels, x\.xyz@4: the geometry of x\.xyz@0 but for its place.*, energies 0\.25 eV/,
    );
    // Atoms that moved a little may have another energy; they are neither duplicates nor contradictions.
    assert.deepEqual(told(await scan(folder, first + others + pair(3.00005, -20.13, true))), []);
  }));

test("findings do not depend on the order of the files", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "a.xyz"), pair(3, -20.1) + pair(5, -20));
    writeFileSync(join(folder, "b.xyz"), pair(3, -21.1, true) + pair(5, -20));
    const problems = async (...files: string[]) => {
      const { stdout } = await runProgram(["scan", ...files, "--json"], { cwd: folder });
      return (JSON.parse(stdout) as Report).problems;
    };
    const found = await problems("a.xyz", "b.xyz");
    assert.deepEqual(found.map(({ kind, frame }) => `${kind} ${frame}`), [
      "conflicting labels b.xyz@0",
      "duplicate b.xyz@1",
    ]);
    assert.deepEqual(await problems("b.xyz", "a.xyz"), found);
  }));

test("small spreads make no outliers", () =>
  inFolder(async (folder) => {
    const frames = Array.from({ length: 30 }, (_, i) =>
      molecule(0.7 + 0.01 * i, `energy=${-27 - (i === 7 ? 0.06 : 1e-5 * (i % 5))}`));
    assert.deepEqual(told(await scan(folder, frames.join(""))), []);
    frames[7] = molecule(0.77, "energy=-28");
    assert.match(told(await scan(folder, frames.join("")))[0], /^energy outlier, x\.xyz@7/);
  }));

test("other molecules of one formula have no order to keep", () =>
  inFolder(async (folder) => {
    const [chain, ring] = [
      ["O 0 0 0", "O 1.2 0 0", "H 2 0 0", "H -0.9 0 0"],
      ["H 0 0 0", "O 0.96 0 0", "H 1.3 0.9 0", "O 5 5 5"],
    ].map((rows) => `4\n${POSITIONS}\n${rows.join("\n")}\n`);
    assert.deepEqual(told(await scan(folder, chain + ring)), []);
    // In a set of frames from everywhere the same molecule may be written in any order.
    const bent = [
      ["H 2.1 0.2 0", "O 0 0 0", "H -0.9 0 0", "O 1.3 0 0"],
      ["O 1.3 0 0", "H 2.1 0.4 0", "O 0 0 0", "H -0.9 0 0"],
    ].map((rows) => `4\n${POSITIONS}\n${rows.join("\n")}\n`);
    assert.deepEqual(told(await scan(folder, chain + bent[0] + ring + bent[1])), []);
  }));

test("numbers of LAMMPS types are refused, atomic numbers are read", () =>
  inFolder(async (folder) => {
    const write = (text: string) => writeFileSync(join(folder, "x.xyz"), text);
    const features = () =>
      runProgram(["features", "x.xyz", "-o", "f.npy", "--force", "--backend", "cpu"], {
        cwd: folder,
      });
    write("2\nAtoms. Timestep: 0\n1 0 0 0\n1 0 0 0.8\n");
    const lammps = await features();
    assert.equal(lammps.code, 3);
    assert.match(
      lammps.stderr,
      /x\.xyz:3: species are the number 1 and the comment is LAMMPS's .*write symbols \(in LAMMPS/,
    );
    write("3\nwater\n1 0 0 0\n2 0 0 0.96\n2 0.9 0 -0.3\n");
    assert.match((await features()).stderr, /species are the numbers 1 to 2: these are types/);
    write("2\nhydrogen\n1 0 0 0\n1 0 0 0.8\n");
    assert.equal((await features()).code, 0);
    const report = await scan(
      folder,
      "3\nProperties=Z:I:1:pos:R:3\n1 0 0 0\n2 0 0 3\n2 3 0 0\n3\nwater\n8 0 0 0\n1 0 0 .96\n1 .9 0 -.3\n",
    );
    assert.deepEqual(report.problems, []);
  }));

test("a cell in another unit is refused at once, by name, and can be skipped", () =>
  inFolder(async (folder) => {
    const tiny = `1\n${cubic(0.03)} ${POSITIONS}\nH 0 0 0\n`;
    writeFileSync(join(folder, "x.xyz"), atomsAmong((i) => (i === 3 ? tiny : "")));
    const args = ["distill", "x.xyz", "-n", "5", "--backend", "cpu"];
    const run = await runProgram(args, { cwd: folder });
    assert.equal(run.code, 3, run.stderr);
    assert.match(
      run.stderr,
      /x\.xyz@4: 4\.2 million neighbors per atom within 3 Å; is its cell, 0\.03 Å, in Å\?/,
    );
    const skipped = await runProgram([...args, "--skip-bad"], { cwd: folder });
    assert.equal(skipped.code, 0, skipped.stderr);
    assert.match(skipped.stderr, /Frames: 24 in 1 file/);
  }));

test("quotes that never close and UTF-16 are called by their names", () =>
  inFolder(async (folder) => {
    const fault = async (text: string | Uint8Array) => {
      writeFileSync(join(folder, "x.xyz"), text);
      return await runProgram(["scan", "x.xyz", "--json"], { cwd: folder });
    };
    const unclosed = (comment: string) => `1\n${comment}\nH 0 0 0\n`;
    for (
      const [comment, key] of [
        [`Lattice="5 0 0 0 5 0 0 0 5 ${POSITIONS}`, "Lattice"],
        [`Lattice="5 0 0 0 5 0 0 0 5 ${POSITIONS} pbc="T T T"`, "Lattice"],
        [`${cubic(5)} ${POSITIONS} note="half a quote`, "note"],
      ]
    ) {
      const { stdout } = await fault(unclosed(comment));
      assert.match(stdout, new RegExp(`x\\.xyz:2: the quote after ${key}= is not closed`));
    }
    for (const mark of ["\uFEFF", ""]) {
      const text = mark + unclosed(POSITIONS);
      const bytes = new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer);
      const { code, stderr } = await fault(bytes);
      assert.equal(code, 3);
      assert.match(
        stderr,
        /x\.xyz: it is UTF-16 text; save it as UTF-8 \(iconv -f utf-16 -t utf-8\)/,
      );
    }
  }));
