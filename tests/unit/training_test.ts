/** The small parts of training. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadMace, readCheckpoint } from "../../src/checkpoint/load.ts";
import { replaceTensors } from "../../src/checkpoint/replace_tensors.ts";
import { weightsByName } from "../../src/checkpoint/weight_names.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { putElements, takeElements } from "../../src/model/elements.ts";
import { mapWeights, weightsOf } from "../../src/model/model_weights.ts";
import { predict } from "../../src/model/potential.ts";
import { knotDistances, tabulate, tabulateAdjoint } from "../../src/model/radial_table.ts";
import { atomicEnergies } from "../../src/train/atomic_energies.ts";
import { heldOut, shuffledOrder } from "../../src/train/order.ts";
import type { LabelledFrame } from "../../src/train/trainer.ts";
import { copyModel, movingTensors, tensorsOf } from "../../src/train/weights.ts";
import { mediumModel } from "../../src/speed/medium_model.ts";
import { assertClose, makeFrame, projectPath, sharedPath } from "../support.ts";

const IDS = Array.from({ length: 40 }, (_, i) => `pool.xyz@${i}`);

test("the order of an epoch depends on seed, epoch and ids alone", () => {
  const named = (ids: readonly string[], seed: bigint, epoch: number) =>
    shuffledOrder(ids, seed, epoch).map((i) => ids[i]);
  const first = named(IDS, 0n, 1);
  assert.deepEqual([...first].sort(), [...IDS].sort());
  assert.deepEqual(named(IDS.toReversed(), 0n, 1), first);
  assert.notDeepEqual(named(IDS, 0n, 2), first);
  assert.notDeepEqual(named(IDS, 1n, 1), first);
});

test("whole groups are held out, and something is left", () => {
  const groups = IDS.map((_, i) => `run ${i % 5}`);
  const held = heldOut(groups, 0.1, 0n);
  const names = new Set(groups.filter((_, i) => held[i]));
  assert.equal(names.size, 1);
  assert.equal(held.filter(Boolean).length, 8);
  assert.equal(heldOut(IDS, 0.25, 3n).filter(Boolean).length, 10);
  assert.deepEqual(heldOut(["a", "b"], 0.9, 0n).filter(Boolean).length, 1);
});

test("a model cut to some elements is the same function, and is put back whole", () => {
  const model = mediumModel({ elements: [1, 6, 8], rMax: 4, channels: 4 });
  const kept = [0, 2];
  const cut = takeElements(model, kept);
  assert.deepEqual(cut.elements, [1, 8]);
  const positions = [0, 0, 0, 0.9, 0.2, 0, -0.3, 0.8, 0.1, 0.4, -0.5, 1.1];
  const frame = makeFrame([8, 1, 1, 8], positions, [5, 0, 0, 0, 5, 0, 0, 0, 5]);
  const graph = neighborList(frame, model.rMax);
  const [a, b] = [model, cut].map((own) => predict(own, graph));
  assertClose(b.forces, a.forces, 1e-12, "forces");
  assertClose([b.energy], [a.energy], 1e-12, "energy");
  const back = tensorsOf(putElements(model, kept, weightsOf(cut)));
  tensorsOf(weightsOf(model)).forEach(({ name, numbers }, k) => {
    assertClose(back[k].numbers, numbers, 1e-15, name);
  });
  // What changed comes back in its place; carbon has what it had.
  const moved = copyModel(cut);
  moved.embedding[0] += 1;
  const { embedding } = putElements(model, kept, weightsOf(moved));
  const C = model.channels;
  assert.notEqual(embedding[0], model.embedding[0]);
  assert.deepEqual(embedding.slice(C, 2 * C), model.embedding.slice(C, 2 * C));
});

test("tensors are named by patterns", () => {
  const { model } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  const all = movingTensors(model, ["all"]);
  assert.equal(all.size, tensorsOf(weightsOf(model)).length);
  assert.deepEqual([...movingTensors(model, ["readouts"])], [
    "readouts.0.linear.weight",
    "readouts.1.linear_1.weight",
    "readouts.1.linear_2.weight",
  ]);
  assert.ok(movingTensors(model, ["products.*", "*.skip_tp.weight"]).size < all.size);
  assert.throws(() => movingTensors(model, ["readout"]), /no tensor has such a name/);
});

/** Frames of H and O with energies of a known sum of atoms. */
function compositions(counts: readonly (readonly [h: number, o: number])[]): LabelledFrame[] {
  return counts.map(([h, o]) => {
    const species = [...new Array(h).fill(1), ...new Array(o).fill(8)];
    const frame = makeFrame(species, species.flatMap((_, i) => [2 * i, 0, 0]));
    const labels = { energy: -13 * h - 430 * o, forces: null, stress: null, weight: 1 };
    return { frame, labels };
  });
}

