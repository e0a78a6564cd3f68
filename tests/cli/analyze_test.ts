/** `cpd analyze` by its own files. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertClose, projectPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const LABELLED = projectPath("data/hydrogen-1000K-labelled.xyz.gz");

function analyze(folder: string, args: readonly string[]) {
  return runProgram(["analyze", ...args], { cwd: folder });
}

/** Rows of a CSV file by the names of its columns. */
function rowsOf(path: string): Record<string, string>[] {
  const [head, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
    .map((line) => line.split(","));
  return rows.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i]])));
}

test("analyze writes every file of the contract, and its means are those of the frames", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "known.csv"), "rs,pressure\n1.24,500\n1.4,\n1.4,240\n");
    const run = await analyze(folder, [
      ...[LABELLED, "-o", "out", "--group-by", "phase", "--overlay", "known.csv", "--json"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Velocities: none; no temperature, static pressures alone/);
    const out = join(folder, "out");
    assert.deepEqual(readdirSync(out).sort(), [
      ...["analyze.json", "figures", "frames.csv", "rdf.csv", "report.html", "report.json"],
    ]);
    const figures = ["composition.svg", "molecular_fraction.svg", "pressure.svg", "rdf.svg"];
    assert.deepEqual(readdirSync(join(out, "figures")).sort(), figures);
    const frames = rowsOf(join(out, "frames.csv"));
    assert.equal(
      Object.keys(frames[0]).join(),
      "id,file,index,n_atoms,formula,volume,density,rs,temperature,pressure_static,pressure," +
        "molecular_fraction,mean_coordination",
    );
    assert.equal(frames[0].temperature + frames[0].pressure, "", "no velocities");
    // By hand: r_s 1.24, 64 atoms of 1.008 u in (4.231048 Å)³, 0.2252 in its file.
    const rs = Math.cbrt(3 * 4.231048 ** 3 / (4 * Math.PI * 64)) / 0.529177210903;
    assertClose([Number(frames[0].rs)], [rs], 1e-12, "r_s");
    assertClose(
      [Number(frames[0].density)],
      [64 * 1.008 * 1.6605390666 / 4.231048 ** 3],
      1e-9,
      "ρ",
    );
    assert.equal(Number(frames[0].molecular_fraction).toFixed(4), "0.2252");
    const static0 = (3.1007213266 + 3.0835132153 + 3.0812077214) / 3 * 160.2176634;
    assertClose([Number(frames[0].pressure_static)], [static0], 1e-9, "static pressure");
    const summary = JSON.parse(run.stdout);
    assert.deepEqual(summary, JSON.parse(readFileSync(join(out, "analyze.json"), "utf8")));
    const mean = frames.reduce((sum, { rs }) => sum + Number(rs), 0) / frames.length;
    assertClose([summary.all.columns.rs.mean], [mean], 1e-12, "mean r_s");
    const groups = Object.values(summary.groups.phase) as { frames: number }[];
    assert.equal(groups.reduce((n, group) => n + group.frames, 0), frames.length);
    const pairs = rowsOf(join(out, "rdf.csv"));
    assert.deepEqual(Object.keys(pairs[0]), ["group", "r", "g", "coordination", "g_H-H"]);
    assert.equal(pairs.length, 300 * groups.length);
    const far = pairs.filter(({ r }) => Number(r) > 4).map(({ g }) => Number(g));
    const level = far.reduce((sum, g) => sum + g, 0) / far.length;
    assert.ok(Math.abs(level - 1) < 0.01, `g far away is ${level}`);
    const page = readFileSync(join(out, "report.html"), "utf8");
    assert.match(page, /Pair distribution functions for each phase/);
    assert.match(page, /given points/);
  });
});

/** Atoms of hydrogen that go straight on, two by two against each other, or swing; Å and fs. */
function trajectory(frames: number, interval: number, wavenumber: number | null): string {
  const [n, box, speed] = [8, 4, 0.01];
  const omega = 2 * Math.PI * (wavenumber ?? 0) * 2.99792458e-5;
  return Array.from({ length: frames }, (_, f) => {
    const time = f * interval;
    const rows = Array.from({ length: n }, (_, i) => {
      const sign = i % 2 === 0 ? 1 : -1;
      const moved = wavenumber === null ? speed * time : speed * Math.sin(omega * time) / omega;
      const v = wavenumber === null ? speed : speed * Math.cos(omega * time);
      const x = 0.25 + 0.5 * i + sign * moved;
      const wrapped = x - box * Math.floor(x / box);
      return `H ${wrapped} ${1 + i % 3} ${2 * (i % 2)} ${sign * v} 0 0`;
    });
    const keys = `Lattice="${box} 0 0 0 ${box} 0 0 0 ${box}" ` +
      'Properties=species:S:1:pos:R:3:velocities:R:3 stress="-0.3 0 0 0 -0.3 0 0 0 -0.3"';
    return [n, keys, ...rows].join("\n");
  }).join("\n") + "\n";
}

