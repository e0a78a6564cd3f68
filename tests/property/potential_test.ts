/** The fast backends' potential against its definition, its own energy and its symmetries. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mediumModel } from "../../src/speed/medium_model.ts";
import type { Potential } from "../../src/backend.ts";
import { loadMace } from "../../src/checkpoint/load.ts";
import { maceModel } from "../../src/checkpoint/mace_checkpoint.ts";
import { distinctElements, type Frame } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import { predict } from "../../src/model/potential.ts";
import { stressOf } from "../../src/model/prediction.ts";
import { type NamedBackend, useFastBackends } from "../backends.ts";
import { goldenCase, randomCheckpoint } from "../golden_models.ts";
import { assertClose, makeFrame, projectPath, randomNumbers, sharedPath } from "../support.ts";

const TOLERANCE = 2e-5;
const backends = await useFastBackends();
const shipped = loadMace(projectPath("data/hydrogen-small.safetensors")).model;
const table = sharedPath("reference/mace/couplings_lmax3.json");
const couplings = table && JSON.parse(readFileSync(table, "utf8"));

/** Atoms on a jittered lattice of spacing `a`, in a cell of nx × ny × nz of them. */
function jittered(seed: number, elements: readonly number[], shape: number[], a = 1.3): Frame {
  const n = shape[0] * shape[1] * shape[2];
  const u = randomNumbers(seed, 4 * n);
  const positions = Array.from({ length: 3 * n }, (_, i) => {
    const atom = Math.floor(i / 3);
    const place = [
      atom % shape[0],
      Math.floor(atom / shape[0]) % shape[1],
      Math.floor(atom / (shape[0] * shape[1])),
    ][i % 3];
    return a * (place + 0.35 * u[i]);
  });
  const species = Array.from(
    { length: n },
    (_, i) => elements[Math.floor(u[3 * n + i] * elements.length)],
  );
  const [x, y, z] = shape.map((k) => a * k);
  return makeFrame(species, positions, [x, 0, 0, 0.3, y, 0, -0.2, 0.1, z]);
}

const molecule = makeFrame([1, 1, 1], [0, 0, 0, 0.74, 0, 0, 1.9, 0.4, 0.2], undefined, [
  ...[false, false, false] as const,
]);
const lonely = makeFrame([1, 1], [0, 0, 0, 40, 0, 0], undefined, [false, false, false]);
const single = makeFrame([1], [0.1, 0.2, 0.3], [1.6, 0, 0, 0, 1.7, 0, 0, 0, 1.8]);

/** Models, their head, and frames that they are asked about. */
function* cases(): Generator<[name: string, MaceModel, head: number, Frame[]]> {
  yield ["hydrogen-small", shipped, 0, [
    jittered(1, [1], [2, 2, 2]),
    ...[molecule, lonely, single],
    jittered(2, [1], [6, 6, 3], 1.5),
  ]];
  if (couplings) {
    for (const density of [true, false]) {
      const model = maceModel(randomCheckpoint(couplings, density));
      const name = `random, L = 2, ${density ? "density" : "plain"}`;
      yield [name, model, 1, [jittered(3, [1, 8], [2, 2, 2]), jittered(4, [8], [3, 2, 1])]];
    }
  }
  for (const name of ["densityH_rs130_c8", "density_c16"]) {
    const golden = goldenCase(name);
    if (golden) yield [name, golden.model, 0, [jittered(5, golden.model.elements, [3, 3, 2])]];
  }
  // So many elements that the first layer's sums run over channels, and pairs are not swapped.
  const many = [1, 6, 8, 14, 26];
  yield [
    "medium, 5 elements",
    mediumModel({ elements: many, rMax: 3.5, channels: 8 }),
    0,
    [jittered(6, many, [3, 3, 2]), jittered(7, [1, 26], [2, 2, 2])],
  ];
}

async function withPotential(
  { backend }: NamedBackend,
  model: MaceModel,
  elements: readonly number[],
  use: (potential: Potential) => Promise<void>,
  head = 0,
): Promise<void> {
  const potential = await backend.openPotential(model, elements, head);
  await use(potential);
  await potential.close();
}