test("energies of isolated atoms are fitted, and their rank is told", () => {
  const frames = compositions([[2, 1], [1, 2], [4, 1]]);
  const current = Float64Array.of(-12, -400);
  const own = frames.map(({ labels }) => labels.energy! + 3);
  const choose = (choice: Parameters<typeof atomicEnergies>[0], of = frames) =>
    atomicEnergies(choice, [1, 8], current, of, own, new Map([[1, -13.6]]));
  assert.deepEqual(choose("model").energies, current);
  const { energies, fit } = choose("average");
  assertClose(energies, [-13, -430], 1e-10, "average");
  assert.equal(fit!.rank, 2);
  const water = choose("average", compositions([[2, 1], [4, 2]]));
  assert.equal(water.fit!.rank, 1);
  // Of all that fit the sum the smallest: along the composition.
  assertClose(water.energies, [-456 * 2 / 5, -456 / 5], 1e-10, "smallest");
  const shift = choose("estimated").energies.map((e, i) => e - current[i]);
  assert.ok(shift.every((s) => s < 0 && s > -2), `${shift}`);
  assertClose(choose(new Map([[1, -1], [8, -2]])).energies, [-1, -2], 0, "given");
  assert.throws(() => choose("isolated"), /no energy of an isolated O atom/);
});

test("a torch file is written back with other numbers", () => {
  for (const name of ["density_L0_c4.model", "density_L0_c4.sd.pt", "density_L0_c4_f32.model"]) {
    const path = sharedPath(`reference/mace/${name}`);
    if (!path) return console.log("skipped: there is no shared folder");
    const { model, checkpoint, bytes } = loadMace(path);
    const named = weightsByName(checkpoint, weightsOf(model));
    assert.deepEqual(replaceTensors(bytes, named), new Uint8Array(bytes), `${name}: unchanged`);
    const other = mapWeights(weightsOf(model), (x) => x.map((value, i) => 1.5 * value + i / 64));
    const changed = weightsByName(checkpoint, other);
    const { tensors } = readCheckpoint(replaceTensors(bytes, changed));
    const tolerance = model.dtype === "float64" ? 0 : 6e-8;
    for (const [tensor, numbers] of changed) {
      assertClose(tensors.get(tensor)!.data, numbers, tolerance, `${name}, ${tensor}`);
    }
    assert.throws(
      () => replaceTensors(bytes, new Map([["none", new Float64Array(1)]])),
      /no tensor/,
    );
  }
});

test("the adjoint of a table is that of its tabulation", () => {
  const [rMax, n] = [4, 8];
  const f = (r: Float64Array) => Float64Array.from(r, (x) => Math.exp(-x) * Math.sin(3 * x));
  const table = tabulate(f, rMax, n);
  const bar = Float64Array.from(table, (_, i) => Math.cos(7 * i));
  const [values, slopes] = tabulateAdjoint(bar, n);
  // The table is linear in values and slopes: Σ c̄ c = Σ v̄ v + s̄ s.
  const v = f(knotDistances(rMax, n));
  const s = Float64Array.from(v, (_, i) => (i < n ? table[4 * i + 1] : lastSlope(table, n)));
  const dot = (a: Float64Array, b: ArrayLike<number>) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const [direct, led] = [dot(bar, table), dot(values, v) + dot(slopes, s)];
  assert.ok(Math.abs(direct - led) < 1e-5, `${direct} ${led}`);
});

/** Slope at the end of a table: that of the last interval at t = 1. */
function lastSlope(table: Float32Array, n: number): number {
  const [, c1, c2, c3] = table.subarray(4 * (n - 1), 4 * n);
  return c1 + 2 * c2 + 3 * c3;
}
