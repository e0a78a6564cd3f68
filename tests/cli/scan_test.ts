import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { normalNumbers } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

interface Row {
  readonly side?: number;
  readonly energy?: string;
  readonly stress?: string;
  readonly info?: string;
  /** Replaces the first atom row. */
  readonly first?: string;
  readonly forces?: boolean;
  readonly shift?: number;
}

const SITES = [[0.2, 0.2, 0.2], [2.6, 0.3, 0.1], [0.1, 2.5, 0.4], [0.3, 0.2, 2.7]];

/** One frame of four hydrogen and oxygen atoms, displaced by its seed. */
function frame(seed: number, row: Row = {}): string {
  const { side = 5, energy, stress, info = "", first, forces = true, shift = 0 } = row;
  const noise = normalNumbers(seed, 24);
  const atoms = SITES.map((site, a) => {
    const at = site.map((x, k) => (x + 0.1 * noise[3 * a + k] + shift).toFixed(8));
    // The forces on the four atoms cancel.
    const f = [0, 1, 2].map((k) => ((a % 2 ? -1 : 1) * noise[12 + 3 * (a >> 1) + k]).toFixed(6));
    return `${a === 0 ? "O" : "H"} ${at.join(" ")}${forces ? ` ${f.join(" ")}` : ""}`;
  });
  if (first !== undefined) atoms[0] = first;
  const cell = [side, 0, 0, 0, side, 0, 0, 0, side].join(" ");
  const labels = [
    energy === undefined ? "" : ` energy=${energy}`,
    stress === undefined ? "" : ` stress="${stress}"`,
    info,
  ];
  const columns = `species:S:1:pos:R:3${forces ? ":forces:R:3" : ""}`;
  return `4\nLattice="${cell}" Properties=${columns}${labels.join("")} pbc="T T T"\n${
    atoms.join("\n")
  }\n`;
}

const clean = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => frame(from + i, { energy: (-20 + 0.01 * i).toFixed(4) }));

interface Report {
  readonly n_frames: number;
  readonly problems: { kind: string; frame: string; text: string }[];
  readonly files: { labels: { key: string; assumed: string }[]; n_frames: number }[];
}

async function scan(folder: string, text: string, ...args: string[]) {
  writeFileSync(join(folder, "x.xyz"), text);
  const run = await runProgram(["scan", "x.xyz", "--json", ...args], { cwd: folder });
  return { ...run, report: run.stdout ? JSON.parse(run.stdout) as Report : null };
}

test("scan finds nothing wrong with clean frames, and says what it assumes", () =>
  inFolder(async (folder) => {
    const { code, report } = await scan(folder, clean(30).join(""), "--strict");
    assert.deepEqual(report!.problems, []);
    assert.equal(code, 0);
    assert.equal(report!.n_frames, 30);
    assert.deepEqual(
      report!.files[0].labels.map(({ key, assumed }) => [key, assumed]),
      [["energy", "energy of the frame, eV"], ["forces", "forces, eV/Å"]],
    );
    const { stdout } = await runProgram(["scan", "x.xyz"], { cwd: folder });
    assert.match(stdout, /^No problems found\n\nx\.xyz\n {2}frames +30\n {2}atoms +4\n/);
    assert.match(stdout, /formula +H3O\n {2}periodic +TTT\n {2}lattice +5 Å\n/);
    assert.match(stdout, /energy +-5 to -4\.9275 eV\/atom/);
  }));

/** A frame that has the problem, among clean ones, and the words it is told with. */
const PROBLEMS: [kind: string, bad: string, text: RegExp][] = [
  ["unreadable", frame(90, { energy: "-20", first: "O 0.1 ***** 0.2 0 0 0" }), /x\.xyz:183: pos/],
  ["unreadable", frame(90, { energy: "-20", first: "O 0.1 0.2" }), /has 3 columns, expected 7/],
  ["not a number", frame(90, { energy: "nan" }), /energy="nan"/],
  ["not a number", frame(90, { energy: "*****" }), /energy="\*\*\*\*\*"/],
  ["not a number", frame(90, { energy: "-20", first: "O .2 .2 .2 nan 0 0" }), /in forces/],
  ["not converged", frame(90, { energy: "-20", info: " converged=F" }), /the frame says so/],
  ["atoms too close", frame(90, { energy: "-20", first: "O 2.6 0.3 0.4 0 0 0" }), /H-O 0\.\d+ Å/],
  ["net force", frame(90, { energy: "-20", first: "O .2 .2 .2 9 0 0" }), /eV\/Å per atom/],
  ["labels missing", frame(90), /no energy, which 30 of 31 frames have/],
  ["energy outlier", frame(90, { energy: "-40" }), /^-10\.0000 eV\/atom, median/],
  ["duplicate", frame(3, { energy: "-19.97" }), /same as x\.xyz@3/],
  ["conflicting labels", frame(3, { energy: "-19" }), /as x\.xyz@3, energies 0\.24 eV\/atom apart/],
  ["near duplicate", frame(3, { energy: "-19.97", shift: 0.3 }), /almost the same as x\.xyz@3/],
];

