/** `cpd train` by its own files. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { loadMace } from "../../src/checkpoint/load.ts";
import { projectPath, sharedPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const MODEL = projectPath("data/hydrogen-small.safetensors");
const LABELLED = projectPath("data/hydrogen-1000K-labelled.xyz.gz");
/** Six frames to train on and one to validate on: steps of a fraction of a second. */
const FEW = [`${LABELLED}@:7`, "--model", MODEL, "--e0s", "average"];

function train(folder: string, args: readonly string[], interruptAt?: RegExp) {
  return runProgram(["train", ...args], { cwd: folder, ...(interruptAt && { interruptAt }) });
}

/** Rows of loss.csv without the seconds. */
function losses(folder: string): string[] {
  return readFileSync(join(folder, "loss.csv"), "utf8").trimEnd().split("\n")
    .map((line) => line.slice(0, line.lastIndexOf(",")));
}

/** The labelled frames, each as its lines. */
function frames(): string[][] {
  const lines = gunzipSync(readFileSync(LABELLED)).toString().trimEnd().split("\n");
  const n = Number(lines[0]) + 2;
  return Array.from({ length: lines.length / n }, (_, f) => lines.slice(f * n, (f + 1) * n));
}

test("train writes every file of the contract, and a model that evaluate reads", async () => {
  await inFolder(async (folder) => {
    const run = await train(folder, [...FEW, "-o", "out", "--epochs", "2", "--json"]);
    assert.equal(run.code, 0, run.stderr);
    const names = ["figures", "last.safetensors", "loss.csv", "model.safetensors", "report.html"];
    const expected = [...names, "report.json", "restart", "split.csv"].sort();
    assert.deepEqual(readdirSync(join(folder, "out")).sort(), expected);
    const [head, zero, ...rows] = losses(join(folder, "out"));
    assert.match(head, /^epoch,learning_rate,loss,energy_rmse,forces_rmse,stress_rmse,valid_loss,/);
    assert.match(zero, /^0,0\.01,,,,,[\d.]+,/);
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.split(",").every((cell) => Number.isFinite(Number(cell)))));
    const summary = JSON.parse(run.stdout);
    assert.ok(summary.after.energy_rmse < summary.before.energy_rmse);
    assert.match(run.stderr, /Energies of isolated atoms, average: H -13\.\d+ \(the model's -14\./);
    assert.match(run.stderr, /6 to train on, 1 to validate on; steps of 2/);
    assert.match(run.stderr, /Memory: \d+ MiB for the largest step/);
    const split = readFileSync(join(folder, "out/split.csv"), "utf8").trimEnd().split("\n");
    assert.equal(split.length, 8);
    assert.equal(split.filter((line) => line.endsWith(",valid")).length, 1);
    const page = readFileSync(join(folder, "out/report.html"), "utf8");
    assert.match(page, /Loss against epochs/);
    assert.match(page, /after training/);
    const header = readFileSync(join(folder, "out/model.safetensors")).subarray(8, 4000).toString();
    assert.match(header, /recipe.*atomic_energies/);
    const evaluated = await runProgram([
      ...["evaluate", LABELLED, "--model", "out/model.safetensors", "-o", "e", "--json"],
    ], { cwd: folder });
    assert.equal(evaluated.code, 0, evaluated.stderr);
    const again = await train(folder, [...FEW, "-o", "out", "--epochs", "2", "--json"]);
    assert.equal(again.stdout, run.stdout, "a finished training is told again");
  });
});

test("a training that was stopped goes on as if it had not been", async () => {
  await inFolder(async (folder) => {
    const args = [...FEW, "--ema", "0.9", "--plateau", "0.5,0"];
    const first = await train(folder, [...args, "-o", "parts", "--epochs", "1"]);
    assert.equal(first.code, 0, first.stderr);
    cpSync(join(folder, "parts"), join(folder, "whole"), { recursive: true });
    const whole = await train(folder, [...args, "-o", "whole", "--epochs", "4", "--threads", "1"]);
    assert.equal(whole.code, 0, whole.stderr);
    // Ctrl-C as soon as it trains: what was written is whole, and says how to go on.
    const stopped = await train(folder, [...args, "-o", "parts", "--epochs", "4"], /Going on/);
    assert.equal(stopped.code, 130);
    assert.match(stopped.stderr, /the same command goes on/);
    const second = await train(folder, [...args, "-o", "parts", "--epochs", "2"]);
    assert.equal(second.code, 0, second.stderr);
    const last = await train(folder, [...args, "-o", "parts", "--epochs", "4"]);
    assert.match(last.stderr, /Going on after epoch 2 of 4/);
    const [a, b] = ["whole", "parts"].map((name) => join(folder, name));
    assert.deepEqual(losses(b), losses(a));
    for (const name of ["model.safetensors", "last.safetensors"]) {
      const numbers = (from: string) => [...loadMace(join(from, name)).checkpoint.tensors];
      assert.deepEqual(numbers(b), numbers(a), name);
    }
    const other = await train(folder, [...args, "-o", "parts", "--learning-rate", "0.02"]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /another learning rate \(0.01, now 0.02\)/);
    writeFileSync(join(b, "restart"), readFileSync(join(b, "restart")).subarray(0, 1000));
    const damaged = await train(folder, [...args, "-o", "parts", "--epochs", "4"]);
    assert.equal(damaged.code, 2);
    assert.match(damaged.stderr, /restart is damaged/);
  });
});