test("motion: displacements through the borders, vibrations where they are, kinetic pressure", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "straight.xyz"), trajectory(400, 2, null));
    writeFileSync(join(folder, "swing.xyz"), trajectory(4000, 0.5, 4400));
    const run = await analyze(folder, ["straight.xyz", "-o", "a", "--timestep", "2"]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /Velocities: "velocities", read as Å\/fs/);
    assert.match(run.stdout, /Diffusion, straight.xyz: from displacements/);
    const motion = rowsOf(join(folder, "a/motion.csv"));
    assert.equal(motion.length, 51);
    const times = motion.map(({ time }) => Number(time));
    assert.equal(times[50], 100);
    const msd = motion.map((row) => Number(row.msd));
    assertClose(msd, times.map((t) => (0.01 * t) ** 2), 1e-9, "MSD");
    assertClose(motion.map((row) => Number(row.vacf)), times.map(() => 1e-4), 1e-12, "VACF");
    const [frame] = rowsOf(join(folder, "a/frames.csv"));
    // 2 K = 8 · 1.008 u · 1e-4 Å²/fs² in eV; 21 degrees of freedom.
    const twice = 8 * 1.008 * 1e-4 / 0.00964853321233;
    assertClose([Number(frame.temperature)], [twice / (21 * 8.617333262e-5)], 1e-12, "T");
    const pressure = (0.3 + twice / (3 * 64)) * 160.2176634;
    assertClose([Number(frame.pressure)], [pressure], 1e-12, "pressure");
    const swing = await analyze(folder, ["swing.xyz", "-o", "b", "--timestep", "0.5", "--json"]);
    assert.equal(swing.code, 0, swing.stderr);
    const density = rowsOf(join(folder, "b/vibrations.csv"))
      .map((row) => [Number(row.wavenumber), Number(row.density_of_states)] as const);
    const top = density.reduce((a, b) => (b[1] > a[1] ? b : a));
    const step = density[1][0];
    assert.ok(Math.abs(top[0] - 4400) < step, `the peak is at ${top[0]}`);
    const ends = (density[0][1] + density[density.length - 1][1]) / 2;
    const integral = step * (density.reduce((sum, [, y]) => sum + y, 0) - ends);
    assertClose([integral], [21], 1e-9, "states");
    const [{ diffusion_vacf }] = JSON.parse(swing.stdout).trajectories;
    assert.ok(
      Math.abs(diffusion_vacf.value) < 0.05,
      `swinging atoms stay: ${diffusion_vacf.value}`,
    );
    const names = ["msd", "vacf", "vibrations"].map((name) => `b/figures/${name}.svg`);
    assert.ok(names.every((name) => existsSync(join(folder, name))));
  });
});

/** Arguments, exit code, and what is said. */
const REFUSED: readonly (readonly [string[], number, RegExp])[] = [
  [[], 2, /no INPUT file/],
  [["x.xyz", "--r-max", "0.5"], 2, /--r-max "0.5"/],
  [["x.xyz", "--timestep", "0"], 2, /--timestep "0"/],
  [["x.xyz", "--group-by", "none"], 3, /x\.xyz@0: its comment line has no key "none"/],
  [["x.xyz", "--stress-key", "none"], 3, /no frame has "none"/],
  [["x.xyz", "--overlay", "none.csv"], 2, /none\.csv/],
  [["x.xyz", "--overlay", "head.csv"], 3, /head\.csv:1: its head has not the columns/],
  [["x.xyz", "--overlay", "word.csv"], 3, /word\.csv:3: its pressure "high" is not a number/],
  [["x.xyz@::3", "x.xyz@1", "--timestep", "1"], 4, /not evenly spaced before x\.xyz@3/],
  [["two.xyz", "--timestep", "1"], 4, /two\.xyz@70 has another cell than two\.xyz@69/],
];

test("analyze refuses what it cannot do in one sentence, and writes nothing", async () => {
  await inFolder(async (folder) => {
    const straight = trajectory(240, 1, null);
    writeFileSync(join(folder, "x.xyz"), straight);
    const lines = straight.split("\n");
    const other = lines.slice(0, 700).map((line) => line.replaceAll('"4 0', '"4.1 0'));
    writeFileSync(join(folder, "two.xyz"), [...lines.slice(0, 700), ...other, ""].join("\n"));
    writeFileSync(join(folder, "head.csv"), "rs,energy\n1,2\n");
    writeFileSync(join(folder, "word.csv"), "rs,pressure\n1,2\n1,high\n");
    for (const [args, code, words] of REFUSED) {
      const run = await analyze(folder, [...args, "-o", "out"]);
      assert.equal(run.code, code, `${args.join(" ")}: ${run.stderr}`);
      assert.match(run.stderr, words, args.join(" "));
      assert.ok(!existsSync(join(folder, "out")), `${args.join(" ")} wrote something`);
    }
    const few = await analyze(folder, ["x.xyz@:10", "--timestep", "1", "-o", "few"]);
    assert.equal(few.code, 0, few.stderr);
    assert.match(few.stderr, /10 frames are too few to tell of motion, 64 are needed/);
    writeFileSync(join(folder, "open.xyz"), "2\nno cell\nH 0 0 0\nH 0.74 0 0\n");
    const open = await analyze(folder, ["open.xyz", "-o", "open"]);
    assert.equal(open.code, 0, open.stderr);
    assert.match(open.stderr, /1 of 1 frames are not periodic/);
    assert.ok(!existsSync(join(folder, "open/rdf.csv")));
    assert.match(readFileSync(join(folder, "open/frames.csv"), "utf8"), /H2,,,,,,,0\.98758/);
  });
});