for (const [kind, bad, text] of PROBLEMS) {
  test(`scan tells: ${kind} (${text.source})`, () =>
    inFolder(async (folder) => {
      const { code, report } = await scan(folder, clean(30).join("") + bad, "--strict");
      const found = report!.problems.filter((problem) => problem.kind === kind);
      assert.deepEqual(found.map((problem) => problem.frame), ["x.xyz@30"]);
      assert.match(found[0].text, text);
      assert.equal(code, 6);
      const relaxed = await runProgram(["scan", "x.xyz"], { cwd: folder });
      assert.equal(relaxed.code, 0);
      assert.match(relaxed.stdout, new RegExp(`^Problems\\n[^]*  ${kind}: 1\\n`));
    }));
}

test("scan tells a truncated last frame and atoms in another order", () =>
  inFolder(async (folder) => {
    const cut = frame(91, { energy: "-20" }).split("\n").slice(0, 4).join("\n");
    const { report } = await scan(folder, clean(5).join("") + cut);
    assert.deepEqual(report!.problems, [{
      kind: "truncated",
      frame: "x.xyz@5",
      text: "line 31 declares 4 atoms, 2 rows follow",
    }]);
    const rows = frame(92, { energy: "-20" }).trim().split("\n");
    const other = [...rows.slice(0, 2), rows[3], rows[2], ...rows.slice(4), ""].join("\n");
    const mixed = await scan(folder, clean(5).join("") + other);
    const [order] = mixed.report!.problems;
    assert.equal(order.kind, "atom order");
    assert.match(order.text, /H3O in another order than x\.xyz@4, the frame before it/);
  }));

/** Frames of many volumes, E(V) = 0.002 (V - 130)², with stress dE/dV on the diagonal times `scale`. */
function compressed(scale: number): string {
  return Array.from({ length: 12 }, (_, i) => {
    const side = 4.6 + 0.05 * i;
    const volume = side ** 3;
    const slope = 0.004 * (volume - 130);
    const numbers = [slope, 0, 0, 0, slope, 0, 0, 0, slope].map((x) => x * scale).join(" ");
    return frame(i, { side, energy: String(0.002 * (volume - 130) ** 2), stress: numbers });
  }).join("");
}

