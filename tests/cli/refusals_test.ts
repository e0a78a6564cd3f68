/** Requests that cannot be met: one sentence, an exit code, and nothing written. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { checkSpace, freeBytes } from "../../src/cli/output/disk_space.ts";
import { npyBytes, npyHeader } from "../../src/io/npy.ts";
import { openGpuOrSkip } from "../backends.ts";
import { projectPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

const SAMPLE = "pool.xyz.gz";

function withSample(work: (folder: string) => Promise<void>): Promise<void> {
  return inFolder((folder) => {
    copyFileSync(projectPath("data/hydrogen-1000K.xyz.gz"), join(folder, SAMPLE));
    return work(folder);
  });
}

test("Ctrl-C exits with 130, writes nothing, and the next run goes on", () =>
  withSample(async (folder) => {
    writeFileSync(join(folder, "big.xyz"), gunzipSync(readFileSync(join(folder, SAMPLE))));
    const args = ["distill", "big.xyz", "-n", "9", "-o", "out", "--backend", "reference"];
    const interrupted = await runProgram(args, {
      cwd: folder,
      interruptAt: /Descriptors: \d+\/273/,
    });
    assert.equal(interrupted.code, 130, interrupted.stderr);
    assert.match(
      interrupted.stderr,
      /Interrupted after \d+ of 273 frames; run the same command again/,
    );
    assert.equal(existsSync(join(folder, "out")), false);
    const again = await runProgram([
      "features",
      "big.xyz@:5",
      "-o",
      "f.npy",
      "--backend",
      "reference",
    ], {
      cwd: folder,
    });
    assert.match(again.stderr, /Cache: 5 of 5 frames are known already/);
  }));

const INTERRUPTED: [args: string[], at: RegExp][] = [
  [["features", "big.xyz", "-o", "out", "--per-atom", "--backend", "reference"], /Descriptors: /],
  [
    ["compare", "big.xyz", "-n", "60", "--seeds", "50", "--methods", "rnd", "-o", "out"],
    /Selections: /,
  ],
];

for (const [args, at] of INTERRUPTED) {
  test(`Ctrl-C of ${args[0]} writes nothing`, () =>
    withSample(async (folder) => {
      writeFileSync(join(folder, "big.xyz"), gunzipSync(readFileSync(join(folder, SAMPLE))));
      const { code, stderr } = await runProgram(args, { cwd: folder, interruptAt: at });
      assert.equal(code, 130, stderr);
      assert.match(stderr, /Interrupted; nothing was written/);
      assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("out")), []);
    }));
}

const USAGE: [args: string[], code: number, message: RegExp][] = [
  [["distil"], 2, /Cannot run "distil": expected distill, compare/],
  [["distill"], 2, /-n N, the number of frames to choose \(or auto\), is missing/],
  [["distill", "-n", "5"], 2, /no INPUT file was given/],
  [["distill", SAMPLE, "-n", "0"], 2, /Cannot use --select "0"/],
  [["distill", SAMPLE, "-n", "many"], 2, /Cannot use --select "many"/],
  [["distill", SAMPLE, "-n", "5", "--radius", "-1"], 2, /Cannot use --radius "-1"/],
  [["distill", SAMPLE, "-n", "5", "--components", "0"], 2, /Cannot use --components "0"/],
  [["distill", SAMPLE, "-n", "5", "--backend", "cuda"], 2, /Cannot use --backend "cuda"/],
  [["distill", SAMPLE, "-n", "5", "--frobnicate"], 2, /Unknown option '--frobnicate'/],
  [
    ["distill", SAMPLE, "-n", "5", "--method", "birch"],
    2,
    /Cannot use --method "birch": expected cpd-spread, cpd, direct, rnd/,
  ],
  [["distill", SAMPLE, "-n", "5", "--compat", "maml"], 2, /Cannot use --compat with --method cpd/],
  [
    ["distill", SAMPLE, "-n", "5", "--density-weight", "0"],
    2,
    /Cannot use --density-weight with --method cpd-spread: expected cpd/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--margin", "2"],
    2,
    /Cannot use --margin with -n 5: expected --select auto/,
  ],
  [
    ["distill", `${SAMPLE}@:20`, "--select", "auto", "--backend", "cpu"],
    4,
    /Cannot propose a size from 20 frames, expected at least 40; give -n/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--method", "random", "--reference", SAMPLE],
    2,
    /Cannot use --reference with --method random: expected cpd-spread, cpd, rnd, fps/,
  ],
  [["distill", `${SAMPLE}@1:2:0`, "-n", "5"], 2, /Cannot parse slice "@1:2:0"/],
  [["distill", "missing.xyz", "-n", "5"], 2, /Cannot read "missing.xyz": no such file/],
  [["distill", SAMPLE, "-n", "274"], 4, /Cannot choose 274 frames: there are only 273/],
  [
    ["distill", SAMPLE, "-n", "5", "--keep", "nobody@1"],
    4,
    /Cannot keep "nobody@1": it is neither the id of a frame in the pool nor a file of ids/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--keep", `nobody@1,${SAMPLE}@0`],
    4,
    /Cannot keep "nobody@1": there is no such frame/,
  ],
  [
    ["distill", SAMPLE, "-n", "1", "--keep", `${SAMPLE}@1,${SAMPLE}@0`, "--backend", "cpu"],
    4,
    /Cannot keep 2 frames in a selection of 1; raise -n/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--model", "missing.model"],
    5,
    /Cannot use model "missing.model": no such file/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--model", SAMPLE],
    5,
    /neither a torch checkpoint nor exported weights/,
  ],
  [["distill", SAMPLE, "-n", "5", "-o", "."], 2, /Cannot write into ".": it is not empty/],
  [["distill", SAMPLE, "-n", "5", "--layers", "3", "--backend", "cpu"], 2, /the model has 2/],
  [["features", SAMPLE], 2, /-o FILE.npy is missing/],
  [["model", "open"], 2, /expected list, info, export or pull/],
  [["model", "list", "medium"], 2, /Cannot list "medium": cpd model list takes no name/],
  [["distill", SAMPLE, "-n", "-1"], 2, /Cannot use --select "-1"/],
  [["distill", SAMPLE, "-n", "5", "--seed", "1", "--seed", "2"], 2, /Cannot use --seed twice/],
  [["distill", SAMPLE, "-n", "5", "--threads", "9999"], 2, /this machine has \d+ cores, expected/],
  [
    ["distill", SAMPLE, "-n", "5", "--central", "0.9", "--peripheral", "0.5"],
    2,
    /Cannot use --central with --peripheral 0.5: expected no more than 1 together/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--method", "fps", "--central", "0.9"],
    2,
    /Cannot use --central with --method fps: expected cpd-spread, cpd/,
  ],
  [
    ["distill", SAMPLE, "-n", "5", "--features", "f.npy", "--pool", "mean"],
    2,
    /Cannot use --pool with --features: expected one of them/,
  ],
  [
    ["distill", SAMPLE, "--select", "auto", "--keep", `${SAMPLE}@1`],
    2,
    /Cannot use --keep with --select auto: expected a number of frames/,
  ],
  [["distill", `${SAMPLE}@900:`, "-n", "5"], 3, /it holds no frame in that slice/],
  [["distill", "-", "-", "-n", "5"], 2, /Cannot read standard input twice: give - once/],
  [
    ["compare", SAMPLE, "-n", "5", "--methods", ","],
    2,
    /Cannot use --methods ",": expected cpd-spr/,
  ],
  [
    ["compare", SAMPLE, "-n", "5", "--methods", "fps,random", "--density-weight", "2"],
    2,
    /Cannot use --density-weight with --methods fps,random: expected cpd/,
  ],
  [["compare", SAMPLE, "-n", "5", "--layers", "9", "--backend", "cpu"], 2, /the model has 2/],
  [
    ["features", SAMPLE, "-o", "a.npy", "--per-atom", "--pool", "mean"],
    2,
    /--pool with --per-atom/,
  ],
  [["scan", "missing.xyz"], 2, /Cannot read "missing.xyz": no such file/],
  [["model", "export", "hydrogen-small"], 2, /Cannot export: -o FILE.safetensors is missing/],
  [
    ["model", "pull", "medium", "--sha256", "abc"],
    2,
    /Cannot use --sha256 "abc": expected 64 hexadecimal digits/,
  ],
];

for (const [args, code, message] of USAGE) {
  test(`${args.join(" ")} exits with ${code}`, () =>
    withSample(async (folder) => {
      const run = await runProgram(args, { cwd: folder });
      assert.match(run.stderr, message);
      assert.equal(run.code, code, run.stderr);
      assert.equal(run.stdout, "");
      assert.equal(existsSync(join(folder, "cpd-out")), false);
    }));
}

test("files that are no models are refused by what they are", () =>
  withSample(async (folder) => {
    const refused: [name: string, content: string | Uint8Array, message: RegExp][] = [
      [
        "page.model",
        "<!doctype html><p>sign in</p>",
        /it is an HTML page, download the file again/,
      ],
      [
        "cut.model",
        Uint8Array.of(0x50, 0x4B, 3, 4, ...new Uint8Array(60)),
        /the file is truncated/,
      ],
      ["other.safetensors", safetensors({}), /not one that cpd model export wrote/],
      [
        "newer.safetensors",
        safetensors({ format: "cpd-mace", version: "9" }),
        /its format is version 9, this program reads 1/,
      ],
      [
        "bare.safetensors",
        safetensors({ format: "cpd-mace", version: "1", config: "{}" }),
        /its settings are incomplete/,
      ],
    ];
    for (const [name, content, message] of refused) {
      writeFileSync(join(folder, name), content);
      const run = await runProgram(["model", "info", name], { cwd: folder });
      assert.equal(run.code, 5, run.stderr);
      assert.match(run.stderr, message);
      assert.ok(run.stderr.includes(`"${name}"`), run.stderr);
    }
  }));

/** A safetensors file without tensors. */
function safetensors(metadata: Record<string, string>): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata }));
  const out = new Uint8Array(8 + header.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  return out;
}

