import assert from "node:assert/strict";
import { test } from "node:test";
import { autoStrata, strataQuotas } from "../../src/select/strata.ts";

/** Volumes of ranks 0 … n - 1 in an order that is not theirs, and the rank of each. */
function shuffled(volumeOfRank: (rank: number) => number, n: number) {
  // 7 has no divisor in common with the numbers of frames below.
  const ranks = Array.from({ length: n }, (_, i) => (7 * i + 3) % n);
  return { ranks, volumes: Float64Array.from(ranks, volumeOfRank) };
}

/** Stratum by rank, of frames of one composition. */
function binned(volumeOfRank: (rank: number) => number, n: number): string[] {
  const { ranks, volumes } = shuffled(volumeOfRank, n);
  const strata = autoStrata(new Array(n).fill("H"), volumes);
  return Array.from({ length: n }, (_, rank) => strata[ranks.indexOf(rank)]);
}

const repeat = (name: string, n: number): string[] => new Array(n).fill(name);

test("autoStrata() has up to 12 bins of volume, of equal count and at least 10 frames", () => {
  const cases = [[240, 12], [120, 12], [110, 11], [40, 4], [20, 2]];
  for (const [n, nBins] of cases) {
    const expected = Array.from({ length: nBins }, (_, b) => repeat(`H/v${b + 1}`, n / nBins));
    assert.deepEqual(binned((rank) => 5 + rank ** 2, n), expected.flat(), `${n} frames`);
  }
  assert.deepEqual(binned((rank) => 5 + rank, 29), [...repeat("H/v1", 15), ...repeat("H/v2", 14)]);
  for (const n of [0, 1, 2, 19]) {
    assert.deepEqual(binned((rank) => 5 + rank, n), repeat("H", n), `${n} frames`);
  }
});

test("autoStrata() keeps equal volumes in the bin of the first of them", () => {
  const level = (low: number, high: number) => (rank: number) =>
    rank >= low && rank <= high ? low : rank;
  // Bins of 10: ranks 8 … 14 reach into the second, 8 … 21 over all of it.
  assert.deepEqual(binned(level(8, 14), 40), [
    ...[...repeat("H/v1", 15), ...repeat("H/v2", 5)],
    ...[...repeat("H/v3", 10), ...repeat("H/v4", 10)],
  ]);
  assert.deepEqual(binned(level(8, 21), 40), [
    ...[...repeat("H/v1", 22), ...repeat("H/v3", 8), ...repeat("H/v4", 10)],
  ]);
  assert.deepEqual(binned(() => 1, 40), repeat("H/v1", 40));
});

test("autoStrata() knows frames without a volume by their composition, and does not count them", () => {
  const { ranks, volumes } = shuffled((rank) => (rank < 20 ? 100 - rank : NaN), 60);
  const strata = autoStrata(repeat("H", 60), volumes);
  ranks.forEach((rank, i) => {
    assert.equal(strata[i], rank >= 20 ? "H" : rank >= 10 ? "H/v1" : "H/v2", `rank ${rank}`);
  });
  assert.deepEqual(autoStrata(["H", "H2O1"], Float64Array.of(NaN, NaN)), ["H", "H2O1"]);
});

test("autoStrata() divides every composition by its own volumes", () => {
  const compositions = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? "H2O1" : "H"));
  const strata = autoStrata(compositions, Float64Array.from({ length: 60 }, (_, i) => i));
  strata.forEach((stratum, i) => {
    const bin = i % 3 === 0 ? 1 + Number(i >= 30) : 1 + Math.floor(i / 15);
    assert.equal(stratum, `${compositions[i]}/v${bin}`);
  });
});

test("strataQuotas() are min(n, max(1, λ √n)), by hand", () => {
  // λ = 1/2: shares 5, 10, 15, 20.
  assert.deepEqual(strataQuotas([100, 400, 900, 1600], 50), [5, 10, 15, 20]);
  // λ = 41/40: shares 10.25 and 30.75, the frame that is left goes to the larger fraction.
  assert.deepEqual(strataQuotas([100, 900], 41), [10, 31]);
  // λ = 3/5: the strata of one frame have it, 12 and 18 are left for the others.
  assert.deepEqual(strataQuotas([1, 1, 400, 900], 32), [1, 1, 12, 18]);
  // λ = 3 would give 6 of the 4; λ = 3.02 for the other.
  assert.deepEqual(strataQuotas([4, 10000], 306), [4, 302]);
  // λ = 1/20: 0.5 and 1 are raised to 1, and 2 stay.
  assert.deepEqual(strataQuotas([100, 400, 1600], 4), [1, 1, 2]);
});

test("strataQuotas() ask nothing of a stratum that has a point already", () => {
  assert.deepEqual(strataQuotas([4, 4, 4], 2, [0, 1, 1]), [0, 1, 1]);
  assert.deepEqual(strataQuotas([9, 9], 4, [0, 1]), [2, 2]);
  assert.throws(
    () => strataQuotas([4, 4, 4], 1, [0, 1, 1]),
    /Cannot choose 1 frames from 3 strata/,
  );
});
