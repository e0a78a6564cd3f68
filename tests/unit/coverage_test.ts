import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareWithRandom,
  kernelWidth,
  leakage,
  measureCoverage,
  occupancy,
} from "../../src/compare/coverage.ts";
import { matrix } from "../../src/matrix.ts";
import { normalNumbers } from "../support.ts";

const N = 120;
const points = matrix(N, 3, Float64Array.from(normalNumbers(2, 3 * N)));
const at = (i: number) => [...points.data.subarray(3 * i, 3 * i + 3)];
const all = Array.from({ length: N }, (_, i) => i);
const distance = (i: number, j: number) => Math.hypot(...at(i).map((x, k) => x - at(j)[k]));
const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b)), `${what}: ${a}, expected ${b}`);

test("measureCoverage() equals the definitions", () => {
  const chosen = [3, 17, 40, 41, 99];
  const h = 0.7;
  const actual = measureCoverage(points, h)(chosen);
  const gaps = all.map((i) => Math.min(...chosen.map((s) => distance(i, s))));
  close(actual.coveringRadius, Math.max(...gaps), "covering radius");
  close(actual.meanDistance, mean(gaps), "mean distance");
  assert.equal(gaps.filter((gap) => gap <= actual.distance95).length, Math.ceil(0.95 * N));
  const all2 = (a: number[], b: number[]) => mean(a.flatMap((i) => b.map((j) => distance(i, j))));
  const energy = 2 * all2(chosen, all) - all2(chosen, chosen) - all2(all, all);
  close(actual.energyDistance, energy, "energy distance");
  const bins = (set: number[], k: number) => {
    const column = all.map((i) => at(i)[k]);
    const [low, high] = [Math.min(...column), Math.max(...column)];
    const edges = Array.from({ length: 99 }, (_, b) => low + (b + 1) * (high - low) / 100);
    return new Set(set.map((i) => edges.filter((edge) => at(i)[k] >= edge).length)).size;
  };
  const share = mean([0, 1, 2].map((k) => bins(chosen, k) / bins(all, k)));
  close(actual.featureCoverage, share, "feature coverage");
  const kernel = (i: number) =>
    chosen.map((s) => Math.exp(-(distance(i, s) ** 2) / (2 * h * h))).reduce((a, b) => a + b);
  close(actual.entropy, -mean(chosen.map((i) => Math.log(kernel(i) / 5))), "entropy");
  const inverse = chosen.map((i) => 1 / kernel(i)).reduce((a, b) => a + b);
  close(actual.diversity, Math.log(inverse), "diversity");
  const overlap = all.filter((i) => -Math.log(kernel(i)) < 1e-5).length / N;
  close(actual.overlap, overlap, "overlap");
});

test("a set that is the whole pool covers it", () => {
  const whole = measureCoverage(points, kernelWidth(points))(all);
  assert.equal(whole.coveringRadius, 0);
  assert.equal(whole.featureCoverage, 1);
  assert.equal(whole.overlap, 1);
  close(whole.energyDistance, 0, "energy distance");
});

test("kernelWidth() is the median gap to the nearest neighbor", () => {
  const gaps = all.map((i) => Math.min(...all.filter((j) => j !== i).map((j) => distance(i, j))));
  close(kernelWidth(points), gaps.toSorted((a, b) => a - b)[N / 2], "h");
});

test("a chosen set is compared with random sets of its size", () => {
  const { chosen, random, nDraws } = compareWithRandom(points, all.slice(0, 30));
  assert.equal(nDraws, 20);
  assert.deepEqual(chosen, measureCoverage(points, kernelWidth(points))(all.slice(0, 30)));
  // The first 30 of independent points are a random set themselves.
  assert.ok(Math.abs(chosen.meanDistance / random.meanDistance - 1) < 0.2);
});

test("leakage() is the distance of the chosen frames to the reference set", () => {
  const reference = matrix(40, 3, points.data.slice(3 * 80));
  const gaps = [3, 17, 90].map((i) => Math.min(...all.slice(80).map((j) => distance(i, j))))
    .sort((a, b) => a - b);
  const found = leakage(points, [3, 17, 90], reference);
  assert.equal(found.least, 0);
  close(found.median, gaps[1], "median");
  close(found.most, gaps[2], "largest");
});

test("occupancy() counts frames and chosen ones per stratum", () => {
  assert.deepEqual(occupancy(["v2", "v10", "v2", "v1"], [0, 2, 3]), [
    { stratum: "v1", nFrames: 1, nChosen: 1 },
    { stratum: "v2", nFrames: 2, nChosen: 2 },
    { stratum: "v10", nFrames: 1, nChosen: 0 },
  ]);
});