for (const [name, model, head, frames] of cases()) {
  test(`the potential of ${name} is its definition's on every backend`, async () => {
    const expected = frames.map((f) => predict(model, neighborList(f, model.rMax), head));
    const elements = distinctElements(frames.flatMap(({ species }) => [...species]));
    let bits: string | null = null;
    for (const named of backends) {
      await withPotential(named, model, elements, async (potential) => {
        const actual = await potential.predict(frames);
        actual.forEach((prediction, f) => {
          const what = (quantity: string) => `${named.label}, ${name}, frame ${f}: ${quantity}`;
          const { nodeEnergies, forces, virial } = expected[f];
          assertClose(prediction.nodeEnergies, nodeEnergies, 1e-5, what("node energies"));
          const forced = forces.some((x) => Math.abs(x) > 1e-9);
          if (forced) assertClose(prediction.forces, forces, TOLERANCE, what("forces"));
          else assert.ok(prediction.forces.every((x) => Math.abs(x) < 1e-6), what("forces"));
          if (virial.some((x) => x !== 0)) {
            assertClose(prediction.virial, virial, TOLERANCE, what("virial"));
          } else assert.ok(prediction.virial.every((x) => x === 0), what("virial"));
          const stress = stressOf(prediction, frames[f]);
          assert.equal(stress === null, !frames[f].pbc[0], what("stress"));
        });
        if (!named.label.startsWith("cpu")) return;
        const reversed = (await potential.predict(frames.toReversed())).toReversed();
        for (const some of [actual, reversed]) {
          const own = JSON.stringify(some.map((p) => [p.energy, [...p.forces], [...p.virial]]));
          bits ??= own;
          assert.ok(own === bits, `${named.label}: threads or the order of frames change bits`);
        }
      }, head);
    }
  });
}

for (const named of backends) {
  test(`${named.label}: forces are the slopes of the kernels' own energy`, () =>
    withPotential(named, shipped, [1], async (potential) => {
      const f = jittered(8, [1], [2, 2, 2]);
      const [{ forces }] = await potential.predict([f]);
      const step = 5e-3;
      const moved = [...f.positions.keys()].slice(0, 20).flatMap((i) =>
        [-2, -1, 1, 2].map((k) => ({
          ...f,
          positions: f.positions.map((x, at) => (at === i ? x + k * step : x)),
        }))
      );
      const energies = (await potential.predict(moved)).map(({ energy }) => energy);
      const slopes = Array.from({ length: 20 }, (_, i) => {
        const [a, b, c, d] = energies.slice(4 * i, 4 * i + 4);
        return -(a - 8 * b + 8 * c - d) / (12 * step);
      });
      assertClose(forces.subarray(0, 20), slopes, 1e-3, "forces");
    }));

  test(`${named.label}: supercells, wrapping and turning change what they should`, () =>
    withPotential(named, shipped, [1], async (potential) => {
      const f = jittered(9, [1], [2, 2, 2]);
      const replicas = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => [k & 1, (k >> 1) & 1, k >> 2]);
      const large = makeFrame(
        replicas.flatMap(() => [...f.species]),
        replicas.flatMap((t) =>
          [...f.positions].map((x, i) =>
            t.reduce((sum, k, row) => sum + k * f.cell[3 * row + i % 3], x)
          )
        ),
        f.cell.map((x) => 2 * x),
      );
      const wrapped = {
        ...f,
        positions: f.positions.map((x, i) => x + f.cell[i % 3] - 2 * f.cell[3 + i % 3]),
      };
      // Axes in another order: a proper turn of all vectors.
      const turn = (x: Float64Array) => x.map((_, i) => x[i - i % 3 + (i + 1) % 3]);
      const turned = { ...f, positions: turn(f.positions), cell: turn(f.cell) };
      const [plain, eight, back, round] = await potential.predict([f, large, wrapped, turned]);
      assertClose(eight.forces, replicas.flatMap(() => [...plain.forces]), TOLERANCE, "supercell");
      assertClose(eight.virial, plain.virial.map((x) => 8 * x), TOLERANCE, "supercell's virial");
      assertClose(back.forces, plain.forces, TOLERANCE, "wrapping");
      assertClose(round.forces, turn(plain.forces), TOLERANCE, "turning");
    }));
}