test("an element that the model does not know is named, with those that it knows", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), "2\nOH\nO 0 0 0\nH 0 0 1\n");
    const args = ["distill", "x.xyz", "-n", "1", "--model", "hydrogen-small"];
    const { code, stderr } = await runProgram(args, { cwd: folder });
    assert.equal(code, 5, stderr);
    assert.match(
      stderr,
      /Cannot describe O, first in \S+@0, with model "hydrogen-small": it knows H; choose another with --model/,
    );
  }));

test("features of another shape or type are refused", () =>
  withSample(async (folder) => {
    const refused: [bytes: Uint8Array, message: RegExp][] = [
      [npyHeader([273], "<f8"), /expected a two-dimensional float32 or float64 array in C order/],
      [npyHeader([3, 2], "<f4"), /it holds 0 bytes, its shape needs 24/],
      [
        Uint8Array.of(...npyHeader([3, 2], "<f4"), ...npyBytes([1, 2, 3, 4, 5, 6], "<f4")),
        /it holds 3 rows for 273 frames/,
      ],
      [
        Uint8Array.of(...npyHeader([2, 2], "<f8"), ...npyBytes([1, 2, NaN, 4], "<f8")),
        /row 1 holds a number that is not finite/,
      ],
      [new Uint8Array(100), /it is not a \.npy file/],
    ];
    for (const [bytes, message] of refused) {
      writeFileSync(join(folder, "f.npy"), bytes);
      const args = ["distill", SAMPLE, "-n", "5", "--features", "f.npy", "--backend", "cpu"];
      const { code, stderr } = await runProgram(args, { cwd: folder });
      assert.match(stderr, message);
      assert.match(stderr, /cpd: f\.npy: /);
      assert.equal(code, 3, stderr);
    }
  }));

