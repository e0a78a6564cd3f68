/** `cpd md` by its own files. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertClose, projectPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const MODEL = projectPath("data/hydrogen-small.safetensors");
const START = `${projectPath("data/hydrogen-1000K-labelled.xyz.gz")}@20`;
const BASE = [START, "--model", MODEL, "--temperature", "300", "--timestep", "0.2"];

function md(folder: string, args: readonly string[], interruptAt?: RegExp) {
  return runProgram(["md", ...args], { cwd: folder, ...(interruptAt && { interruptAt }) });
}

/** Columns of a CSV file. */
function columnsOf(path: string): Record<string, number[]> {
  const [head, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
    .map((line) => line.split(","));
  return Object.fromEntries(head.map((name, i) => [name, rows.map((cells) => Number(cells[i]))]));
}

const RUN_FILES = ["thermo.csv", "trajectory.xyz"];

test("md writes every file of the contract, at every density", async () => {
  await inFolder(async (folder) => {
    const run = await md(folder, [
      ...[
        ...BASE,
        "-o",
        "out",
        "--steps",
        "40",
        "--every",
        "20",
        "--rs",
        "1.36:1.4:0.04",
        "--json",
      ],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const out = join(folder, "out");
    const reports = ["figures", "report.html", "report.json", "restart"];
    assert.deepEqual(readdirSync(out).sort(), [...reports, "rs1.36", "rs1.4"]);
    assert.deepEqual(readdirSync(join(out, "rs1.4")).sort(), RUN_FILES);
    const table = columnsOf(join(out, "rs1.4/thermo.csv"));
    assert.equal(
      Object.keys(table).join(),
      "step,time,temperature,kinetic,potential,total,conserved,pressure,pressure_xx,pressure_yy," +
        "pressure_zz,pressure_yz,pressure_xz,pressure_xy,molecular_fraction",
    );
    assert.deepEqual(table.step, [0, 10, 20, 30, 40]);
    assert.deepEqual(table.time, [0, 2, 4, 6, 8]);
    assertClose([table.temperature[0]], [300], 1e-9, "drawn at the temperature");
    const sum = table.kinetic.map((k, i) => k + table.potential[i]);
    assertClose(table.total, sum, 1e-10, "total energy");
    const mean = table.pressure_xx.map((p, i) =>
      (p + table.pressure_yy[i] + table.pressure_zz[i]) / 3
    );
    assertClose(table.pressure, mean, 1e-10, "pressure");
    // What analyze reads of the trajectory is what was told on the way.
    const read = await runProgram(["analyze", "out/rs1.4/trajectory.xyz", "-o", "a"], {
      cwd: folder,
    });
    assert.equal(read.code, 0, read.stderr);
    const analyzed = readFileSync(join(folder, "a/frames.csv"), "utf8").trimEnd().split("\n");
    const own = analyzed.slice(1).map((line) => line.split(","));
    const at = [0, 2, 4];
    const expected = (name: string) => at.map((i) => table[name][i]);
    assertClose(own.map((cells) => Number(cells[7])), [1.4, 1.4, 1.4], 1e-9, "r_s");
    assertClose(own.map((cells) => Number(cells[8])), expected("temperature"), 1e-9, "T");
    assertClose(own.map((cells) => Number(cells[10])), expected("pressure"), 1e-9, "pressure");
    const fractions = expected("molecular_fraction");
    assertClose(own.map((cells) => Number(cells[11])), fractions, 1e-9, "molecules");
    const { runs } = JSON.parse(run.stdout);
    assert.deepEqual(runs.map(({ name }: { name: string }) => name), ["rs1.36", "rs1.4"]);
    assert.match(readFileSync(join(out, "report.html"), "utf8"), /Conserved energy/);
  });
});

test("the energy is conserved, and the better the smaller the steps", async () => {
  await inFolder(async (folder) => {
    const spread = async (dt: number, steps: number) => {
      const name = `dt${dt}`;
      const run = await md(folder, [
        ...[START, "--model", MODEL, "--ensemble", "nve", "--temperature", "300", "-o", name],
        ...["--timestep", String(dt), "--steps", String(steps), "--thermo", "1"],
      ]);
      assert.equal(run.code, 0, run.stderr);
      const { total } = columnsOf(join(folder, name, "thermo.csv"));
      const mean = total.reduce((sum, e) => sum + e, 0) / total.length;
      return Math.sqrt(total.reduce((sum, e) => sum + (e - mean) ** 2, 0) / total.length);
    };
    const [coarse, fine] = [await spread(0.2, 100), await spread(0.1, 200)];
    const ratio = coarse / fine;
    assert.ok(ratio > 3.5 && ratio < 4.5, `half the step, a quarter of the error: ${ratio}`);
  });
});

test("dynamics that were stopped go on byte for byte as if they had not been", async () => {
  await inFolder(async (folder) => {
    const args = [...BASE, "--rs", "1.36,1.4", "--restart", "30", "--every", "7", "--thermo", "3"];
    const whole = await md(folder, [...args, "-o", "whole", "--steps", "200", "--threads", "1"]);
    assert.equal(whole.code, 0, whole.stderr);
    const first = await md(folder, [...args, "-o", "parts", "--steps", "50"]);
    assert.equal(first.code, 0, first.stderr);
    // A kill leaves more in the files than the restart knows of.
    cpSync(join(folder, "parts/restart"), join(folder, "kept"));
    const more = await md(folder, [...args, "-o", "parts", "--steps", "100"]);
    assert.equal(more.code, 0, more.stderr);
    cpSync(join(folder, "kept"), join(folder, "parts/restart"));
    const stopped = await md(
      folder,
      [...args, "-o", "parts", "--steps", "200"],
      /Going on after step 50/,
    );
    assert.equal(stopped.code, 130);
    assert.match(stopped.stderr, /Interrupted at step \d+; the same command goes on/);
    const last = await md(folder, [...args, "-o", "parts", "--steps", "200"]);
    assert.equal(last.code, 0, last.stderr);
    for (
      const name of ["rs1.36", "rs1.4"].flatMap((run) => RUN_FILES.map((own) => `${run}/${own}`))
    ) {
      const [a, b] = ["whole", "parts"].map((run) => readFileSync(join(folder, run, name), "utf8"));
      assert.equal(b, a, name);
    }
    assert.equal(last.stdout, whole.stdout);
    const alone = await md(folder, [...BASE, "--rs", "1.4", "-o", "alone", "--steps", "20"]);
    assert.equal(alone.code, 0, alone.stderr);
    const rows = (path: string, every: number) =>
      readFileSync(join(folder, path), "utf8").trimEnd().split("\n").slice(1)
        .filter((line) => Number(line.split(",")[0]) % every === 0);
    const [beside] = [rows("whole/rs1.4/thermo.csv", 30).slice(0, 1)];
    assert.deepEqual(
      rows("alone/rs1.4/thermo.csv", 30).slice(0, 1),
      beside,
      "others do not matter",
    );
    const other = await md(folder, [...args, "-o", "parts", "--steps", "300", "--tau", "20"]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /another tau \(50, now 20\)/);
    writeFileSync(join(folder, "parts/rs1.4/thermo.csv"), "step\n");
    const cut = await md(folder, [...args, "-o", "parts", "--steps", "300"]);
    assert.equal(cut.code, 2);
    assert.match(cut.stderr, /thermo\.csv is not what it was/);
  });
});

test("a disk that fills stops dynamics with a sentence, and they go on when there is room", async () => {
  await inFolder(async (folder) => {
    const args = [...BASE, "--steps", "60", "--every", "2", "--restart", "4"];
    const whole = await md(folder, [...args, "-o", "whole"]);
    assert.equal(whole.code, 0, whole.stderr);
    const full = await runProgram(["md", ...args, "-o", "parts"], { cwd: folder, fileLimit: 128 });
    assert.equal(full.code, 2, full.stderr);
    assert.match(
      full.stderr,
      /Cannot write or read "parts\/trajectory\.xyz": the file would be larger/,
    );
    const size = (name: string) => statSync(join(folder, name, "trajectory.xyz")).size;
    assert.ok(size("parts") <= 128 * 1024 && size("whole") > 128 * 1024, `${size("parts")} bytes`);
    const more = await md(folder, [...args, "-o", "parts"]);
    assert.equal(more.code, 0, more.stderr);
    assert.match(more.stderr, /Going on after step \d+ of 60/);
    for (const name of RUN_FILES) {
      const [a, b] = ["whole", "parts"].map((run) => readFileSync(join(folder, run, name), "utf8"));
      assert.equal(b, a, name);
    }
  });
});

test("frames to label next are chosen from the trajectories, against a training set", async () => {
  await inFolder(async (folder) => {
    const run = await md(folder, [
      ...[...BASE, "-o", "out", "--steps", "60", "--every", "3", "--rs", "1.36,1.4"],
      ...["--collect", "4", "--reference", `${START.replace("@20", "@:10")}`],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Chose 4 of 42 frames/);
    const ids = readFileSync(join(folder, "out/collect/selected.txt"), "utf8").trimEnd().split(
      "\n",
    );
    assert.equal(ids.length, 4);
    assert.ok(ids.every((id) => /^out\/rs1\.(36|4)\/trajectory\.xyz@\d+$/.test(id)), ids.join());
    const report = JSON.parse(readFileSync(join(folder, "out/collect/report.json"), "utf8"));
    assert.match(JSON.stringify(report), /hydrogen-1000K-labelled/, "the reference");
  });
});

test("an explosion stops, names the pair, and keeps the last good frames", async () => {
  await inFolder(async (folder) => {
    const run = await md(folder, [
      ...[START, "--model", MODEL, "--temperature", "20000", "--timestep", "2", "--steps", "500"],
      ...["-o", "out"],
    ]);
    assert.equal(run.code, 4);
    assert.match(run.stderr, /stopped at step \d+: .*(H-H are 0\.\d+ Å apart|leapt by|K$)/m);
    assert.match(run.stderr, /Cannot go on with 1 of 1 runs/);
    const frames = await runProgram(["analyze", "out/label_next.xyz", "-o", "a"], { cwd: folder });
    assert.equal(frames.code, 0, frames.stderr);
    const text = readFileSync(join(folder, "out/label_next.xyz"), "utf8");
    assert.ok(!/energy=|forces/.test(text), "nothing that a label could be mistaken for");
    const again = await md(folder, [
      ...[START, "--model", MODEL, "--temperature", "20000", "--timestep", "2", "--steps", "500"],
      ...["-o", "out"],
    ]);
    assert.equal(again.code, 4, "it stays stopped");
  });
});

test("the check of a potential says what holds, and fails where something does not", async () => {
  await inFolder(async (folder) => {
    const args = [...BASE, "--check", "--tau", "1", "--json"];
    const run = await md(folder, [...args, "--steps", "615"]);
    assert.equal(run.code, 0, run.stdout + run.stderr);
    const { checks } = JSON.parse(run.stdout) as { checks: { name: string; passed: boolean }[] };
    assert.deepEqual(checks.map(({ name }) => name), [
      "energy drift",
      "drift over the run / deviation of the kinetic energy",
      "fluctuation of the energy over that of half the step",
      "100 steps there and back",
      "canonical kinetic energies, 20 samples",
      ...["equipartition, x", "equipartition, y", "equipartition, z"],
      "static pressure against -dE/dV",
    ]);
    const few = await md(folder, [...args, "--steps", "50"]);
    assert.equal(few.code, 6);
    assert.match(few.stdout, /1 independent samples/);
    assert.deepEqual(readdirSync(folder).filter((name) => name !== "cache"), []);
    const dense = await md(folder, [...args, "--rs", "1.4"]);
    assert.equal(dense.code, 2);
    assert.match(dense.stderr, /Cannot use --rs or --density with --check/);
  });
});

/** Arguments after START and model, exit code, and what is said. */
const REFUSED: readonly (readonly [string[], number, RegExp])[] = [
  [["--timestep", "1"], 2, /--steps is missing/],
  [["--timestep", "1", "--steps", "5"], 2, /--temperature is missing/],
  [
    ["--timestep", "1", "--steps", "5", "--ensemble", "nve"],
    3,
    /no velocities; give a --temperature/,
  ],
  [
    ["--timestep", "1", "--steps", "5", "--ensemble", "nve", "--velocities", "file"],
    3,
    /has no velocities/,
  ],
  [
    ["--timestep", "1", "--steps", "5", "--ensemble", "nve", "--tau", "5"],
    2,
    /--tau with --ensemble nve/,
  ],
  [["--timestep", "1", "--steps", "5", "--temperature", "9", "--rs", "2:1:1"], 2, /--rs "2:1:1"/],
  [["--timestep", "1", "--steps", "5", "--temperature", "9", "--rs", "1,1"], 2, /--rs "1,1"/],
  [
    ["--timestep", "1", "--steps", "5", "--temperature", "9", "--rs", "1", "--density", "1"],
    2,
    /--rs with --density/,
  ],
  [
    ["--timestep", "1", "--steps", "5", "--temperature", "9", "--equilibrate", "5"],
    2,
    /--equilibrate 5/,
  ],
  [
    ["--timestep", "1", "--steps", "5", "--temperature", "9", "--reference", "x.xyz"],
    2,
    /--reference without --collect/,
  ],
];

test("md refuses what it cannot do in one sentence, and writes nothing", async () => {
  await inFolder(async (folder) => {
    for (const [args, code, words] of REFUSED) {
      const run = await md(folder, [START, "--model", MODEL, "-o", "out", ...args]);
      assert.equal(run.code, code, `${args.join(" ")}: ${run.stderr}`);
      assert.match(run.stderr, words, args.join(" "));
      assert.ok(!existsSync(join(folder, "out")), `${args.join(" ")} wrote something`);
    }
    const all = START.replace("@20", "");
    const many = await md(folder, [all, ...BASE.slice(1), "--steps", "5", "-o", "out"]);
    assert.equal(many.code, 2);
    assert.match(many.stderr, /it holds 34 frames; name one, such as .*@33/);
    writeFileSync(join(folder, "open.xyz"), "2\nno cell\nH 0 0 0\nH 0.74 0 0\n");
    const open = await md(folder, [
      ...["open.xyz", ...BASE.slice(1), "--steps", "5", "--density", "1", "-o", "out"],
    ]);
    assert.equal(open.code, 4);
    assert.match(open.stderr, /not periodic in all directions/);
  });
});
