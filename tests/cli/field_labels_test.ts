/** What public files and bug reports were found to hold, each kind by an input of our own: labels. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder, runProgram } from "./program.ts";
import { crystal, cubic, diagonal, molecule, POSITIONS, scan, told } from "./scanned.ts";

test("declared units are converted, and unknown ones are problems", () =>
  inFolder(async (folder) => {
    const info = `energy=-1 energy-unit=hartree force_units="Ry/Bohr" StressUnit=kbar stress=${
      diagonal(-16.02176634)
    }`;
    const frame = molecule(0.8, info, ":forces:R:3", [" 0 0 -1", " 0 0 1"]);
    const { files: [file], problems } = await scan(folder, frame);
    assert.deepEqual(problems, []);
    assert.ok(Math.abs(file.energy!.low + 27.211386245988 / 2) < 1e-9);
    assert.ok(Math.abs(file.max_force!.low - 13.605693122994 / 0.529177210903) < 1e-9);
    assert.ok(Math.abs(file.pressure!.low - 1.602176634) < 1e-9);
    assert.match(
      file.labels[0].assumed,
      /^energy of the frame, hartree \(energy-unit\), told in eV$/,
    );
    const odd = await scan(folder, molecule(0.8, "energy=-1 energy_unit=furlong"));
    assert.deepEqual(told(odd), [
      "units, x.xyz@0: energy_unit=furlong is not a known unit of energy",
    ]);
    const bohr = await scan(folder, molecule(0.8, "energy=-1 length-unit=bohr"));
    assert.match(told(bohr)[0], /x\.xyz:2: length-unit=bohr: positions and cells are read in Å/);
  }));

test("compare converts declared units of energy, and refuses unknown ones", () =>
  inFolder(async (folder) => {
    const frames = (unit: string, factor: number) =>
      Array.from(
        { length: 20 },
        (_, i) => molecule(0.7 + 0.01 * i, `energy=${(-31 + 0.05 * i ** 1.5) / factor} ${unit}`),
      ).join("");
    const args = ["compare", "x.xyz", "-n", "5", "--methods", "fps", "--splits", "3", "--force"];
    const table = async (unit: string, factor: number) => {
      writeFileSync(join(folder, "x.xyz"), frames(unit, factor));
      return await runProgram([...args, "--backend", "cpu", "--json"], { cwd: folder });
    };
    const meV = async (unit: string, factor: number) => {
      const { stdout, stderr } = await table(unit, factor);
      const whole = JSON.parse(stdout).from_pool[0].rmse as number[];
      return { rmse: 1000 * whole.reduce((sum, x) => sum + x / whole.length, 0), stderr };
    };
    const [hartree, unknown] = [
      await meV("energy-unit=Ha", 27.211386245988),
      await table("energy-unit=qq", 1),
    ];
    assert.match(hartree.stderr, /Energies: "energy", converted to eV per frame/);
    // Energies spread over some 4.4 eV per frame of two atoms; in hartree it would be 27 times less.
    assert.ok(hartree.rmse > 300 && hartree.rmse < 2500, String(hartree.rmse));
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /x\.xyz@\d+: it declares a unit of energy that is not known/);
  }));

test("stress is held against strained crystals about their minimum, in sign and size", () =>
  inFolder(async (folder) => {
    // E = B (V - V0)^2 / (2 V0): dE/dV = B (V - V0) / V0.
    const strained = (scale: number) =>
      Array.from({ length: 24 }, (_, i) => {
        const volume = 64 * (0.96 + 0.08 * i / 23);
        const energy = -20 + 0.5 * (volume - 64) ** 2 / 128;
        const stress = scale * 0.5 * (volume - 64) / 64;
        return crystal(Math.cbrt(volume), `energy=${energy} stress=${diagonal(stress)}`);
      }).join("");
    const signs = async (scale: number) =>
      told(await scan(folder, strained(scale))).filter((text) => text.startsWith("stress sign"));
    assert.deepEqual(await signs(1), []);
    assert.match((await signs(-1))[0], /its sign contradicts the energies; it looks pressure-like/);
    assert.match(
      (await signs(160.2))[0],
      /about 160 times too large for eV\/Å³; it looks like GPa/,
    );
    assert.match((await signs(-1602))[0], /contradicts.*about 1600 times too large.*like kbar/);
    const huge = told(await scan(folder, strained(1602))).filter((text) =>
      text.startsWith("stress,")
    );
    assert.match(
      huge[0],
      /x\.xyz@\d+: stress says -?\d+\.?\d* GPa; is it in kbar, GPa or hartree\?/,
    );
  }));

test("energies of one formula in two units are told", () =>
  inFolder(async (folder) => {
    for (
      const [unit, factor, wrong] of [["hartree", 27.2114, 1], ["kJ/mol", 1 / 96.4853, 1]] as const
    ) {
      const frames = Array.from({ length: 10 }, (_, i) =>
        molecule(0.7 + 0.02 * i, `energy=${(-31.7 + 0.01 * i) / (i % 2 === wrong ? factor : 1)}`));
      const texts = told(await scan(folder, frames.join("")));
      const units = texts.filter((text) =>
        text.startsWith("units")
      );
      assert.equal(units.length, 5, texts.join("\n"));
      assert.match(
        units[0],
        new RegExp(`^units, x\\.xyz@1: its energy looks like ${unit}: 5 frames`),
      );
    }
  }));

test("stress and virial are both listed, and held against each other", () =>
  inFolder(async (folder) => {
    const labels = (stress: number, virial: number) =>
      crystal(4, `energy=-1 stress=${diagonal(stress)} virial=${diagonal(virial)}`);
    const agree = await scan(folder, labels(-0.05, 3.2));
    assert.deepEqual(told(agree), []);
    assert.deepEqual(agree.files[0].labels.map(({ key }) => key), ["energy", "stress", "virial"]);
    assert.match(agree.files[0].labels[2].assumed, /not used$/);
    assert.match(
      told(await scan(folder, labels(0.05, 3.2)))[0],
      /stress and virial, .*: the virial says 8\.0 GPa, the stress -8\.0 GPa; .*pressure-like/,
    );
    assert.match(told(await scan(folder, labels(-8.0109, 3.2)))[0], /the stress looks like GPa$/);
    assert.match(
      told(await scan(folder, labels(-0.08, 3.2)))[0],
      /says 8\.0 GPa, the stress 12\.8 GPa$/,
    );
  }));

test("stress that is infinite, not symmetric, or without a volume is a problem", () =>
  inFolder(async (folder) => {
    const open = `2\n${POSITIONS} energy=-3`;
    const rows = "H 0 0 0\nH 0 0 0.8\n";
    const texts = async (frame: string) => told(await scan(folder, frame));
    for (const pbc of ["F F F", "T T T"]) {
      const cell = pbc === "T T T" ? cubic(6) : "";
      const [first] = await texts(`${open} ${cell} stress=${diagonal(-Infinity)}\n${rows}`);
      assert.match(first, /^not a number, x\.xyz@0: stress="-Infinity 0 0/);
    }
    assert.deepEqual(await texts(`${open} stress=${diagonal(0.1)}\n${rows}`), [
      "stress, x.xyz@0: stress without a volume means nothing: no axis is periodic",
    ]);
    assert.deepEqual(await texts(`${open} stress=${diagonal(0)}\n${rows}`), []);
    assert.match(
      (await texts(molecule(0.8, 'stress="1 .3 0 .1 1 0 0 0 1"')))[0],
      /^stress, x\.xyz@0: stress is not symmetric: 0\.20 eV\/Å³ apart/,
    );
  }));

test("labels are known by many names, and what is not read is named", () =>
  inFolder(async (folder) => {
    const named = async (energy: string, forces: string, virial: string) => {
      const frame = molecule(
        0.8,
        `${energy}=-3 ${virial}=${diagonal(1)}`,
        `:${forces}:R:3`,
        [" 0 0 1", " 0 0 -1"],
      );
      return (await scan(folder, frame)).files[0].labels.map(({ key }) => key);
    };
    for (
      const names of [
        ["REF_energy", "REF_force", "REF_virial"],
        ["dft_energy", "DFT_forces", "dft_virials"],
        ["Energy", "Forces", "Virial"],
        ["MACE_energy", "MACE_forces", "MACE_virials"],
        ["TotEnergy", "force", "virials"],
      ]
    ) {
      assert.deepEqual(await named(names[0], names[1], names[2]), names);
    }
    const own = molecule(
      0.8,
      "my_energy=nan kinetic_energy=1 energy_weight=1",
      ":f_ml:R:3:forces_ml:R:3",
      [
        " 0 0 0 0 0 1",
        " 0 0 0 0 0 nan",
      ],
    );
    const { files: [file], problems } = await scan(folder, own);
    assert.deepEqual(problems, []);
    assert.deepEqual(file.unread.map(({ name, kind }) => [name, kind]), [
      ["my_energy", "energy"],
      ["forces_ml", "forces"],
    ]);
    const { stdout } = await runProgram(["scan", "x.xyz"], { cwd: folder });
    assert.match(
      stdout,
      /not read +no label under a known name; my_energy looks like one: --energy-key my_energy/,
    );
    const read = await scan(folder, own, "--energy-key", "my_energy", "--forces-key", "FORCES_ML");
    assert.deepEqual(told(read), [
      'not a number, x.xyz@0: my_energy="nan"',
      "not a number, x.xyz@0: in forces_ml",
    ]);
    const absent = await runProgram(["scan", "x.xyz", "--stress-key", "sigma"], { cwd: folder });
    assert.equal(absent.code, 3);
    assert.match(absent.stderr, /x\.xyz: no frame has "sigma", which --stress-key names/);
  }));