test("descriptors that would not fit on the disk are refused before they are computed", () => {
  checkSpace(1.1e9, "/cache", "set CPD_CACHE_DIR", 1.2e9);
  checkSpace(1.1e9, "/cache", "set CPD_CACHE_DIR", null);
  assert.throws(
    () => checkSpace(1.12e9, "/cache", "set CPD_CACHE_DIR", 0.4e9),
    /they need 1\.1 GB in "\/cache" and 0\.4 GB are free; set CPD_CACHE_DIR$/,
  );
  const free = freeBytes(tmpdir());
  assert.ok(free === null || free > 0);
});

test("what cannot be written is refused before anything is computed", () =>
  withSample(async (folder) => {
    const run = (output: string, env: Record<string, string> = {}) =>
      runProgram(["distill", SAMPLE, "-n", "5", "-o", output, "--backend", "cpu"], {
        cwd: folder,
        env,
      });
    const inFile = await run(`${SAMPLE}/out`);
    assert.equal(inFile.code, 2, inFile.stderr);
    assert.match(
      inFile.stderr,
      /Cannot write or read "pool\.xyz\.gz\/out": a part of the path is not/,
    );
    const cache = await run("out", { CPD_CACHE_DIR: join(folder, SAMPLE, "cache") });
    assert.equal(cache.code, 2, cache.stderr);
    assert.match(cache.stderr, /set CPD_CACHE_DIR to a folder for the cache/);
    assert.equal(existsSync(join(folder, "out")), false);
  }));

