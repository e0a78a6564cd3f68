import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { COMMANDS } from "../../src/cli/syntax/commands.ts";
import { assertClose, projectPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const SAMPLE = "pool.xyz.gz";
const FILES = [
  "figures",
  "frames.csv",
  "radius.csv",
  "report.html",
  "report.json",
  "rest.xyz",
  "selected.txt",
  "selected.xyz",
];

function withSample(work: (folder: string) => Promise<void>): Promise<void> {
  return inFolder((folder) => {
    copyFileSync(projectPath("data/hydrogen-1000K.xyz.gz"), join(folder, SAMPLE));
    return work(folder);
  });
}

const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
const sample = (folder: string) => gunzipSync(readFileSync(join(folder, SAMPLE))).toString();

/** Splits extended XYZ of `n` atoms per frame. */
function frames(text: string, nAtoms = 64): string[] {
  const lines = text.split("\n").slice(0, -1);
  const out: string[] = [];
  for (let i = 0; i < lines.length; i += nAtoms + 2) {
    out.push(lines.slice(i, i + nAtoms + 2).join("\n") + "\n");
  }
  return out;
}

test("distill writes every file of the contract, and the frames byte for byte", () =>
  withSample(async (folder) => {
    const args = ["distill", SAMPLE, "-n", "40", "-o", "out", "--backend", "cpu", "--json"];
    const { code, stdout, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.deepEqual(readdirSync(join(folder, "out")).sort(), FILES);
    const table = read(folder, "out/frames.csv").trim().split("\n");
    assert.match(table[0], /^id,file,index,n_atoms,formula,selected,pool,rank,density,pc1,pc2/);
    const rows = table.slice(1).map((line) => line.split(","));
    assert.equal(rows.length, 273);
    const chosen = rows.filter((row) => row[5] === "1");
    assert.equal(chosen.length, 40);
    assert.deepEqual(
      read(folder, "out/selected.txt").trim().split("\n"),
      chosen.map((row) => row[0]),
    );
    const ranks = chosen.map((row) => Number(row[7])).sort((a, b) => a - b);
    assert.deepEqual(ranks, Array.from({ length: 40 }, (_, i) => i + 1));
    assert.ok(chosen.every((row) => row[6] === "central" || row[6] === "peripheral"));

    const [selected, rest] = ["selected", "rest"].map((name) =>
      frames(read(folder, `out/${name}.xyz`))
    );
    const rebuilt = rows.map((row) => (row[5] === "1" ? selected.shift() : rest.shift()));
    assert.equal(rebuilt.join(""), sample(folder));
    assert.equal(selected.length + rest.length, 0);

    const report = JSON.parse(stdout);
    assert.deepEqual(report, JSON.parse(read(folder, "out/report.json")));
    for (
      const key of [
        "version",
        "runtime",
        "backend",
        "options",
        "seed",
        "inputs",
        "model",
        "radius",
        "n_components",
        "explained_variance",
        "pool_sizes",
        "warnings",
        "seconds",
      ]
    ) {
      assert.ok(key in report, key);
    }
    assert.match(report.inputs[0].sha256, /^[0-9a-f]{64}$/);
    const radii = read(folder, "out/radius.csv").trim().split("\n");
    assert.equal(radii[0], "radius,variance,isolated_fraction,objective");
    assert.ok(radii.slice(1).some((line) => Number(line.split(",")[0]) === report.radius));
    assert.match(read(folder, "out/report.html"), /^<!doctype html>[\s\S]*<\/html>\s*$/);
    // The page may not ask for anything (`tests/report` watches that it does not).
    assert.match(
      read(folder, "out/report.html"),
      /Content-Security-Policy" content="default-src 'none'/,
    );
    const figures = ["coverage", "density", "map", "occupancy_volume", "radius", "variance"];
    assert.deepEqual(
      readdirSync(join(folder, "out/figures")).sort(),
      figures.map((f) => `${f}.svg`),
    );
    const command = JSON.parse(read(folder, "out/report.json")).command;
    assert.match(command, /^cpd distill pool\.xyz\.gz -n /);
  }));

test("ids do not depend on threads, order or split of the files, or on an earlier run", () =>
  withSample(async (folder) => {
    const all = frames(sample(folder));
    writeFileSync(join(folder, "a.xyz"), all.slice(0, 100).join(""));
    writeFileSync(join(folder, "b.xyz"), all.slice(100).join(""));
    const ids = async (files: string[], ...extra: string[]) => {
      const args = ["distill", ...files, "-n", "30", "-o", "out", "--force", "--quiet", ...extra];
      const { code, stderr } = await runProgram(args, { cwd: folder });
      assert.equal(code, 0, stderr);
      const { chosen, random } = JSON.parse(read(folder, "out/report.json")).coverage;
      coverage = [...Object.values(chosen), ...Object.values(random)] as number[];
      return read(folder, "out/selected.txt").trim().split("\n").sort();
    };
    let coverage: number[] = [];
    const first = await ids(["a.xyz", "b.xyz"], "--backend", "cpu", "--threads", "1");
    assert.equal(first.length, 30);
    const measured = coverage;
    assert.deepEqual(await ids(["b.xyz", "a.xyz"], "--backend", "cpu", "--threads", "2"), first);
    // Kernels that round otherwise may be taken; other draws would differ in the first digits.
    assertClose(coverage, measured, 1e-8, "coverage");
    assert.deepEqual(await ids(["b.xyz@:50", "a.xyz", "b.xyz@50:"], "--backend", "cpu"), first);
    assert.notDeepEqual(await ids(["a.xyz", "b.xyz"], "--backend", "cpu", "--seed", "5"), first);
  }));

test("standard input, slices and features from a file", () =>
  withSample(async (folder) => {
    const stdin = readFileSync(join(folder, SAMPLE));
    const piped = await runProgram(["distill", "-", "-n", "5", "-o", "p", "--backend", "cpu"], {
      cwd: folder,
      stdin,
    });
    assert.equal(piped.code, 0, piped.stderr);
    assert.match(read(folder, "p/selected.txt"), /^-@\d+\n/);

    const run = (args: string[]) => runProgram([...args, "--backend", "cpu"], { cwd: folder });
    const made = await run(["features", SAMPLE, "-o", "f.npy", "--dtype", "f64"]);
    assert.equal(made.code, 0, made.stderr);
    await run(["distill", SAMPLE, "-n", "20", "-o", "model"]);
    const given = await run(["distill", SAMPLE, "-n", "20", "-o", "file", "--features", "f.npy"]);
    assert.equal(given.code, 0, given.stderr);
    assert.equal(read(folder, "file/selected.txt"), read(folder, "model/selected.txt"));

    const sliced = await run(["distill", `${SAMPLE}@10:60:5`, "-n", "4", "-o", "s"]);
    assert.equal(sliced.code, 0, sliced.stderr);
    const indices = read(folder, "s/frames.csv").trim().split("\n").slice(1)
      .map((line) => Number(line.split(",")[2]));
    assert.deepEqual(indices, [10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
  }));

test("strata, keep and reference on the command line", () =>
  withSample(async (folder) => {
    const run = (args: string[]) =>
      runProgram(["distill", ...args, "--backend", "cpu"], { cwd: folder });
    const strata = await run([
      SAMPLE,
      "-n",
      "34",
      "-o",
      "a",
      "--stratify",
      "rs",
      "--keep",
      `${SAMPLE}@3,${SAMPLE}@9`,
    ]);
    assert.equal(strata.code, 0, strata.stderr);
    const rows = read(folder, "a/frames.csv").trim().split("\n").map((line) => line.split(","));
    assert.equal(rows[0][rows[0].length - 1], "stratum");
    const chosen = rows.slice(1).filter((row) => row[5] === "1");
    assert.equal(chosen.length, 34);
    assert.equal(new Set(chosen.map((row) => row[row.length - 1])).size, 17);
    assert.ok(chosen.some((row) => row[0] === `${SAMPLE}@3`));
    const auto = await run([SAMPLE, "-n", "34", "-o", "b", "--stratify", "auto"]);
    assert.equal(auto.code, 0, auto.stderr);
    const known = await run([
      `${SAMPLE}@100:`,
      "-n",
      "20",
      "-o",
      "c",
      "--reference",
      `${SAMPLE}@:100`,
    ]);
    assert.equal(known.code, 0, known.stderr);
    assert.doesNotMatch(read(folder, "c/selected.txt"), /@[0-9]{1,2}\n/);
    const near = JSON.parse(read(folder, "c/report.json")).coverage.distance_to_reference;
    assert.ok(near.least > 0 && near.least <= near.median && near.median <= near.most);
    const missing = await run([SAMPLE, "-n", "5", "-o", "d", "--stratify", "pressure"]);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /@0: its comment line has no key "pressure" for --stratify/);
  }));

test("every method writes the same files with exactly N frames", () =>
  withSample(async (folder) => {
    const chosen = new Set<string>();
    for (
      const method of ["cpd-spread", "cpd", "direct", "rnd", "fps", "kmedoids", "random"]
    ) {
      const args = ["distill", SAMPLE, "-n", "25", "-o", method, "--backend", "cpu"];
      const { code, stderr } = await runProgram([...args, "--method", method], { cwd: folder });
      assert.equal(code, 0, stderr);
      assert.deepEqual(readdirSync(join(folder, method)).sort(), FILES);
      const ids = read(folder, `${method}/selected.txt`);
      assert.equal(new Set(ids.trim().split("\n")).size, 25, method);
      chosen.add(ids);
      const report = JSON.parse(read(folder, `${method}/report.json`));
      assert.equal(report.method, method);
      const { n_frames, n_chosen } = report.occupancy.file[0];
      assert.deepEqual([n_frames, n_chosen], [273, 25]);
      const { chosen: measured, random } = report.coverage;
      assert.ok(measured.covering_radius > 0 && random.covering_radius > 0);
      if (method === "fps") assert.ok(measured.covering_radius < random.covering_radius);
    }
    assert.equal(chosen.size, 7, "two methods chose the same frames");
  }));

test("--select auto proposes a number of frames, and says why", () =>
  withSample(async (folder) => {
    const args = ["distill", SAMPLE, "--select", "auto", "-o", "out", "--backend", "cpu"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    const size = Number(stderr.match(/Size: with (\d+) frames 95 % of all have a chosen one/)![1]);
    assert.equal(read(folder, "out/selected.txt").trim().split("\n").length, size);
    const { size_search: search, n_selected } = JSON.parse(read(folder, "out/report.json"));
    assert.equal(n_selected, size);
    assert.equal(search.criterion, "coverage");
    const rows = read(folder, "out/sizes.csv").trim().split("\n");
    assert.equal(rows[0], "size,value,excess,upper");
    assert.equal(rows.length, search.rows.length + 1);
  }));

test("a slice of standard input, strata with spaces, a closed stderr", () =>
  withSample(async (folder) => {
    const noted = frames(sample(folder)).slice(0, 60)
      .map((text, i) => text.replace("Properties", `note="run ${i % 2} & <b>" Properties`));
    const args = [
      "distill",
      "-@::2",
      "-n",
      "4",
      "--stratify",
      "note",
      "-o",
      "a",
      "--backend",
      "cpu",
    ];
    const piped = await runProgram(args, {
      cwd: folder,
      stdin: new TextEncoder().encode(noted.join("")),
    });
    assert.equal(piped.code, 0, piped.stderr);
    const rows = read(folder, "a/frames.csv").trim().split("\n").slice(1);
    assert.equal(rows.length, 30);
    assert.ok(rows.every((row) => row.endsWith(",run 0 & <b>")));
    const closed = await runProgram(["distill", SAMPLE, "-n", "4", "-o", "b", "--backend", "cpu"], {
      cwd: folder,
      deaf: true,
    });
    assert.equal(closed.code, 0);
    assert.equal(read(folder, "b/selected.txt").trim().split("\n").length, 4);
  }));

test("cells narrower than the model's cutoff are told, and handled", () =>
  withSample(async (folder) => {
    const side = 2.5; // Å; the shipped model reads to 3 Å
    const frame = (x: number) =>
      `2\nLattice="${side} 0 0 1 ${side} 0 0 0 9" Properties=species:S:1:pos:R:3\n` +
      `H 0 0 0\nH 0.8 0 ${x}\n`;
    writeFileSync(join(folder, "x.xyz"), [0.1, 0.2, 0.3].map(frame).join(""));
    const args = ["distill", "x.xyz", "-n", "1", "-o", "out", "--backend", "cpu"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    // The planes that hold b and c are 2.5 · 2.5 / |b| apart.
    const width = (side * side / Math.hypot(1, side)).toPrecision(3);
    assert.match(
      stderr,
      new RegExp(`Cells: the narrowest is ${width} Å wide and the model reads to 3\\.00 Å`),
    );
    const wide = await runProgram(["distill", SAMPLE, "-n", "1", "-o", "b"], { cwd: folder });
    assert.doesNotMatch(wide.stderr, /Cells:/);
  }));

test("demo takes the options of distill instead of its own", () =>
  inFolder(async (folder) => {
    const args = ["demo", "-n", "7", "-o", "mine", "--backend", "cpu"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.equal(read(folder, "mine/selected.txt").trim().split("\n").length, 7);
    assert.deepEqual(readdirSync(folder).sort(), ["cache", "mine"]);
    const help = await runProgram(["demo", "--help"], { cwd: folder });
    assert.match(help.stdout, /^Usage: cpd demo \[OPTIONS of distill\]/);
  }));

test("frames of isolated atoms are kept and not counted", () =>
  withSample(async (folder) => {
    const atom =
      '1\nProperties=species:S:1:pos:R:3 config_type=IsolatedAtom pbc="F F F"\nH 0 0 0\n';
    writeFileSync(join(folder, "x.xyz"), atom + sample(folder));
    const args = ["distill", "x.xyz", "-n", "7", "-o", "out", "--backend", "cpu"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    const selected = read(folder, "out/selected.xyz");
    assert.ok(selected.startsWith(atom));
    assert.equal(frames(selected.slice(atom.length)).length, 7);
  }));

test("help, version, model list and doctor", () =>
  inFolder(async (folder) => {
    const run = (...args: string[]) => runProgram(args, { cwd: folder });
    const help = await run("--help");
    assert.equal(help.code, 0);
    assert.ok(help.stdout.indexOf("Examples:") < help.stdout.indexOf("Commands:"));
    for (
      const command of COMMANDS.map(({ name }) => name)
    ) {
      assert.match((await run(command, "--help")).stdout, new RegExp(`Usage: cpd ${command}`));
    }
    assert.match((await run("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match((await run("model", "list")).stdout, /hydrogen-small/);
    const doctor = await run("doctor", "--json", "--allow-software");
    assert.equal(doctor.code, 0, doctor.stderr + doctor.stdout);
    const { checks } = JSON.parse(doctor.stdout);
    assert.ok(checks.length >= 3);
    for (const { error, allowed } of checks) assert.ok(error <= allowed);
  }));
