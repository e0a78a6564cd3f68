import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatWeights } from "../../src/checkpoint/weights.ts";
import { exportWeights } from "../../src/checkpoint/export.ts";
import { randomCheckpoint } from "../golden_models.ts";
import { projectPath, sharedPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const MODEL = projectPath("data/hydrogen-small.safetensors");
const SAMPLE = projectPath("data/hydrogen-1000K.xyz.gz");
const RY_PER_BOHR = 25.71104309541616;

interface Stats {
  readonly frames: number;
  readonly energy_rmse: number | null;
  readonly energy_bias: number | null;
  readonly forces_rmse: number | null;
  readonly stress_rmse: number | null;
}

interface Summary {
  readonly all: Stats;
  readonly groups: Record<string, Record<string, Stats>>;
  readonly labels: Record<string, Record<string, number>>;
  readonly energy_shift: Record<string, number>;
  readonly worst: { quantity: string; frame: string; cause: string | null }[];
  readonly notes: string[];
}

async function evaluate(folder: string, args: readonly string[], env = {}) {
  const run = await runProgram(["evaluate", ...args], { cwd: folder, env });
  const summary = args.includes("--json") && run.code === 0
    ? JSON.parse(run.stdout) as Summary
    : null;
  return { ...run, summary };
}

/** Frames with the model's own predictions as labels, each as its lines. */
async function predicted(folder: string): Promise<string[][]> {
  const run = await evaluate(folder, [
    ...[`${SAMPLE}@:6`, "--model", MODEL, "-o", "own", "--backend", "reference"],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /Labels: no energy; no forces; no stress/);
  assert.equal(run.stdout, "");
  const lines = readFileSync(join(folder, "own/evaluate.xyz"), "utf8").trimEnd().split("\n");
  const n = Number(lines[0]) + 2;
  return Array.from(
    { length: 6 },
    (_, f) => lines.slice(f * n, (f + 1) * n).map((line) => line.replaceAll("MACE_", "REF_")),
  );
}

/** Changes the forces of a frame; they are the last three columns. */
function withForces(frame: readonly string[], change: (f: number, i: number) => number): string[] {
  return frame.map((line, at) => {
    if (at < 2) return line;
    const words = line.split(" ");
    const forces = words.splice(-3).map((f, k) => change(Number(f), 3 * (at - 2) + k));
    return [...words, ...forces].join(" ");
  });
}

const save = (folder: string, frames: readonly (readonly string[])[]) =>
  writeFileSync(join(folder, "x.xyz"), `${frames.map((lines) => lines.join("\n")).join("\n")}\n`);

test("evaluate finds no error in its own predictions, and writes every file", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    save(folder, frames);
    const { code, stderr, summary } = await evaluate(folder, [
      ...["x.xyz", "--model", MODEL, "--backend", "reference", "-o", "again", "--json"],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(summary!.all.frames, 6);
    for (const key of ["energy_rmse", "forces_rmse", "stress_rmse"] as const) {
      assert.ok(summary!.all[key]! < 1e-7, `${key} ${summary!.all[key]}`);
    }
    assert.deepEqual(readdirSync(join(folder, "again")).sort(), [
      ...["evaluate.csv", "evaluate.json", "evaluate.xyz", "figures", "report.html"],
      "report.json",
    ]);
    assert.deepEqual(readdirSync(join(folder, "again/figures")).sort(), [
      ...["parity_energy.svg", "parity_forces.svg", "parity_stress.svg"],
    ]);
    const csv = readFileSync(join(folder, "again/evaluate.csv"), "utf8").split("\n");
    assert.equal(
      csv[0],
      "id,file,index,n_atoms,formula,energy,energy_label,energy_error,forces_rmse,forces_mae," +
        "stress_rmse,pressure,pressure_label",
    );
    assert.equal(csv.length, 8);
    // The frames themselves are as they were, with columns behind them.
    const lines = readFileSync(join(folder, "again/evaluate.xyz"), "utf8").trimEnd().split("\n");
    frames.flat().forEach((line, i) => {
      if (!line.includes("Properties")) assert.ok(lines[i].startsWith(line), lines[i]);
      else assert.match(lines[i], /^Properties=\S*:MACE_forces:R:3 MACE_energy=.*REF_energy=/);
    });
    // Predictions of an earlier run are not written over, nor beside.
    const third = await evaluate(folder, ["again/evaluate.xyz", "--model", MODEL, "-o", "third"]);
    assert.equal(third.code, 3);
    assert.match(
      third.stderr,
      /evaluate.xyz@0: it has "MACE_energy" already; use another --prefix/,
    );
    assert.ok(!existsSync(join(folder, "third")));
  }));

test("the worst frames are named with what is probably wrong with their labels", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    const energy = (frame: string[], change: (e: number) => number) =>
      frame.map((line) => line.replace(/REF_energy=(\S+)/, (_, e) => `REF_energy=${change(+e)}`));
    save(folder, [
      withForces(frames[0], (f) => -f),
      withForces(frames[1], () => 0),
      withForces(frames[2], (f, i) => f + (i % 3 === 0 ? 4 : 0)),
      energy(frames[3], (e) => e / 27.211386),
      energy(frames[4], (e) => e / 64),
      frames[5],
    ]);
    const { summary, stderr, code } = await evaluate(folder, [
      ...["x.xyz", "--model", MODEL, "--backend", "cpu", "--json"],
    ]);
    assert.equal(code, 0, stderr);
    const cause = (quantity: string, frame: string) =>
      summary!.worst.find((w) => w.quantity === quantity && w.frame === frame)?.cause ?? "";
    assert.match(cause("forces", "x.xyz@0"), /opposite sign/);
    assert.match(cause("forces", "x.xyz@1"), /all zero/);
    assert.match(cause("forces", "x.xyz@2"), /add up to 4.0 eV\/Å per atom/);
    assert.match(cause("energy", "x.xyz@3"), /looks like hartree/);
    assert.match(cause("energy", "x.xyz@4"), /per atom/);
  }));

