import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { KNOWN_MODELS, maceCacheName } from "../../src/checkpoint/known_models.ts";
import { sharedPath } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";

/** Runs a server on this machine while `use` runs. */
async function serving(answer: RequestListener, use: (url: string) => Promise<void>) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x.model`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Bytes that begin as an archive does. */
const ARCHIVE = Uint8Array.from({ length: 3000 }, (_, i) => [0x50, 0x4B, 3, 4][i] ?? i % 251);

const pull = (folder: string, ...args: string[]) =>
  runProgram(["model", "pull", ...args], {
    cwd: folder,
    env: { CPD_MODEL_DIR: join(folder, "models"), CPD_OFFLINE: "" },
  });

test("model pull downloads, checks, and says the checksum", () =>
  inFolder((folder) =>
    serving((_, response) => response.end(ARCHIVE), async (url) => {
      const first = await pull(folder, "medium-0b2", "--url", url);
      assert.equal(first.code, 0, first.stderr);
      const path = join(folder, "models", "medium-0b2.model");
      assert.equal(first.stdout, `${path}\n`);
      assert.match(
        first.stderr,
        new RegExp(`sha256 ${sha256(ARCHIVE)} \\(no checksum is published`),
      );
      assert.deepEqual(Uint8Array.from(readFileSync(path)), ARCHIVE);
      assert.deepEqual(readdirSync(join(folder, "models")), ["medium-0b2.model"]);
      const again = await pull(folder, "medium-0b2", "--url", url);
      assert.equal(again.code, 2);
      assert.match(again.stderr, /it exists; use --force to download it again/);
      const right = await pull(folder, "medium", "--url", url, "--sha256", sha256(ARCHIVE));
      assert.match(right.stderr, /\(as expected\)/);
    })
  ));

const BROKEN: [what: string, answer: RequestListener, args: string[], message: RegExp][] = [
  [
    "a wrong checksum",
    (_, r) => r.end(ARCHIVE),
    ["--sha256", "0".repeat(64)],
    /its sha256 is .*, exp/,
  ],
  [
    "a web page",
    (_, r) => {
      r.setHeader("content-type", "text/html; charset=utf-8");
      r.end("<html>sign in</html>");
    },
    [],
    /answers with a web page instead of a file/,
  ],
  [
    "no such file",
    (_, r) => {
      r.statusCode = 404;
      r.end();
    },
    [],
    /the server answers 404/,
  ],
  ["something else", (_, r) => r.end("hello"), [], /what came is not a torch checkpoint/],
  [
    "a broken connection",
    (_, r) => {
      r.setHeader("content-length", 1e6);
      r.write(ARCHIVE);
      setTimeout(() => r.destroy(), 100);
    },
    [],
    /Cannot pull "medium": /,
  ],
];

for (const [what, answer, args, message] of BROKEN) {
  test(`model pull refuses ${what} and keeps nothing`, () =>
    inFolder((folder) =>
      serving(answer, async (url) => {
        const run = await pull(folder, "medium", "--url", url, ...args);
        assert.equal(run.code, 5, run.stderr);
        assert.match(run.stderr, message);
        assert.match(run.stderr, /nothing was kept/);
        assert.deepEqual(readdirSync(join(folder, "models")), []);
      })
    ));
}

test("model pull asks for a licence, knows its names, and obeys CPD_OFFLINE", () =>
  inFolder(async (folder) => {
    const asl = await pull(folder, "medium-omat-0");
    assert.equal(asl.code, 2);
    assert.match(
      asl.stderr,
      /Academic Software License.*give --accept-license ASL if you accept it/,
    );
    const unknown = await pull(folder, "huge");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Cannot pull "huge": expected one of small, medium, large/);
    const offline = await runProgram(["model", "pull", "medium"], {
      cwd: folder,
      env: { CPD_OFFLINE: "1", CPD_MODEL_DIR: folder },
    });
    assert.equal(offline.code, 2);
    assert.match(offline.stderr, /CPD_OFFLINE=1 forbids the network/);
    const nobody = await pull(folder, "medium", "--url", "http://127.0.0.1:9/x.model");
    assert.equal(nobody.code, 5);
    assert.match(
      nobody.stderr,
      /Cannot pull "medium": .*\(is there a network\?\); nothing was kept/,
    );
  }));

test("--model takes names, from our folder and from where mace-torch keeps its downloads", () =>
  inFolder(async (folder) => {
    const known = KNOWN_MODELS.find(({ name }) => name === "medium-0b2")!;
    assert.equal(maceCacheName(known), "macemediumdensityagnesistressmodel");
    const env = { XDG_CACHE_HOME: folder, CPD_MODEL_DIR: "", CPD_CACHE_DIR: join(folder, "cpd") };
    const run = (...args: string[]) => runProgram(args, { cwd: folder, env });
    const missing = await run("model", "info", "medium-0b2");
    assert.equal(missing.code, 5);
    assert.match(
      missing.stderr,
      /neither in .*models nor in .*mace; .* run cpd model pull medium-0b2/,
    );
    const path = sharedPath("demo/hydrogen-small.model");
    if (!path) return;
    mkdirSync(join(folder, "mace"));
    writeFileSync(join(folder, "mace", maceCacheName(known)), readFileSync(path));
    const info = await run("model", "info", "medium-0b2");
    assert.equal(info.code, 0, info.stderr);
    const listed = JSON.parse((await run("model", "list", "--json")).stdout);
    const entry = listed.find(({ name }: { name: string }) => name === "medium-0b2");
    assert.equal(entry.path, join(folder, "mace", maceCacheName(known)));
    assert.equal(entry.license, "MIT");
    const shipped = listed.find(({ name }: { name: string }) => name === "hydrogen-small");
    assert.ok(existsSync(shipped.path));
  }));
