/** Forces are the slopes of the energy, and obey its symmetries. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mediumModel } from "../../src/speed/medium_model.ts";
import { loadMace } from "../../src/checkpoint/load.ts";
import { maceModel } from "../../src/checkpoint/mace_checkpoint.ts";
import type { Frame } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import { nodeEnergies, predict } from "../../src/model/potential.ts";
import { randomCheckpoint } from "../golden_models.ts";
import { assertClose, makeFrame, projectPath, randomNumbers, sharedPath } from "../support.ts";

const shipped = loadMace(projectPath("data/hydrogen-small.safetensors")).model;
const table = sharedPath("reference/mace/couplings_lmax3.json");
const couplings = table && JSON.parse(readFileSync(table, "utf8"));
/** Models with hidden features up to l = 2, with and without a learned density, with two heads. */
const models: [string, MaceModel, number[], number][] = [
  ["hydrogen-small", shipped, [1], 0],
  ...(couplings
    ? [true, false].map((density): [string, MaceModel, number[], number] => [
      `random, ${density ? "density" : "plain"}`,
      maceModel(randomCheckpoint(couplings, density)),
      [1, 8],
      1,
    ])
    : []),
];

/** Six atoms in a cell smaller than twice the cutoff, no two of them closer than 0.5 Å. */
function frame(seed: number, elements: readonly number[]): Frame {
  const u = randomNumbers(seed, 24);
  const positions = u.subarray(0, 18).map((x, i) =>
    0.5 * x + 1.3 * ((Math.floor(i / 3) >> (i % 3)) & 1) + (i > 11 ? 0.3 : 0)
  );
  const species = Array.from(
    { length: 6 },
    (_, i) => elements[Math.floor(u[18 + i] * elements.length)],
  );
  return makeFrame(species, positions, [2.9, 0, 0, 0.4, 2.8, 0, -0.3, 0.2, 3.1]);
}

const energyOf = (model: MaceModel, f: Frame, head: number) =>
  nodeEnergies(model, neighborList(f, model.rMax), head).reduce((sum, e) => sum + e, 0);
const STEP = 1e-4;

for (const [name, model, elements, head] of models) {
  test(`forces and virial of ${name} are the slopes of its energy`, () => {
    const f = frame(3, elements);
    const { energy, forces, virial } = predict(model, neighborList(f, model.rMax), head);
    assertClose([energy], [energyOf(model, f, head)], 1e-14, "energy");
    const slope = (moved: (by: number) => Frame) =>
      (energyOf(model, moved(STEP), head) - energyOf(model, moved(-STEP), head)) / (2 * STEP);
    const numerical = f.positions.map((_, i) =>
      -slope((by) => ({ ...f, positions: f.positions.map((x, k) => (k === i ? x + by : x)) }))
    );
    assertClose(forces, numerical, 1e-6, "forces");
    const strained = (i: number, j: number) => (by: number) => {
      const strain = (x: Float64Array) =>
        x.map((value, at) => {
          const row = x.subarray(at - at % 3, at - at % 3 + 3);
          // A symmetric strain: half on either side of the diagonal.
          return value + by * (at % 3 === j ? row[i] : 0) / 2 +
            by * (at % 3 === i ? row[j] : 0) / 2;
        });
      return { ...f, positions: strain(f.positions), cell: strain(f.cell) };
    };
    const slopes = virial.map((_, at) => -slope(strained(Math.floor(at / 3), at % 3)));
    assertClose(virial, slopes, 1e-6, "virial");
  });

  test(`forces of ${name} turn with the frame, add up to zero, and do not see cells`, () => {
    const f = frame(5, elements);
    const predictOf = (g: Frame) => predict(model, neighborList(g, model.rMax), head);
    const plain = predictOf(f);
    const [s, c] = [Math.sin(1.1), Math.cos(1.1)];
    const turn = (x: Float64Array) =>
      x.map((_, i) => {
        const [a, b, d] = x.subarray(i - i % 3, i - i % 3 + 3);
        return [c * a - s * d, b, s * a + c * d][i % 3];
      });
    const turned = predictOf({ ...f, positions: turn(f.positions), cell: turn(f.cell) });
    // The couplings of the shipped model carry float32 rounding.
    const tolerance = model === shipped ? 1e-6 : 1e-9;
    assertClose(turned.forces, turn(plain.forces), tolerance, "rotation");
    const size = Math.max(...plain.forces.map(Math.abs));
    for (let k = 0; k < 3; k++) {
      const sum = plain.forces.reduce((total, x, i) => total + (i % 3 === k ? x : 0), 0);
      assert.ok(Math.abs(sum) < 1e-10 * size, `net force ${sum}`);
    }
    const wrapped = f.positions.map((x, i) => x + f.cell[i % 3] - 2 * f.cell[3 + i % 3]);
    assertClose(predictOf({ ...f, positions: wrapped }).forces, plain.forces, 1e-9, "wrapping");
    const twice = predictOf({
      ...f,
      species: Uint8Array.of(...f.species, ...f.species),
      positions: Float64Array.of(
        ...f.positions,
        ...f.positions.map((x, i) => x + f.cell[i % 3]),
      ),
      cell: f.cell.map((x, i) => (i < 3 ? 2 * x : x)),
    });
    assertClose([twice.energy], [2 * plain.energy], 1e-12, "energy of a supercell");
    assertClose(twice.forces, [...plain.forces, ...plain.forces], 1e-9, "forces of a supercell");
    assertClose(twice.virial, plain.virial.map((x) => 2 * x), 1e-9, "virial of a supercell");
  });
}

test("forces are continuous at the cutoff and at the envelope of the pair repulsion", () => {
  const free = [false, false, false] as const;
  const pair = (r: number) => {
    const f = makeFrame([1, 1], [0, 0, 0, r, 0, 0], undefined, free);
    return predict(shipped, neighborList(f, shipped.rMax)).forces[3];
  };
  const envelope = 2 * shipped.zbl!.covalentRadii[1];
  for (const place of [shipped.rMax, envelope]) {
    const [below, above] = [pair(place - 1e-7), pair(place + 1e-7)];
    // What is left is the slope of the force over 2e-7 Å.
    const slope = (pair(place - 1e-3) - pair(place - 2e-3)) / 1e-3;
    assert.ok(
      Math.abs(below - above) <= 1e-9 + 4e-7 * Math.abs(slope),
      `a step of ${below - above} eV/Å at ${place} Å`,
    );
  }
  assert.equal(pair(shipped.rMax + 1e-7), 0);
});

test("the reverse pass knows the Agnesi transform of many elements", () => {
  const model = mediumModel({ elements: [1, 14, 26], rMax: 4, channels: 4 });
  const f = frame(7, [1, 14, 26]);
  const { forces } = predict(model, neighborList(f, 4));
  const numerical = f.positions.map((_, i) => {
    const moved = (by: number) =>
      energyOf(model, { ...f, positions: f.positions.map((x, k) => (k === i ? x + by : x)) }, 0);
    return (moved(-STEP) - moved(STEP)) / (2 * STEP);
  });
  assertClose(forces, numerical, 1e-6, "forces");
});