test("what is read is never overwritten, and nothing of an earlier run stays", () =>
  withSample(async (folder) => {
    const run = (...args: string[]) => runProgram(args, { cwd: folder });
    const [first, second] = ["out", "other"].map((name) => join(folder, name));
    const auto = await run("distill", SAMPLE, "--select", "auto", "-o", "out", "--backend", "cpu");
    assert.equal(auto.code, 0, auto.stderr);
    assert.ok(existsSync(join(first, "sizes.csv")));
    const again = ["distill", SAMPLE, "-n", "5", "-o", "out", "--backend", "cpu", "--force"];
    const { code, stderr } = await run(...again);
    assert.equal(code, 0, stderr);
    assert.ok(!existsSync(join(first, "sizes.csv")));
    const pool = readFileSync(join(first, "selected.xyz"));
    const onto = await run("distill", "out/selected.xyz", "-n", "3", "-o", "./out/", "--force");
    assert.equal(onto.code, 2, onto.stderr);
    assert.match(onto.stderr, /"out\/selected.xyz" is read from there; use another -o/);
    assert.deepEqual(readFileSync(join(first, "selected.xyz")), pool);
    const npy = await run("features", "out/selected.xyz", "-o", "out/selected.xyz", "--force");
    assert.match(npy.stderr, /Cannot write "out\/selected.xyz": it is read; use another -o/);

    symlinkSync(join(folder, "nowhere"), second);
    const dangling = await run("distill", SAMPLE, "-n", "5", "-o", "other", "--backend", "cpu");
    assert.equal(dangling.code, 2, dangling.stderr);
    assert.match(dangling.stderr, /"other": something that is not a folder is there/);
  }));

test("frames that are all the same have no density, and it is said why", () =>
  withSample(async (folder) => {
    const text = "1\nProperties=species:S:1:pos:R:3\nH 0 0 0\n".repeat(9);
    writeFileSync(join(folder, "x.xyz"), text);
    const run = () => runProgram(["distill", "x.xyz", "-n", "2"], { cwd: folder });
    const alike = await run();
    assert.equal(alike.code, 4, alike.stderr);
    assert.match(
      alike.stderr,
      /Cannot choose 2 frames: all 9 are the same \(one descriptor\); run cpd scan/,
    );
    const other = "2\nProperties=species:S:1:pos:R:3\nH 0 0 0\nH 0 0 1\n";
    writeFileSync(join(folder, "x.xyz"), other.repeat(3) + other.replace("1\n", "1.1\n"));
    assert.match(
      (await run()).stderr,
      /Cannot choose 2 frames: of 4 only 2 differ, expected at least 3; run cpd scan/,
    );
  }));

test("--backend gpu fails without a hardware adapter", () =>
  withSample(async (folder) => {
    const run = await runProgram(["distill", SAMPLE, "-n", "5", "--backend", "gpu"], {
      cwd: folder,
      env: { VK_ICD_FILENAMES: "/nonexistent.json", VK_DRIVER_FILES: "/nonexistent.json" },
    });
    assert.equal(run.code, 5, run.stderr);
    assert.match(run.stderr, /Cannot use the GPU: no adapter was found; run cpd doctor/);
  }));

test("--backend gpu refuses a software adapter, and --allow-software accepts it", () =>
  withSample(async (folder) => {
    const gpu = await openGpuOrSkip();
    if (!gpu) return;
    await gpu.close();
    const args = ["distill", `${SAMPLE}@:20`, "-n", "5", "--backend", "gpu"];
    const plain = await runProgram(args, { cwd: folder });
    if (plain.code === 0) return console.log("skipped: this machine has a hardware adapter");
    assert.equal(plain.code, 5, plain.stderr);
    assert.match(plain.stderr, /Cannot use the GPU: the only adapter is software \(.+\); run cpd/);
    const allowed = await runProgram([...args, "--allow-software"], { cwd: folder });
    assert.equal(allowed.code, 0, allowed.stderr);
  }));
