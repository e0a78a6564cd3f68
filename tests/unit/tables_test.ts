/** Radial tables: how good they are, and the bounded cache that holds them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mediumModel } from "../../src/speed/medium_model.ts";
import { loadMace } from "../../src/checkpoint/load.ts";
import { fillTables } from "../../src/cpu/radial_table.ts";
import { Arena } from "../../src/cpu/arena.ts";
import { openCpuBackend } from "../../src/cpu/backend.ts";
import { allocate, createMemory, loadKernels } from "../../src/cpu/memory.ts";
import { RequestError } from "../../src/errors.ts";
import { bakeModel } from "../../src/model/bake.ts";
import { bakeDensity, bakeTable, pairClasses, TableSlots } from "../../src/model/bake_tables.ts";
import { fewRadial } from "../../src/model/radial_rank.ts";
import {
  interpolationError,
  intervalsNeeded,
  radialFunctions,
  radialValues,
} from "../../src/model/radial_table.ts";
import { useAllBackends } from "../backends.ts";
import { makeFrame, projectPath, randomNumbers, rowError } from "../support.ts";

const backends = await useAllBackends();
const shipped = loadMace(projectPath("data/hydrogen-small.safetensors")).model;
const MANY = [1, 6, 8, 14, 26, 29, 47, 79];
const medium = mediumModel({ elements: MANY, rMax: 4, channels: 8 });

test("tables are as good as float32, and no larger than that takes", () => {
  for (const [model, z] of [[shipped, 1], [medium, 14]] as const) {
    const f = radialValues(radialFunctions(model, model.layers[1], z, z));
    const n = intervalsNeeded(f, model.rMax);
    assert.ok(interpolationError(f, model.rMax, n) <= 6e-8);
    if (n > 256) assert.ok(interpolationError(f, model.rMax, n / 2) > 6e-8);
    // Between the knots, by the cubics themselves.
    const baked = bakeModel(model, [z]);
    const table = bakeTable(baked.layers[1], 0, baked.nIntervals);
    const { nRadials, width } = baked.layers[1];
    let [worst, size] = [0, 0];
    for (let i = Math.ceil(baked.nIntervals / 4); i < baked.nIntervals; i += 7) {
      const t = 0.37;
      const exact = f(Float64Array.of(model.rMax * ((i + t) / baked.nIntervals) ** 2));
      for (let k = 0; k < exact.length; k++) {
        const column = Math.floor(k / model.channels) * width + k % model.channels;
        const [c0, c1, c2, c3] = table.subarray(4 * (i * nRadials * width + column));
        worst = Math.max(worst, Math.abs(c0 + t * (c1 + t * (c2 + t * c3)) - exact[k]));
        size = Math.max(size, Math.abs(exact[k]));
      }
    }
    assert.ok(worst <= 2e-7 * size, `${worst / size}`);
  }
});

test("the factorised radial functions lose no more than 1e-7 of them, root mean square", () => {
  for (const [model, z] of [[shipped, 1], [medium, 14]] as const) {
    const { functions, mixing, rank } = fewRadial(model, model.layers[0], z, z);
    const r = Float64Array.from({ length: 301 }, (_, i) => model.rMax * ((i + 0.5) / 301) ** 2);
    const [phi, exact] = [
      radialValues(functions)(r),
      radialValues(radialFunctions(model, model.layers[0], z, z))(r),
    ];
    const n = exact.length / r.length;
    let [lost, all] = [0, 0];
    for (let i = 0; i < r.length; i++) {
      for (let f = 0; f < n; f++) {
        let sum = 0;
        for (let q = 0; q < rank; q++) sum += phi[i * rank + q] * mixing[q * n + f];
        lost += (sum - exact[i * n + f]) ** 2;
        all += exact[i * n + f] ** 2;
      }
    }
    assert.ok(lost <= (1.1e-7) ** 2 * all, `${Math.sqrt(lost / all)}`);
  }
});

test("the kernel radial_table fills a slot with the cubics of the definition", () => {
  const baked = bakeModel(medium, MANY);
  const memory = createMemory();
  const arena = new Arena(memory);
  const kernels = loadKernels(memory, "plain");
  const [nSlots, slot, k] = [3, 1, 4];
  const { nIntervals } = baked;
  const room = (columns: number) => allocate(memory, 16 * nSlots * nIntervals * columns);
  const layers = baked.layers.map(({ radials, nRadials, width, densityWeight }) => ({
    source: { radials: [radials[k]], nRadials, width, densityWeight },
    place: { tables: Array.from({ length: nRadials }, () => room(width)), densityTable: room(1) },
  }));
  for (const layer of layers) fillTables(kernels, arena, { slot, nSlots, nIntervals, ...layer });
  layers.forEach(({ source: { nRadials, width }, place }, t) => {
    const expected = bakeTable(baked.layers[t], k, nIntervals);
    for (let i = 0; i < nRadials; i++) {
      const table = new Float32Array(
        memory.buffer,
        place.tables[i],
        4 * nSlots * nIntervals * width,
      );
      for (let at = 0; at < table.length; at++) {
        // (width / 4, n_slots · n_intervals, 4 coefficients, 4 channels)
        const [row, coefficient] = [Math.floor(at / 16) % (nSlots * nIntervals), (at >> 2) % 4];
        const c = 4 * Math.floor(at / 16 / nSlots / nIntervals) + at % 4;
        const interval = row - slot * nIntervals;
        const inside = interval >= 0 && interval < nIntervals;
        const wanted = inside
          ? expected[4 * ((interval * nRadials + i) * width + c) + coefficient]
          : 0;
        assert.ok(Math.abs(table[at] - wanted) <= 2e-7 * Math.max(1, Math.abs(wanted)));
      }
    }
    const density = new Float32Array(memory.buffer, place.densityTable, 4 * nSlots * nIntervals);
    const own = density.subarray(4 * slot * nIntervals, 4 * (slot + 1) * nIntervals);
    assert.deepEqual([...own], [...bakeDensity(baked.layers[t], k, nIntervals)]);
  });
});

test("pairs with the same sum of radii share their tables, all pairs without a transform", () => {
  const { of, list } = pairClasses(medium, MANY);
  const radii = medium.radial.agnesi!.covalentRadii;
  const sums = new Set(MANY.flatMap((a) => MANY.map((b) => radii[a] + radii[b])));
  assert.equal(list.length, sums.size);
  MANY.forEach((a, i) =>
    MANY.forEach((b, j) => {
      const [x, y] = list[of[i * MANY.length + j]];
      assert.equal(radii[x] + radii[y], radii[a] + radii[b]);
    })
  );
  const plain = { ...medium, radial: { ...medium.radial, agnesi: null } };
  assert.equal(pairClasses(plain, MANY).list.length, 1);
});

/** A cluster of the given elements. */
const cluster = (seed: number, elements: readonly number[]) =>
  makeFrame(
    Array.from({ length: 12 }, (_, i) => elements[i % elements.length]),
    randomNumbers(seed, 36).map((x, i) => 1.2 * x + 1.9 * ((Math.floor(i / 3) >> (i % 3)) % 4)),
    undefined,
    [false, false, false],
  );

