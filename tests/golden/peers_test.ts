/** Files that ASE reads otherwise than they are meant, and what is read of them here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder, runProgram } from "../cli/program.ts";
import { projectPath } from "../support.ts";

const peer = JSON.parse(readFileSync(projectPath("tests/golden/peers.json"), "utf8"));
const ours = (name: string) => projectPath(`tests/golden/peers/${name}`);

test("ASE takes LAMMPS types for atomic numbers; here they are refused until they are named", () =>
  inFolder(async (folder) => {
    assert.equal(peer["types.dump"].symbols, "HHe2");
    const args = ["convert", ours("types.dump"), "-o", "a.xyz"];
    const unnamed = await runProgram(args, { cwd: folder });
    assert.equal(unnamed.code, 3);
    assert.match(
      unnamed.stderr,
      /its atoms have types \(1, 2\) and no elements: name them with --species/,
    );
    const named = await runProgram([...args, "--species", "O,H"], { cwd: folder });
    assert.equal(named.code, 0, named.stderr);
    const rows = readFileSync(join(folder, "a.xyz"), "utf8").trim().split("\n").slice(2);
    assert.deepEqual(rows, ["O 1 1 1", "H 1.5 1 1", "H 1 1.5 1"]);
  }));

test("ASE finds no label that is called Energy, Virial or force; here they are labels, and said so", () =>
  inFolder(async (folder) => {
    const { results, info, arrays } = peer["capitals.xyz"];
    assert.deepEqual([results, info, arrays], [[], ["Energy", "Virial"], ["force"]]);
    const scan = await runProgram(["scan", ours("capitals.xyz")], { cwd: folder });
    for (const label of ["Energy: energy of", "force: forces", "Virial: virial, eV"]) {
      assert.ok(scan.stdout.includes(label), scan.stdout);
    }
    const run = await runProgram(["convert", ours("capitals.xyz"), "-o", "a.xyz"], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    const text = readFileSync(join(folder, "a.xyz"), "utf8");
    assert.match(text, /REF_energy=-3\.5 REF_stress="-0\.1 0 0 0 -0\.2 0 0 0 -0\.3"/);
    assert.match(text, /^H 0 0 0 0\.1 0\.2 0\.3$/m);
  }));