test("other units, signs and zeros of all labels are told", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    const changed = frames.map((frame) =>
      withForces(frame, (f) => f / RY_PER_BOHR).map((line) =>
        line.replace(/REF_energy=(\S+)/, (_, e) => `REF_energy=${+e + 64 * 13.6}`)
          .replace(/REF_stress="([^"]+)"/, (_, s: string) =>
            `REF_stress="${
              s.split(" ").map((x) => -160.2176634 * Number(x)).join(" ")
            }"`)
      )
    );
    save(folder, changed);
    const base = ["x.xyz", "--model", MODEL, "--backend", "cpu", "--json"];
    const { summary } = await evaluate(folder, base);
    const notes = summary!.notes.join("\n");
    assert.match(notes, /the forces look like Ry\/Bohr/);
    assert.match(notes, /the stress has the opposite sign, and looks like GPa/);
    assert.match(notes, /off by -13.60 eV\/atom.*--energy-shift auto/);
    const fitted = await evaluate(folder, [...base, "--energy-shift", "auto", "-o", "fitted"]);
    assert.ok(Math.abs(fitted.summary!.energy_shift.H - 13.6) < 1e-5);
    assert.ok(fitted.summary!.all.energy_rmse! < 0.01, String(fitted.summary!.all.energy_rmse));
    assert.match(fitted.stderr, /Energy shift, fitted.*H 13\.6000/);
    for (const given of ["13.6", "H:13.6"]) {
      const run = await evaluate(folder, [...base, "--energy-shift", given, "-o", `o${given}`]);
      assert.ok(run.summary!.all.energy_rmse! < 0.01, given);
    }
  }));

test("mixed and missing labels are counted, groups told apart", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    save(folder, [
      frames[0].map((line) => line.replace("REF_energy", "energy").replace("pbc", "kind=a pbc")),
      frames[1].map((line) => line.replace(/REF_energy=\S+/, "kind=a")),
      frames[2].map((line) => line.replace(/REF_energy=\S+/, "REF_energy=NaN kind=b")),
      ...frames.slice(3).map((f) => f.map((line) => line.replace("pbc", "kind=b pbc"))),
    ]);
    const args = ["x.xyz", "--model", MODEL, "--backend", "cpu", "--json", "--group-by", "kind"];
    const { summary, stderr, code } = await evaluate(folder, args);
    assert.equal(code, 0, stderr);
    assert.deepEqual(summary!.labels.energy, { energy: 1, REF_energy: 3 });
    assert.match(stderr, /energy is read from energy and REF_energy/);
    assert.match(stderr, /1 labels cannot be read as numbers .* REF_energy of x.xyz@2/);
    assert.equal(summary!.groups.kind.a.frames, 2);
    assert.equal(summary!.groups.kind.b.frames, 4);
    const missing = await evaluate(folder, [...args, "--stress-key", "strain", "-o", "none"]);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /no frame has "strain", which --stress-key names/);
  }));

test("frames that declare units are told so, and their predictions are read back as they were", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    save(
      folder,
      frames.slice(0, 2).map((frame) =>
        frame.map((line) =>
          line.replace(/REF_energy=\S+/, "energy-unit=hartree force-unit=Ry/Bohr")
        )
      ),
    );
    const args = ["--model", MODEL, "--backend", "reference", "--json"];
    const first = await evaluate(folder, ["x.xyz", ...args, "-o", "first"]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /x.xyz@0 says energy-unit=hartree: .* are written in these/);
    const again = await evaluate(folder, [
      ...["first/evaluate.xyz", ...args, "-o", "again", "--prefix", "new_"],
      ...["--energy-key", "MACE_energy", "--forces-key", "MACE_forces"],
    ]);
    assert.ok(again.summary!.all.energy_rmse! < 1e-6, again.stderr);
    assert.ok(again.summary!.all.forces_rmse! < 1e-6, again.stderr);
  }));

