import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../src/errors.ts";
import { type Frame, nearestImage } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { makeFrame, randomNumbers } from "../support.ts";

/** Every image within a generous number of cells, one distance at a time. */
function bruteForce(frame: Frame, rMax: number, reach: number): string[] {
  const n = frame.species.length;
  const { positions: r, cell, pbc } = frame;
  const range = pbc.map((periodic) => (periodic ? reach : 0));
  const edges: string[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let a = -range[0]; a <= range[0]; a++) {
        for (let b = -range[1]; b <= range[1]; b++) {
          for (let c = -range[2]; c <= range[2]; c++) {
            if (i === j && a === 0 && b === 0 && c === 0) continue;
            const v = [0, 1, 2].map((x) =>
              r[3 * i + x] - r[3 * j + x] + a * cell[x] + b * cell[3 + x] + c * cell[6 + x]
            );
            if (Math.hypot(...v) < rMax) edges.push(`${i} ${j} ${[a, b, c]}`);
          }
        }
      }
    }
  }
  return edges.sort();
}

function edgesOf(frame: Frame, rMax: number): string[] {
  const { firstEdge, sender, unitShifts, vectors, nAtoms } = neighborList(frame, rMax);
  const edges: string[] = [];
  for (let i = 0; i < nAtoms; i++) {
    for (let e = firstEdge[i]; e < firstEdge[i + 1]; e++) {
      const shift = unitShifts.subarray(3 * e, 3 * e + 3);
      for (let x = 0; x < 3; x++) {
        const expected = frame.positions[3 * i + x] - frame.positions[3 * sender[e] + x] +
          shift[0] * frame.cell[x] + shift[1] * frame.cell[3 + x] + shift[2] * frame.cell[6 + x];
        assert.ok(
          Math.abs(vectors[3 * e + x] - expected) < 1e-9,
          "vector is not r_i - r_j + S cell",
        );
      }
      edges.push(`${i} ${sender[e]} ${[...shift]}`);
    }
  }
  return edges.sort();
}

test("neighborList() equals a brute force on skewed, tiny and mixed cells", () => {
  const flag = fc.boolean();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.tuple(flag, flag, flag),
      fc.double({ min: 1.4, max: 6, noNaN: true }),
      (n, seed, pbc, size) => {
        const u = randomNumbers(seed, 3 * n + 9);
        const cell = [0, 1, 2].flatMap((i) =>
          [0, 1, 2].map((j) => (i === j ? size : size * (u[3 * n + 3 * i + j] - 0.5)))
        );
        // Atoms lie up to two cells outside.
        const positions = u.slice(0, 3 * n).map((x) => (5 * x - 2) * size);
        const frame = makeFrame(new Uint8Array(n).fill(1), positions, cell, pbc);
        assert.deepEqual(edgesOf(frame, 2.5), bruteForce(frame, 2.5, 9));
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

test("a single atom in a cubic cell has 6, 18 and 26 images", () => {
  const frame = makeFrame([1], [0.3, -7, 12], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  assert.equal(neighborList(frame, 1.1).nEdges, 6);
  assert.equal(neighborList(frame, 1.5).nEdges, 18);
  assert.equal(neighborList(frame, 1.8).nEdges, 26);
  assert.equal(neighborList(frame, 1).nEdges, 0, "the cutoff itself is outside");
});

test("the nearest image of an atom, in skewed cells and along some axes only", () => {
  const cell = Float64Array.of(10, 0, 0, 9.5, 3, 0, 0.2, 0.4, 12);
  const all = [true, true, true] as const;
  assert.ok(Math.abs(nearestImage(cell, all) - Math.hypot(0.5, 3)) < 1e-12);
  assert.equal(nearestImage(cell, [false, false, false]), Infinity);
  assert.equal(nearestImage(cell, [true, false, false]), 10);
  assert.ok(Math.abs(nearestImage(cell, [false, true, true]) - Math.hypot(9.5, 3)) < 1e-12);
  const fcc = Float64Array.of(0, 2, 2, 2, 0, 2, 2, 2, 0);
  assert.ok(Math.abs(nearestImage(fcc, all) - Math.sqrt(8)) < 1e-12);
});

test("an isolated atom and an isolated pair", () => {
  assert.equal(
    neighborList(makeFrame([1], [0, 0, 0], undefined, [false, false, false]), 5).nEdges,
    0,
  );
  const pair = makeFrame([1, 1], [0, 0, 0, 0, 0, 0.74], undefined, [false, false, false]);
  assert.equal(neighborList(pair, 5).nEdges, 2);
});

test("dense hydrogen has the neighbors its density says", () => {
  // r_s = 1.30 bohr: 1.364 Å³ per atom, 384 neighbors within 5 Å and 663 within 6 Å on average.
  const n = 256;
  const side = Math.cbrt(1.364 * n);
  const positions = randomNumbers(5, 3 * n).map((x) => x * side);
  const frame = makeFrame(new Uint8Array(n).fill(1), positions, [
    side,
    0,
    0,
    0,
    side,
    0,
    0,
    0,
    side,
  ]);
  for (const [rMax, expected] of [[5, 384], [6, 663]]) {
    const mean = neighborList(frame, rMax).nEdges / n;
    assert.ok(Math.abs(mean / expected - 1) < 0.01, `${mean} neighbors within ${rMax} Å`);
  }
});

test("every edge has its reverse, opposite to the last bit, at the cutoff too", () => {
  const skewed = [3, 0, 0, 1, 3, 0, 0, 1, 3];
  const cubic = [3, 0, 0, 0, 3, 0, 0, 0, 3];
  for (let seed = 1; seed <= 40; seed++) {
    const positions = randomNumbers(seed, 30).map((x) => 3 * x);
    // Atoms are 3 Å, the cutoff itself, from their images; rounding may put those on either side of it.
    for (const [cell, rMax] of [[skewed, 4], [cubic, 3], [cubic, 6]] as const) {
      const frame = makeFrame(new Uint8Array(10).fill(1), positions, cell);
      const { firstEdge, sender, unitShifts, vectors } = neighborList(frame, rMax);
      const edges = new Map<string, number[]>();
      for (let i = 0; i < 10; i++) {
        for (let e = firstEdge[i]; e < firstEdge[i + 1]; e++) {
          const shift = [...unitShifts.subarray(3 * e, 3 * e + 3)];
          edges.set(`${i} ${sender[e]} ${shift}`, [...vectors.subarray(3 * e, 3 * e + 3)]);
        }
      }
      for (const [edge, vector] of edges) {
        const [i, j, shift] = edge.split(" ");
        const back = shift.split(",").map((s) => 0 - Number(s));
        assert.deepEqual(edges.get(`${j} ${i} ${back}`), vector.map((x) => 0 - x), edge);
      }
    }
  }
});

test("neighborList() refuses coincident atoms and dependent lattice vectors", () => {
  const cube = [4, 0, 0, 0, 4, 0, 0, 0, 4];
  assert.throws(
    () => neighborList(makeFrame([1, 1], [0, 0, 0, 4, 0, 0], cube), 3),
    (error) =>
      error instanceof ParseError && /atoms 1 and 2 are at the same place/.test(error.message),
  );
  assert.throws(
    () => neighborList(makeFrame([1], [0, 0, 0], [1, 0, 0, 2, 0, 0, 0, 0, 1]), 3),
    /linearly dependent/,
  );
  assert.throws(
    () => neighborList(makeFrame([1], [0, 0, 0], cube.map((x) => x / 1e4)), 3),
    /1800000 million neighbors per atom within 3 Å; is its cell, 0\.0004 Å, in Å\?/,
  );
});
