/** The labels of a choice from another program's output, as ASE and mace-torch read them. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder, runProgram } from "../cli/program.ts";
import { CELL, outcar, step } from "../formats/reading.ts";
import { assertClose, projectPath } from "../support.ts";

const KILOBAR = 1602.176634;
const goldenPath = (name: string) => projectPath(`tests/golden/${name}`);

interface Read {
  readonly energy: number;
  readonly forces: readonly number[];
  readonly stress: readonly number[] | null;
}

interface ReadByMace extends Read {
  readonly numbers: readonly number[];
  readonly positions: readonly number[];
  readonly cell: readonly number[];
  readonly pbc: readonly boolean[];
  readonly weights: Readonly<Record<"energy" | "forces" | "stress", number>>;
}

/** The file that was given to ASE and mace-torch is the one that the same command writes today; what they made of it is
 * what the OUTCARs say. */
test("selected.xyz of OUTCARs holds for mace-torch and ASE the labels that VASP wrote", () =>
  inFolder(async (folder) => {
    for (const name of ["a", "b"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "a/OUTCAR"), outcar(4));
    writeFileSync(join(folder, "b/OUTCAR"), outcar(8).replaceAll(/^ {2}in kB.*\n/gm, ""));
    const run = await runProgram([
      ...["distill", "a/OUTCAR", "b/OUTCAR@4:", "-n", "4", "--method", "random", "-o", "out"],
      ...["--model", "built-in", "--backend", "reference"],
    ], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(
      readFileSync(join(folder, "out/selected.xyz"), "utf8"),
      readFileSync(goldenPath("selected_labels.xyz"), "utf8"),
    );
    const recorded = JSON.parse(readFileSync(goldenPath("selected_labels.json"), "utf8"));
    const ids = readFileSync(join(folder, "out/selected.txt"), "utf8").trim().split("\n");
    assert.equal(recorded.mace.length, ids.length);
    ids.forEach((id, n) => {
      const index = Number(id.split("@")[1]);
      const { positions, forces, energy, stress } = step(index + 1);
      const [xx, yy, zz, xy, yz, zx] = stress.map((x) => -x / KILOBAR);
      const mace: ReadByMace = recorded.mace[n];
      assert.deepEqual([mace.numbers, mace.pbc], [[1, 1], [true, true, true]]);
      assertClose(mace.positions, positions.flat(), 1e-12, "positions");
      assertClose(mace.cell, CELL.flat(), 1e-12, "cell");
      assert.equal(mace.weights.stress, id.startsWith("a") ? 1 : 0, "an absent stress weighs 0");
      for (const read of [mace, recorded.ase[n] as Read]) {
        assertClose([read.energy], [energy], 1e-12, "energy");
        assertClose(read.forces, forces.flat(), 1e-12, "forces");
        if (id.startsWith("a")) {
          assertClose(read.stress!, [xx, xy, zx, xy, yy, yz, zx, yz, zz], 1e-9, "stress");
        }
      }
    });
  }));