test("scan holds the sign and the size of stress against the energies", () =>
  inFolder(async (folder) => {
    const kinds = async (scale: number) =>
      (await scan(folder, compressed(scale))).report!.problems
        .filter(({ kind }) => kind === "stress sign").map(({ text }) => text);
    assert.deepEqual(await kinds(1), []);
    assert.match(
      (await kinds(-1))[0],
      /stress: its sign contradicts the energies; it looks pressure-like \(E\(V\) of 12 frames/,
    );
    assert.match(
      (await kinds(160.2))[0],
      /about 160 times too large for eV\/Å³; it looks like GPa/,
    );
  }));

test("scan tells outliers of force and pressure", () =>
  inFolder(async (folder) => {
    const stress = (x: number) => [x, x, x, 0, 0, 0].join(" ");
    const frames = Array.from({ length: 30 }, (_, i) => {
      const big = i === 17 ? { first: "O .2 .2 .2 90 0 0" } : {};
      const energy = (-20 + 0.01 * i).toFixed(4);
      return frame(i, { energy, stress: stress(i === 9 ? -3 : -0.1 - 0.001 * i), ...big });
    });
    const { report } = await scan(folder, frames.join(""));
    const of = (kind: string) => report!.problems.filter((problem) => problem.kind === kind);
    assert.deepEqual(of("force outlier").map((p) => p.frame), ["x.xyz@17"]);
    assert.deepEqual(of("pressure outlier").map((p) => p.frame), ["x.xyz@9"]);
    assert.match(of("pressure outlier")[0].text, /^480\.653 GPa, median 18\.\d+/);
  }));

test("scan says which energy it takes, and what six components mean", () =>
  inFolder(async (folder) => {
    const info = " free_energy=-20.5";
    const stress = "0.1 0.1 0.1 0 0 0";
    const { report } = await scan(folder, frame(1, { energy: "-20", info, stress }));
    const labels = Object.fromEntries(report!.files[0].labels.map((l) => [l.key, l.assumed]));
    assert.equal(labels.free_energy, "free energy of the frame, eV");
    assert.equal(labels.energy, "another energy, eV; not used");
    assert.match(labels.stress, /tension positive \(ASE\); 6 components xx yy zz yz xz xy/);
  }));

test("distill warns of useless frames, and leaves them out where asked to", () =>
  inFolder(async (folder) => {
    const hydrogen = (text: string) => text.replaceAll(/^O/gm, "H");
    const bad = [
      frame(90, { energy: "-20", first: "H 2.6 0.3 0.3 0 0 0" }),
      frame(91, { energy: "nan" }),
      frame(92, { energy: "-20", info: " converged=F" }),
    ].join("");
    const broken = frame(93, { energy: "-20", first: "H 0 inf 0 0 0 0" });
    writeFileSync(join(folder, "x.xyz"), hydrogen(clean(30).join("") + bad));
    const args = ["distill", "x.xyz", "-n", "5", "--backend", "cpu"];
    const run = (...more: string[]) => runProgram([...args, ...more], { cwd: folder });
    const warned = await run("-o", "a");
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(
      warned.stderr,
      /1 frames look useless, atoms too close: x\.xyz@30 \(H-H 0\.\d\d Å\)/,
    );
    assert.match(warned.stderr, /not a number: x\.xyz@31 .*; --skip-bad leaves them out/);
    const skipped = await run("-o", "b", "--skip-bad");
    assert.equal(skipped.code, 0, skipped.stderr);
    assert.match(
      skipped.stderr,
      /left out 1 frames, not converged: x\.xyz@32 \(the frame says so\)/,
    );
    assert.match(skipped.stderr, /Frames: 30 in 1 file/);
    const report = JSON.parse(readFileSync(join(folder, "b/report.json"), "utf8"));
    assert.deepEqual(
      report.left_out.map(({ frame }: { frame: string }) => frame),
      ["x.xyz@30", "x.xyz@31", "x.xyz@32"],
    );
    writeFileSync(join(folder, "x.xyz"), hydrogen(broken + clean(30).join("")));
    const stopped = await run("-o", "c");
    assert.equal(stopped.code, 3);
    assert.match(
      stopped.stderr,
      /x\.xyz:3: position "inf" is not a finite number; --skip-bad leaves/,
    );
    const sliced = await runProgram(
      ["distill", "x.xyz@:11", "-n", "5", "--backend", "cpu", "--skip-bad", "-o", "d"],
      { cwd: folder },
    );
    assert.match(
      sliced.stderr,
      /Frames: 10 in 1 file/,
      "slices count the frames that are left out",
    );
  }));

test("scan tells energies under different keys, and cells without volume", () =>
  inFolder(async (folder) => {
    const mixed = clean(30).map((
      text,
      i,
    ) => (i === 7 ? text.replace("energy=", "REF_energy=") : text));
    const flat = frame(90, { energy: "-20.1" }).replace("0 5 0 0 0 5", "5 0 0 0 0 5");
    const { report } = await scan(folder, [...mixed, flat].join(""));
    const told = report!.problems.map(({ kind, frame, text }) => `${kind}, ${frame}: ${text}`);
    assert.ok(
      told.includes(
        'labels missing, x.xyz@7: its energy is "REF_energy", that of 30 others "energy"',
      ),
      told.join("\n"),
    );
    assert.ok(
      told.includes("unreadable, x.xyz@30: its periodic lattice vectors are linearly dependent"),
      told.join("\n"),
    );
    assert.ok(!told.some((line) => line.startsWith("duplicate")));
  }));

test("scan tells forces that point elsewhere in the same geometry", () =>
  inFolder(async (folder) => {
    const [first, ...rest] = clean(30);
    // The same forces, on other atoms: their sizes and their sum do not change.
    const rows = first.trimEnd().split("\n");
    const forces = rows.slice(2).map((row) => row.split(" ").slice(4));
    const turned = rows.map((row, i) =>
      i < 2 ? row : [...row.split(" ").slice(0, 4), ...forces[(i - 1) % 4]].join(" ")
    );
    const { report } = await scan(folder, [first, ...rest, `${turned.join("\n")}\n`].join(""));
    assert.ok(
      report!.problems.some(({ kind, frame, text }) =>
        kind === "conflicting labels" && frame === "x.xyz@30" && /forces .* apart/.test(text)
      ),
    );
  }));

test("scan says which labels it looked for where it found none", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), frame(1, { forces: false }));
    const { code, stdout } = await runProgram(["scan", "x.xyz"], { cwd: folder });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /labels +none found \(energy, forces, stress, virial under the names of cpd help units\); choosing/,
    );
  }));