test("a cache with few slots holds every frame's tables, and evicts what was used longest ago", () => {
  const baked = bakeModel(medium, MANY);
  const slots = new TableSlots(baked, 6);
  const held = new Map<number, number>();
  const sets = [[1, 6], [6, 8], [14, 26, 29], [1, 6], [47, 79], [1, 8, 6], [14], [26, 29, 47]];
  const frames = sets.map((elements, f) => cluster(f, elements));
  const seen: number[] = [];
  for (const { frames: part, load, pairOf } of slots.plan(frames)) {
    for (const { class: k, slot } of load) held.set(slot, k);
    for (const f of part) {
      seen.push(f);
      for (const a of sets[f]) {
        for (const b of sets[f]) {
          const at = baked.elementOf[a] * baked.nElements + baked.elementOf[b];
          assert.equal(held.get(pairOf[at]), baked.pairOf[at], `${a}-${b} of frame ${f}`);
        }
      }
    }
  }
  assert.deepEqual(seen, sets.map((_, f) => f));
  assert.ok(held.size <= 6);
  // What is held is not loaded again.
  assert.deepEqual([...slots.plan([frames[7]])].flatMap(({ load }) => load), []);
  assert.throws(
    () => [...new TableSlots(baked, 2).plan([frames[2]])],
    (error) =>
      error instanceof RequestError &&
      /^Cannot tabulate the 3 kinds of pairs of test@0: 2 fit/.test(
        error.message,
      ),
  );
});

test("a pool whose tables do not fit together is described set after set, to the same rows", async () => {
  // A model so wide that the tables of 89 elements exceed the memory.
  const all = Array.from({ length: 94 }, (_, i) => i + 1).filter((z) => z <= 83 || z >= 89);
  const wide = mediumModel({ elements: all, rMax: 4, channels: 128 });
  const sets = [[1, 6], [1, 6], [14, 26, 79], [1, 6], [3]];
  const frames = sets.map((elements, f) => cluster(40 + f, elements));
  const backend = await openCpuBackend(2);
  try {
    const whole = await backend.openDescriber(wide, 2, all);
    const rows = [
      ...await whole.describe(frames.slice(0, 3)),
      ...await whole.describe(frames.slice(3)),
    ];
    await whole.close();
    for (const [f, elements] of sets.entries()) {
      const own = await backend.openDescriber(wide, 2, elements);
      const [alone] = await own.describe([frames[f]]);
      const error = rowError(rows[f], alone, own.width);
      assert.ok(error <= 1e-6, `frame ${f}: ${error}`);
      await own.close();
    }
  } finally {
    await backend.close();
  }
});

test("a pool of many elements gives the descriptors of its frames one by one", async () => {
  const sets = [[1, 6], [8, 14, 26], [29], [47, 79, 1], [6, 8, 14, 26], MANY];
  const frames = sets.map((elements, f) => cluster(20 + f, elements));
  for (const { label, backend } of backends) {
    const whole = await backend.openDescriber(medium, 2, MANY);
    const rows = await whole.describe(frames);
    await whole.close();
    for (const [f, elements] of sets.entries()) {
      const own = await backend.openDescriber(medium, 2, elements.toSorted((a, b) => a - b));
      const [alone] = await own.describe([frames[f]]);
      const error = rowError(rows[f], alone, own.width);
      assert.ok(error <= 1e-6, `${label}, ${elements}: ${error}`);
      await own.close();
    }
  }
});
