import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder, runProgram } from "./program.ts";
import { cubic } from "./scanned.ts";

/** Twenty hydrogen molecules in boxes; the last has no forces, every third no `rs`. */
function pool(): string {
  return Array.from({ length: 20 }, (_, i) => {
    const forces = i < 19;
    const side = 5 + 0.1 * i;
    const info = `energy=${-31 - 0.1 * i} stress="${
      [1, 1, 1, 0, 0, 0].map((s) => -0.01 * i * s)
        .join(" ")
    }"${i % 3 ? ` rs=${1.2 + 0.01 * i}` : ""}`;
    const columns = `Properties=species:S:1:pos:R:3${forces ? ":forces:R:3" : ""}`;
    const row = (z: number, f: number) => `H 1 1 ${z}${forces ? ` 0 0 ${f}` : ""}`;
    return `2\n${cubic(side)} ${columns} ${info}\n${row(1, i)}\n${row(1.7 + 0.01 * i, -i)}\n`;
  }).join("");
}

test("--where takes the frames for which it is true, and says how many", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), pool());
    const frames = async (text: string) => {
      const { code, stdout, stderr } = await runProgram(
        ["scan", "x.xyz", "--json", "--where", text],
        { cwd: folder },
      );
      assert.equal(code, 0, stderr);
      return { n: JSON.parse(stdout).n_frames as number, said: stderr.trim() };
    };
    // Each name by its own definition in this test.
    const expected: [string, number][] = [
      ["index < 7", 7],
      ["n_atoms == 2", 20],
      ["volume <= 125.0001", 1],
      ["volume_per_atom > 5.45^3 / 2", 15],
      ["density < 2 * 1.008 * 1.66053907 / 5.05^3", 19],
      ["energy_per_atom < -15.9", 11],
      ["max_force >= 15", 4],
      ["pressure > 160.2176634 * 0.095", 10],
      ["1.25 < rs <= 1.30", 3],
      ["RS >= 1.3", 7],
      ["not (index < 7 or index > 10) and n_atoms != 3", 4],
      ["2 * 3 - index > 0", 6],
      ["true", 20],
    ];
    for (const [text, n] of expected) assert.equal((await frames(text)).n, n, text);
    assert.equal(
      (await frames("max_force > 3")).said,
      "Where max_force > 3: 15 of 20 frames in the files; 1 lack one of its numbers",
    );
    assert.match(
      (await frames("not (rs > 1.3)")).said,
      /: 7 of 20 frames in the files; 7 lack one/,
    );
  }));

test("--where evaluates numbers of frames and nothing else", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), pool());
    const refusals: [string, RegExp][] = [
      ["speed > 2", /no frame has "speed", expected index, n_atoms, .*comment lines: .*energy.*rs/],
      ["sqrt(2) > 1", /"sqrt\(2\)" is more than arithmetic, comparison and logic/],
      ["x = 3", /"x = 3" is more than/],
      ["f(x) = 3", /is more than arithmetic/],
      ['rs == "1.3"', /"1\.3" is not a number/],
      ["[1, 2] < 3", /is more than arithmetic/],
      ["index; 3 > 2", /is more than arithmetic/],
      ["rs.constructor > 1", /is more than arithmetic/],
      ["index +", /Unexpected end of expression/],
      ["index + 1", /it is a number, expected a comparison/],
    ];
    for (const [text, message] of refusals) {
      const { code, stdout, stderr } = await runProgram(["scan", "x.xyz", "--where", text], {
        cwd: folder,
      });
      assert.equal(code, 2, `${text}: ${stderr}`);
      assert.match(stderr, message);
      assert.match(stderr, /^cpd: Cannot use --where .*; see cpd help where\n$/);
      assert.equal(stdout, "");
    }
  }));

test("distill and compare choose among the frames that --where leaves, and the report names it", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), pool());
    const run = (command: string, ...args: string[]) =>
      runProgram([command, "x.xyz", "-n", "4", "--backend", "cpu", ...args], { cwd: folder });
    const { code, stderr } = await run("distill", "-o", "d", "--where", "index >= 8");
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^Where index >= 8: 12 of 20 frames in the files\n[^]*Frames: 12 in 1 file\n/,
    );
    const ids = readFileSync(join(folder, "d/selected.txt"), "utf8").trim().split("\n");
    assert.ok(ids.every((id) => Number(id.split("@")[1]) >= 8), ids.join());
    const report = JSON.parse(readFileSync(join(folder, "d/report.json"), "utf8"));
    assert.equal(report.options.where, "index >= 8");
    assert.equal(report.filter, "Where index >= 8: 12 of 20 frames in the files");
    assert.match(readFileSync(join(folder, "d/report.html"), "utf8"), /Where index &gt;= 8: 12 of/);
    const compared = await run(
      "compare",
      "--methods",
      "fps",
      "--splits",
      "2",
      "--where",
      "index < 15",
    );
    assert.match(compared.stderr, /Frames: 15 in 1 file/);
    const none = await run("distill", "-o", "e", "--where", "index > 90");
    assert.equal(none.code, 3);
    assert.match(
      none.stderr,
      /Where index > 90: 0 of 20 frames in the files\ncpd: x\.xyz: no frame is left to choose from/,
    );
  }));