test("a checkpoint of the official code comes back with other numbers only", async () => {
  const model = sharedPath("models/hhe-vdwdf.model");
  if (!model) return console.log("skipped: there is no shared folder");
  await inFolder(async (folder) => {
    const run = await train(folder, [
      ...[`${LABELLED}@:5`, "--model", model, "--e0s", "estimated", "-o", "out", "--epochs", "1"],
      ...["--learning-rate", "0.001", "--batch", "4"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const [before, after] = [model, join(folder, "out/last.model")].map((path) => loadMace(path));
    assert.equal(after.bytes.length, before.bytes.length);
    const moved = new Set<string>();
    for (const [name, { data, shape }] of before.checkpoint.tensors) {
      const own = after.checkpoint.tensors.get(name)!;
      assert.deepEqual(own.shape, shape);
      if (own.data.some((x, i) => x !== data[i])) moved.add(name);
    }
    assert.ok(moved.has("interactions.1.linear.weight"));
    assert.ok(moved.has("atomic_energies_fn.atomic_energies"));
    assert.ok(![...moved].some((name) => /bessel|U_matrix|scale_shift|r_max/.test(name)));
    // Helium was not seen: its rows are what they were.
    const weights = "products.0.symmetric_contractions.contractions.0.weights_max";
    const [own, old] = [after, before].map(({ checkpoint }) =>
      checkpoint.tensors.get(weights)!.data
    );
    const half = old.length / 2;
    assert.deepEqual(own.slice(half), old.slice(half));
    assert.notDeepEqual(own.slice(0, half), old.slice(0, half));
    const [kept, last] = ["model.model", "model.safetensors"].map((name) =>
      loadMace(join(folder, "out", name)).model
    );
    assert.deepEqual(kept.layers[1].linear, last.layers[1].linear);
  });
});

test("frames with a wrong label are named", async () => {
  await inFolder(async (folder) => {
    const all = frames().slice(0, 20);
    all[2][1] = all[2][1].replace(/REF_energy=(\S+)/, (_, e) => `REF_energy=${Number(e) + 27.2}`);
    const withForces = (frame: string[], factor: number) =>
      frame.map((line, i) => {
        if (i < 2) return line;
        const words = line.trim().split(/\s+/);
        return [...words.slice(0, 4), ...words.slice(4, 7).map((f) => factor * Number(f))].join(
          " ",
        );
      });
    all[7] = withForces(all[7], 0);
    all[11] = withForces(all[11], -1);
    writeFileSync(join(folder, "wrong.xyz"), `${all.flat().join("\n")}\n`);
    writeFileSync(join(folder, "valid.xyz"), `${frames().slice(20, 22).flat().join("\n")}\n`);
    const run = await train(folder, [
      ...["wrong.xyz", "--model", MODEL, "-o", "out", "--epochs", "1", "--e0s", "estimated"],
      ...["--valid", "valid.xyz", "--json"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const { suspects } = JSON.parse(run.stdout) as {
      suspects: { frame: string; quantity: string; cause: string | null }[];
    };
    const told = suspects.map(({ frame, quantity, cause }) => `${frame} ${quantity} ${cause}`);
    assert.deepEqual(told, [
      "wrong.xyz@2 energy null",
      "wrong.xyz@7 forces the forces in the file are all zero",
      "wrong.xyz@11 forces the forces have the opposite sign",
    ]);
    assert.match(run.stderr, /labels look wrong .*wrong\.xyz@2: energy \d\d\.\d eV off/);
  });
});

test("readouts alone, a given order, and frames to replay", async () => {
  await inFolder(async (folder) => {
    const ids = frames().slice(0, 6).map((_, i) => `six.xyz@${i}`);
    writeFileSync(join(folder, "six.xyz"), `${frames().slice(0, 6).flat().join("\n")}\n`);
    writeFileSync(join(folder, "valid.xyz"), `${frames().slice(6, 8).flat().join("\n")}\n`);
    writeFileSync(join(folder, "order.txt"), `${ids.toReversed().join("\n")}\n`);
    const base = ["six.xyz", "--model", MODEL, "--e0s", "average", "--valid", "valid.xyz"];
    const readouts = await train(folder, [
      ...[...base, "-o", "a", "--epochs", "1", "--train", "readouts", "--order", "order.txt"],
    ]);
    assert.equal(readouts.code, 0, readouts.stderr);
    const moved = loadMace(join(folder, "a/last.safetensors")).model;
    const { model } = loadMace(MODEL);
    assert.deepEqual(moved.layers, model.layers);
    assert.notDeepEqual(moved.readouts, model.readouts);
    const replay = await train(folder, [
      ...[...base, "-o", "b", "--epochs", "1", "--replay", `${LABELLED}@10:30`, "--replay-n", "4"],
      ...["--replay-weight", "0.5"],
    ]);
    assert.equal(replay.code, 0, replay.stderr);
    assert.match(replay.stderr, /Replay: 4 of 20 frames, labelled by the model, weight 0.5/);
    assert.match(replay.stderr, /10 to train on, 2 to validate on/);
  });
});

/** Arguments, exit code, and what is said. */
const REFUSED: readonly (readonly [string[], number, RegExp])[] = [
  [["--e0s", "model"], 4, /off by -?[\d.]+ eV\/atom on average.*--e0s average/],
  [["--e0s", "isolated"], 4, /no energy of an isolated H atom/],
  [["--e0s", "X:1"], 2, /--e0s "X:1"/],
  [["--train", "nothing.*"], 2, /no tensor has such a name/],
  [["--batch", "100", "--e0s", "average"], 4, /steps of 100 frames from \d+/],
  [["--energy-key", "name"], 3, /cannot be read|no frame is labelled with energy/],
  [["--forces-key", "none"], 3, /no frame has "none"/],
  [["--valid", "missing.xyz"], 2, /missing\.xyz/],
  [["--plateau", "2,50"], 2, /--plateau "2,50"/],
  [["--replay", "x.xyz"], 2, /--replay-n/],
  [["--replay-n", "3"], 2, /without --replay/],
  [["--loss", "l1"], 2, /--loss "l1"/],
  [["--group-by", "none"], 3, /no key "none"/],
  [["--group-by", "name", "--valid", "x.xyz"], 2, /--group-by with --valid FILE/],
  [["--huber-delta", "1"], 2, /--huber-delta with --loss weighted/],
  [["--energy-weight", "0", "--forces-weight", "0"], 2, /all weights of the loss are 0/],
  [["--order", "none.txt"], 2, /none\.txt/],
  [["--order", "twice.txt", "--e0s", "average"], 3, /twice\.txt:2: "x\.xyz@3" stands twice/],
  [["--order", "few.txt", "--e0s", "average"], 3, /few\.txt: it names 1 frames, expected all 5/],
  [["--order", "other.txt", "--e0s", "average"], 3, /other\.txt:1: "y\.xyz@0" is none of/],
];

test("train refuses what it cannot do in one sentence, and writes nothing", async () => {
  await inFolder(async (folder) => {
    // Energies with another zero than the model's.
    const other = frames().slice(0, 6).map(([n, comment, ...rows]) => [
      n,
      comment.replace(/REF_energy=(\S+)/, (_, e) => `REF_energy=${Number(e) + 640}`),
      ...rows,
    ]);
    writeFileSync(join(folder, "x.xyz"), `${other.flat().join("\n")}\n`);
    writeFileSync(join(folder, "few.txt"), "x.xyz@3\n");
    writeFileSync(join(folder, "twice.txt"), "x.xyz@3\nx.xyz@3\n");
    writeFileSync(join(folder, "other.txt"), "y.xyz@0\n");
    for (const [args, code, words] of REFUSED) {
      const run = await train(folder, ["x.xyz", "--model", MODEL, "-o", "out", ...args]);
      assert.equal(run.code, code, `${args.join(" ")}: ${run.stderr}`);
      assert.match(run.stderr, words, args.join(" "));
      assert.ok(!existsSync(join(folder, "out")), `${args.join(" ")} wrote something`);
    }
    writeFileSync(
      join(folder, "bare.xyz"),
      other.map(([n, , ...rows]) => [
        n,
        'Lattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3:rest:R:3',
        ...rows,
      ]).flat().join("\n") + "\n",
    );
    const bare = await train(folder, ["bare.xyz", "--model", MODEL, "-o", "out"]);
    assert.equal(bare.code, 3);
    assert.match(
      bare.stderr,
      /no frame to train on is labelled with energy, which has weight 10000/,
    );
  });
});
