import assert from "node:assert/strict";
import { test } from "node:test";
import { type Matrix, matrix } from "../../src/matrix.ts";
import { neighborCount } from "../../src/select/neighbor_count.ts";
import { useFastBackends } from "../backends.ts";
import { normalNumbers } from "../support.ts";

const backends = await useFastBackends();

/** The definition once more, written as the formula. */
function naive(points: Matrix, radii: Float64Array): Uint32Array {
  const { data, rows, cols } = points;
  const counts = new Uint32Array(rows * radii.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) {
      let d2 = 0;
      for (let k = 0; k < cols; k++) d2 += (data[i * cols + k] - data[j * cols + k]) ** 2;
      for (let b = radii.length - 1; b >= 0 && d2 <= radii[b] * radii[b]; b--) {
        counts[i * radii.length + b]++;
        counts[j * radii.length + b]++;
      }
    }
  }
  return counts;
}

/** Normal points, every seventh a copy of another, every fifth rounded to a grid (ties). */
function cloud(n: number, d: number): Matrix {
  const points = matrix(n, d);
  points.data.set(normalNumbers(n + d, n * d));
  for (let i = 0; i < n; i++) {
    const row = points.data.subarray(i * d, (i + 1) * d);
    if (i % 7 === 6) row.set(points.data.subarray((i - 3) * d, (i - 2) * d));
    else if (i % 5 === 4) row.forEach((x, k) => row[k] = Math.round(2 * x) / 2);
  }
  return points;
}

/** Radii that pairs lie on exactly (grid distances), and others between them. */
function radiiFor(d: number): Float64Array {
  const on = [0.5, 1, Math.SQRT2, 1.5, 2, 2.5].map((r) => r * Math.sqrt(Math.ceil(d / 2)));
  const between = Array.from({ length: 58 }, (_, i) => 0.05 * 1.12 ** i);
  return Float64Array.from(new Set([...on, ...between])).sort();
}

async function check(n: number, d: number): Promise<void> {
  const points = cloud(n, d);
  const radii = radiiFor(d);
  const expected = naive(points, radii);
  assert.deepEqual(neighborCount(points, radii), expected);
  for (const { label, backend } of backends) {
    const { counts } = await backend.countNeighbors(points, radii);
    assert.ok(counts.every((c, i) => c === expected[i]), `${label}: n = ${n}, d = ${d}`);
  }
}

for (const n of [0, 1, 2, 63, 64, 65, 1000]) {
  test(`counts of every backend equal a naive loop, n = ${n}`, async () => {
    for (const d of [1, 2, 3, 8, 16, 32]) await check(n, d);
  });
}

test("counts of every backend equal a naive loop, n = 20000", async () => {
  await check(20_000, 3);
});

test("counts are exact where every pair lies on a radius", async () => {
  const points = matrix(400, 2);
  points.data.forEach((_, i) =>
    points.data[i] = i % 2 === 0 ? Math.floor(i / 2) % 20 : Math.floor(i / 40)
  );
  const radii = Float64Array.from(new Set([1, Math.SQRT2, 2, Math.sqrt(5), 3, 5])).sort();
  const expected = naive(points, radii);
  for (const { label, backend } of backends) {
    const { counts } = await backend.countNeighbors(points, radii);
    assert.deepEqual(counts, expected, label);
  }
});

test("undecided pairs may be more than a kernel's list holds", async () => {
  const points = matrix(2100, 1);
  points.data.forEach((_, i) => points.data[i] = i % 2);
  const radii = Float64Array.of(1);
  for (const { label, backend } of backends) {
    const { counts } = await backend.countNeighbors(points, radii);
    assert.ok(counts.every((c) => c === 2099), label);
  }
});

test("counts far from the origin are exact", async () => {
  const points = cloud(200, 4);
  for (let i = 0; i < points.data.length; i++) points.data[i] += 1e6;
  const radii = radiiFor(4);
  const expected = naive(points, radii);
  for (const { label, backend } of backends) {
    const { counts } = await backend.countNeighbors(points, radii);
    assert.deepEqual(counts, expected, label);
  }
});
