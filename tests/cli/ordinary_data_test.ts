/** What ordinary data sets hold, and must not be told as a problem or be set aside. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { unitFactor } from "../../src/io/declared_units.ts";
import { normalNumbers } from "../support.ts";
import { inFolder, runProgram } from "./program.ts";
import { crystal, cubic, diagonal, molecule, POSITIONS, scan, told } from "./scanned.ts";

test("soft metals have neighbors, in cells of one atom and of many", () =>
  inFolder(async (folder) => {
    const run = (...args: string[]) =>
      runProgram(["distill", "x.xyz", "-n", "4", "--backend", "cpu", "--force", ...args], {
        cwd: folder,
      });
    // bcc caesium, nearest neighbors 5.3 Å apart.
    const many = Array.from({ length: 12 }, (_, f) => {
      const noise = normalNumbers(f, 48);
      const rows = Array.from({ length: 16 }, (_, a) => {
        const [cell, body] = [a >> 1, a % 2];
        const at = [0, 1, 2].map((k) =>
          6.14 * (((cell >> k) & 1) + body / 2) + 0.12 * noise[3 * a + k]
        );
        return `Cs ${at.map((x) => x.toFixed(6)).join(" ")}`;
      });
      return `16\n${cubic(12.28)} ${POSITIONS}\n${rows.join("\n")}\n`;
    });
    writeFileSync(join(folder, "x.xyz"), many.join(""));
    const chosen = await run();
    assert.equal(chosen.code, 0, chosen.stderr);
    const one = Array.from({ length: 12 }, (_, i) => {
      const h = (5.1 + 0.03 * i) / 2;
      const bcc = [-h, h, h, h, -h, h, h, h, -h].join(" ");
      return `1\nLattice="${bcc}" pbc="T T T" ${POSITIONS}\nK 0 0 0\n`;
    });
    writeFileSync(join(folder, "x.xyz"), one.join(""));
    assert.match((await run()).stderr, /Frames: 12 in 1 file\nChose 4 of 12/);
  }));

test("features and distill --features set the same atoms aside", () =>
  inFolder(async (folder) => {
    const atom = `1\n${cubic(5.5)} ${POSITIONS}\nH 0 0 0\n`;
    const frames = Array.from({ length: 12 }, (_, i) => molecule(0.7 + 0.02 * i, ""));
    writeFileSync(join(folder, "x.xyz"), frames.join("") + atom);
    const run = (...args: string[]) => runProgram([...args, "--backend", "cpu"], { cwd: folder });
    assert.equal((await run("features", "x.xyz", "-o", "f.npy")).code, 0);
    const { code, stderr } = await run("distill", "x.xyz", "-n", "4", "--features", "f.npy");
    assert.equal(code, 0, stderr);
  }));

test("pairs far apart along unlike axes are not the same geometry", () =>
  inFolder(async (folder) => {
    // The same distance in cells along a and along c.
    const pair = (at: string, energy: number) =>
      `2\nLattice="12 0 0 0 14 0 0 0 18" pbc="T T T" ${POSITIONS} energy=${energy}\n` +
      `Na 0 0 0\nCl ${at}\n`;
    assert.deepEqual(told(await scan(folder, pair("6 0 0", -6) + pair("0 0 9", -5))), []);
    assert.match(
      told(await scan(folder, pair("6 0 0", -6) + pair("6 0 0.0000001", -5)))[0],
      /conflicting labels/,
    );
  }));

test("energies over temperatures say nothing about the sign of stress", () =>
  inFolder(async (folder) => {
    // At constant pressure the cell grows and the energy rises with temperature; stress pulls back.
    const frames = Array.from({ length: 54 }, (_, i) => {
      const noise = normalNumbers(i, 2);
      const volume = 64 * (1 + 0.05 * i / 53 + 0.004 * noise[0]);
      const energy = -20 + 2 * i / 53 + 0.02 * noise[1];
      const stress = -0.62 + 0.9 * 0.004 * noise[0];
      return crystal(Math.cbrt(volume), `energy=${energy} stress=${diagonal(stress)}`);
    });
    const texts = told(await scan(folder, frames.join("")));
    assert.deepEqual(texts.filter((text) => text.startsWith("stress")), []);
  }));

test("referenced energies of many compounds are in one unit", () =>
  inFolder(async (folder) => {
    const symbols = "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca".split(" ");
    const noise = normalNumbers(7, 4000);
    let at = 0;
    const frames = symbols.flatMap((a, i) =>
      symbols.slice(0, i).flatMap((b) =>
        Array.from({ length: 10 }, () => {
          const energy = 2 * (-0.5 + noise[at++]);
          return `2\n${cubic(9)} ${POSITIONS} energy=${energy}\n${a} 0 0 ${at / 1e4}\n${b} 0 0 3\n`;
        })
      )
    );
    const texts = told(await scan(folder, frames.join("")));
    assert.deepEqual(texts.filter((text) => text.startsWith("units")), []);
  }));

test("atoms and molecules among crystals lack no stress", () =>
  inFolder(async (folder) => {
    const stress = Array.from({ length: 5 }, (_, i) =>
      molecule(0.7 + 0.02 * i, `energy=${-31 + 0.01 * i} stress=${diagonal(-0.01)}`));
    const others = `1\n${POSITIONS} config_type=IsolatedAtom energy=-13.6\nH 0 0 0\n` +
      `2\n${POSITIONS} energy=-31.1\nH 0 0 0\nH 0 0 0.9\n`;
    assert.deepEqual(told(await scan(folder, stress.join("") + others)), []);
  }));

test("other charges and spins of one geometry are no contradiction", () =>
  inFolder(async (folder) => {
    const states = ["charge=0 spin=1", "charge=1 spin=2", "total_charge=-1 multiplicity=2"];
    const frames = states.map((state, i) => molecule(0.75, `energy=${-31 + 4 * i} ${state}`));
    assert.deepEqual(told(await scan(folder, frames.join(""))), []);
    assert.match(
      told(await scan(folder, frames[0] + molecule(0.75, "energy=-27 charge=0 spin=1")))[0],
      /conflicting labels/,
    );
  }));

test("a file that is given twice is one", () =>
  inFolder(async (folder) => {
    writeFileSync(
      join(folder, "x.xyz"),
      molecule(0.7, "energy=-31") + molecule(0.8, "energy=-31.1"),
    );
    const { stdout } = await runProgram(["scan", "x.xyz", "x.xyz", "--json"], { cwd: folder });
    assert.deepEqual(JSON.parse(stdout).problems, []);
  }));

test("isolated atoms pass --where", () =>
  inFolder(async (folder) => {
    const atom = `1\n${POSITIONS} config_type=IsolatedAtom energy=-13.6\nH 0 0 0\n`;
    const frames = Array.from({ length: 12 }, (_, i) => molecule(0.7 + 0.02 * i, "energy=-31"));
    writeFileSync(join(folder, "x.xyz"), atom + frames.join("") + atom);
    const args = ["distill", "x.xyz", "-n", "4", "--where", "volume_per_atom > 1.2"];
    const { code, stderr } = await runProgram([...args, "--backend", "cpu", "-o", "out"], {
      cwd: folder,
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Where volume_per_atom > 1\.2: 12 of 12 frames in the files\n/);
    const chosen = readFileSync(join(folder, "out/selected.xyz"), "utf8");
    assert.equal(chosen.match(/IsolatedAtom/g)?.length, 2);
  }));

test("--where reads the labels that flags name, and knows its own names by their letters", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "x.xyz"), molecule(0.7, "my_e=-31") + molecule(0.8, "my_e=-3"));
    const run = (...args: string[]) =>
      runProgram(["scan", "x.xyz", "--json", ...args], { cwd: folder });
    const named = await run("--energy-key", "my_e", "--where", "energy_per_atom < -10");
    assert.equal(JSON.parse(named.stdout).n_frames, 1);
    const other = await run("--where", "Max_Force < 20");
    assert.equal(other.code, 2);
    assert.match(other.stderr, /no frame has "Max_Force", expected index, n_atoms/);
  }));

test("units are known in the ways in which they are written", () => {
  const same = (quantity: "energy" | "force" | "stress" | "length", ...texts: string[]) => {
    for (const text of texts) {
      assert.ok(
        Math.abs(unitFactor(quantity, text) / unitFactor(quantity, texts[0]) - 1) < 1e-12,
        `${text} as ${texts[0]}`,
      );
    }
  };
  same("length", "Å", "Ångstrom", "A\u030A", "Angs", "angstrom", "Ångström");
  same("energy", "hartree", "Hartrees", "Eh", "Ha", "a.u.");
  same("energy", "kcal/mol", "kcal/mole", "kcal mol^-1");
  same("force", "eV/Å", "eV/Angstrom", "eV*Angstrom^-1", "ev ang^-1", "eV / A");
  same("force", "hartree/bohr", "Ha/Bohr", "Eh/a0", "au");
  same("stress", "eV/Å^3", "eV/Å³", "eV/A**3", "eV*Angstrom^-3");
  for (const text of ["eV/Å^2", "eV/atom", "parsec"]) {
    assert.ok(Number.isNaN(unitFactor("force", text)), text);
  }
});