test("isolated atoms and stresses without a volume are told apart", () =>
  inFolder(async (folder) => {
    const frames = await predicted(folder);
    const atom = ["1", 'Properties=species:S:1:pos:R:3 REF_energy=-13 pbc="F F F"', "H 0 0 0"];
    const slab = frames[1].map((line) => line.replace('pbc="T T T"', 'pbc="T T F"'));
    save(folder, [frames[0], slab, atom]);
    const args = ["--model", MODEL, "--backend", "cpu", "--json"];
    const { summary, stderr } = await evaluate(folder, ["x.xyz", ...args]);
    assert.equal(summary!.all.frames, 2);
    assert.match(stderr, /Isolated atoms: 1 are predicted, and not counted among the errors/);
    assert.match(stderr, /1 stresses are not compared, the first is that of x.xyz@1/);
    assert.match(stderr, /stress REF_stress \(1 of 3 frames\)/);
    save(folder, [atom]);
    const alone = await evaluate(folder, ["x.xyz", ...args, "-o", "alone"]);
    assert.equal(alone.summary!.all.frames, 1);
  }));

test("a model with several heads wants one by name; one without energies is refused", async () => {
  const table = sharedPath("reference/mace/couplings_lmax3.json");
  if (!table) return;
  await inFolder(async (folder) => {
    const checkpoint = randomCheckpoint(JSON.parse(readFileSync(table, "utf8")), true);
    const heads = checkpoint.config.heads;
    writeFileSync(
      join(folder, "heads.safetensors"),
      formatWeights(exportWeights(checkpoint, null)),
    );
    const args = [`${SAMPLE}@:1`, "--model", "heads.safetensors", "--backend", "cpu"];
    const none = await evaluate(folder, args);
    assert.equal(none.code, 2);
    assert.match(
      none.stderr,
      new RegExp(`the model has ${heads.join(", ")}; name one with --head`),
    );
    const wrong = await evaluate(folder, [...args, "--head", "nonsense"]);
    assert.match(wrong.stderr, /Cannot use the readout head "nonsense"/);
    const energies = await Promise.all(heads.map(async (head) => {
      const run = await evaluate(folder, [...args, "--head", head, "-o", `head-${head}`]);
      assert.equal(run.code, 0, run.stderr);
      return readFileSync(join(folder, `head-${head}/evaluate.csv`), "utf8").split("\n")[1];
    }));
    assert.notEqual(energies[0], energies[1]);
  });
});

test("evaluate refuses what it cannot do in one sentence", () =>
  inFolder(async (folder) => {
    const cases: [string[], number, RegExp][] = [
      [[SAMPLE], 2, /--model, the potential, is missing/],
      [["--model", MODEL], 2, /no INPUT file was given/],
      [[SAMPLE, "--model", MODEL, "--energy-shift", "some"], 2, /Cannot use --energy-shift "some"/],
      [[SAMPLE, "--model", MODEL, "--energy-shift", "Xx:1"], 2, /Cannot use --energy-shift/],
      [[SAMPLE, "--model", MODEL, "--energy-shift", "H:1,H:2"], 2, /Cannot use --energy-shift/],
      [[`${SAMPLE}@:1`, "--model", MODEL, "--energy-shift", "He:1"], 2, /no frame holds it/],
      [[`${SAMPLE}@:1`, "--model", MODEL, "--energy-shift", "auto"], 4, /no frame is labelled/],
      [[SAMPLE, "--model", MODEL, "--prefix", "a b"], 2, /Cannot use --prefix "a b"/],
      [[SAMPLE, "--model", "built-in"], 5, /Cannot predict energies with a ACE model/],
    ];
    for (const [args, code, message] of cases) {
      const run = await evaluate(folder, args);
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
    }
    const run = await runProgram(
      ["evaluate", SAMPLE, "--model", MODEL, "--threads", "1", "-o", "cut"],
      { cwd: folder, interruptAt: /Backend/ },
    );
    assert.equal(run.code, 130, run.stderr);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("cut")), []);
  }));

test("the official checkpoint has the errors of its own training log", async () => {
  const folderOf = "reference/mace_official";
  const file = sharedPath(`${folderOf}/solvent_xtb_test.xyz.gz`);
  const model = sharedPath(`${folderOf}/mace_benchmark_maxL1_corr3_swa.model`);
  if (!file || !model) return;
  await inFolder(async (folder) => {
    const keys = ["--energy-key", "energy_xtb", "--forces-key", "forces_xtb"];
    const { code, stdout, stderr } = await evaluate(folder, [
      ...[file, "--model", model, "--backend", "cpu", ...keys],
    ]);
    assert.equal(code, 0, stderr);
    const [, energy, , , forces, , relative] = stdout.split("\n")[1].trim().split(/\s+/).slice(1);
    assert.equal(Number(energy).toFixed(1), "7.0", "meV/atom");
    assert.equal(forces, "183.6", "meV/Å");
    assert.equal(relative, "8.02", "per cent");
  });
});
