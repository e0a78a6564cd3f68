import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RequestError } from "../../src/errors.ts";
import { kaiserScores } from "../../src/linalg/kaiser.ts";
import { type Matrix, matrix } from "../../src/matrix.ts";
import { uniformRounds, uniformStream } from "../../src/rng.ts";
import { birch } from "../../src/select/birch.ts";
import { direct, nearestToCentres } from "../../src/select/direct.ts";
import { farthestPoints } from "../../src/select/farthest_points.ts";
import { kMedoids } from "../../src/select/k_medoids.ts";
import { randomNetwork } from "../../src/select/random_network.ts";
import { uniformDraw } from "../../src/select/uniform_draw.ts";
import { ward } from "../../src/select/ward.ts";
import { assertClose, normalNumbers, projectPath } from "../support.ts";

const golden = JSON.parse(readFileSync(projectPath("tests/golden/direct_reference.json"), "utf8"));
const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const cloud = (n: number, d: number, seed = 1): Matrix =>
  matrix(n, d, Float64Array.from(normalNumbers(seed, n * d)));
const rowsOf =
  ({ data, cols }: Matrix) => (i: number) => [...data.subarray(i * cols, (i + 1) * cols)];
const distance = (a: number[], b: number[]) => Math.hypot(...a.map((x, k) => x - b[k]));

/** The features of direct_reference.py. */
function features(n: number, d: number): Matrix {
  const out = matrix(n, d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const x = Math.sin(0.37 * i * (k + 1) + k) + 0.4 * Math.sin(1.7 * i + 0.3 * k * k);
      out.data[i * d + k] = x * 0.8 ** k + 2 * Number((i * 7919) % 3 === k % 3);
    }
  }
  return out;
}

function centred(x: Matrix): Matrix {
  const mean = Array.from(
    { length: x.cols },
    (_, k) => all(x.rows).reduce((sum, i) => sum + x.data[i * x.cols + k] / x.rows, 0),
  );
  return matrix(x.rows, x.cols, x.data.map((value, at) => value - mean[at % x.cols]));
}

test("birch() has the subclusters of scikit-learn", () => {
  for (const { n, d, threshold, centres } of golden.birch) {
    const actual = birch(centred(features(n, d)), threshold);
    const sorted = (rows: number[][]) => rows.toSorted((a, b) => a[0] - b[0]).flat();
    assert.equal(actual.rows, centres.length);
    assertClose(
      sorted(all(actual.rows).map(rowsOf(actual))),
      sorted(centres),
      1e-10,
      `${n} points`,
    );
  }
});

test("ward() has the clusters of scikit-learn", () => {
  for (const { d, wanted, centres, labels } of golden.birch) {
    const actual = ward(matrix(centres.length, d, Float64Array.from(centres.flat())), wanted);
    const pairs = new Set(labels.map((label: number, i: number) => `${label} ${actual[i]}`));
    assert.equal(new Set(actual).size, wanted);
    assert.equal(pairs.size, wanted, "the partitions differ");
  }
});

test("direct() chooses what maml's steps choose", () => {
  for (const { n, d, wanted, components, scores, subclusters, labels, picks } of golden.maml) {
    const points = kaiserScores(features(n, d));
    assert.equal(points.cols, components);
    assertClose(points.data.map(Math.abs), scores.flat().map(Math.abs), 1e-8, "components");
    // The order of subclusters hangs on the last bit in scikit-learn, and maml takes the last one's
    // centre: from its own subclusters the choice is the same, ...
    const cloud = matrix(n, components, Float64Array.from(scores.flat()));
    const centres = matrix(labels.length, components, Float64Array.from(subclusters.flat()));
    const at = rowsOf(centres);
    const nearest = Uint32Array.from(all(n), (i) => {
      const gaps = all(labels.length).map((s) => distance(scores[i], at(s)));
      return gaps.indexOf(Math.min(...gaps));
    });
    const chosen = nearestToCentres(
      cloud,
      centres,
      nearest,
      Uint32Array.from(labels),
      wanted,
      true,
    );
    assert.deepEqual(chosen.toSorted((a, b) => a - b), picks);
    // ... and from ours it is wherever a cluster has one subcluster only.
    const single = picks.filter((i: number) => {
      const label = labels[nearest[i]];
      return labels.filter((other: number) => other === label).length === 1;
    });
    assert.ok(single.length > wanted / 20);
    const ours = direct(points, all(n), wanted, true);
    for (const i of single) {
      // Both points of a subcluster of two are equally near to its centre.
      const gap = distance(scores[i], at(nearest[i]));
      const same = (j: number) => Math.abs(distance(scores[j], at(nearest[i])) - gap) < 1e-9;
      assert.ok(ours.some(same), `frame ${i}`);
    }
    assert.equal(new Set(direct(points, all(n), wanted, false)).size, wanted);
  }
});

test("direct() says where maml's clusters do not yield N frames", () => {
  let short = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const points = cloud(1000, 1, seed);
    try {
      direct(points, all(1000), 300, true);
    } catch (error) {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, /of 300 clusters only \d+ hold frames/);
      short++;
    }
    assert.equal(new Set(direct(points, all(1000), 300, false)).size, 300);
  }
  assert.ok(short > 0, "no cloud leaves a cluster of maml's without frames");
});

test("farthestPoints() equals the definition", () => {
  const points = cloud(80, 3);
  const at = rowsOf(points);
  const members = all(80).filter((i) => i % 5 !== 0);
  const mean = [0, 1, 2].map((k) => members.reduce((sum, i) => sum + at(i)[k] / members.length, 0));
  for (const chosen of [[], [0, 5]]) {
    const expected: number[] = [];
    while (expected.length < 20) {
      const known = [...chosen, ...expected];
      const score = (i: number) =>
        known.length === 0
          ? -distance(at(i), mean)
          : Math.min(...known.map((s) => distance(at(i), at(s))));
      expected.push(members.reduce((best, i) => (score(i) > score(best) ? i : best), members[0]));
    }
    assert.deepEqual(farthestPoints(points, members, 20, chosen), expected);
  }
});

test("farthestPoints() stops where every further point coincides with a chosen one", () => {
  const points = matrix(4, 1, Float64Array.of(0, 1, 1, 0));
  assert.throws(() => farthestPoints(points, all(4), 3, []), /after 2 every other frame coincides/);
});

test("kMedoids() chooses the member nearest to the mean of each of separate clusters", () => {
  const noise = cloud(90, 2, 3);
  const points = matrix(90, 2, noise.data.map((x, at) => x + 40 * (Math.floor(at / 2) % 6)));
  const at = rowsOf(points);
  const expected = all(6).map((c) => {
    const members = all(90).filter((i) => i % 6 === c);
    const mean = [0, 1].map((k) => members.reduce((sum, i) => sum + at(i)[k] / 15, 0));
    const gap = (i: number) => distance(at(i), mean);
    return members.reduce((best, i) => (gap(i) < gap(best) ? i : best));
  });
  const actual = kMedoids(points, idsOf(points.rows), all(90), 6, 5n);
  assert.deepEqual(actual.toSorted((a, b) => a - b), expected.toSorted((a, b) => a - b));
  for (const budget of [1, 37, 89, 90]) {
    assert.equal(new Set(kMedoids(points, idsOf(points.rows), all(90), budget, 5n)).size, budget);
  }
});

/** Ids that are no places. */
const idsOf = (n: number) => BigUint64Array.from(all(n), (i) => BigInt(i * i + 7));

/** k-means once more: how often a cluster ran empty, and the members nearest to the final centres. */
function slowKMedoids(x: number[][], budget: number, seed: bigint) {
  const uniform = uniformRounds(seed, 202n, idsOf(x.length));
  const square = (a: number[], b: number[]) => a.reduce((sum, v, k) => sum + (v - b[k]) ** 2, 0);
  const argmax = (values: number[]) => values.indexOf(Math.max(...values));
  let centres: number[][] = [];
  while (centres.length < budget) {
    const gaps = x.map((p) =>
      centres.length === 0 ? 1 : Math.min(...centres.map((c) => square(p, c)))
    );
    const round = centres.length;
    centres = [...centres, x[argmax(gaps.map((gap, i) => gap / -Math.log(uniform(i, round))))]];
  }
  const nearest = () => x.map((p) => argmax(centres.map((c) => -square(p, c))));
  let [nEmpty, rounds, before] = [0, 0, ""];
  for (let cluster = nearest(); `${cluster}` !== before; cluster = nearest(), rounds++) {
    const gaps = x.map((p, i) => square(p, centres[cluster[i]]));
    for (const c of all(budget).filter((c) => !cluster.includes(c))) {
      const far = argmax(gaps);
      [cluster[far], gaps[far]] = [c, 0];
      nEmpty++;
    }
    before = `${cluster}`;
    centres = all(budget).map((c) => {
      const members = x.filter((_, i) => cluster[i] === c);
      return x[0].map((_, k) => members.reduce((sum, p) => sum + p[k], 0) / members.length);
    });
  }
  const cluster = nearest();
  const medoids = centres.map((centre, c) => {
    const members = all(x.length).filter((i) => cluster[i] === c);
    const least = Math.min(...members.map((i) => square(x[i], centre)));
    // Of a cluster of two both are equally near, but for rounding.
    const medoid = members.find((i) => square(x[i], centre) <= least * (1 + 1e-9))!;
    return { size: members.length, medoid };
  }).sort((a, b) => b.size - a.size || a.medoid - b.medoid);
  return { nEmpty, rounds, picks: medoids.map(({ medoid }) => medoid) };
}

test("kMedoids() equals k-means until no point moves, largest cluster first", () => {
  for (const seed of [2n, 3n, 4n]) {
    const points = cloud(120, 2, 20);
    const { picks, rounds } = slowKMedoids(all(120).map(rowsOf(points)), 9, seed);
    assert.ok(rounds > 3, `${rounds} rounds`);
    assert.deepEqual(kMedoids(points, idsOf(points.rows), all(120), 9, seed), picks);
  }
});

test("kMedoids() gives the farthest point to a cluster that runs empty", () => {
  // Found among thousands of clouds: it is rare.
  for (const [n, budget, at, seed] of [[16, 5, 951, 4n], [24, 6, 965, 5n], [30, 10, 3704, 10n]]) {
    const points = cloud(Number(n), 2, Number(at));
    const members = all(points.rows);
    const { picks, nEmpty } = slowKMedoids(
      members.map(rowsOf(points)),
      Number(budget),
      BigInt(seed),
    );
    assert.ok(nEmpty > 0);
    assert.deepEqual(
      kMedoids(points, idsOf(points.rows), members, Number(budget), BigInt(seed)),
      picks,
    );
  }
});

test("uniformDraw() is uniform, nested and a function of the ids", () => {
  const ids = idsOf(50);
  const hits = new Uint32Array(50);
  for (let seed = 0n; seed < 2000n; seed++) {
    const picks = uniformDraw(ids, all(50), 10, seed);
    assert.deepEqual(uniformDraw(ids, all(50), 4, seed), picks.slice(0, 4));
    assert.deepEqual(uniformDraw(ids, all(50).reverse(), 10, seed), picks);
    picks.forEach((i) => hits[i]++);
  }
  // Binomial: 400 expected, 18 standard deviation; 4.5 of them hold for all 50 with 99.97 %.
  for (const n of hits) assert.ok(Math.abs(n - 400) < 81, `${n} of 400`);
});

/** Random network distillation once more, in float64 and without sharing anything but the weights. */
function slowRandomNetwork(x: number[][], budget: number, seed: bigint): number[] {
  const widths = [x[0].length, 64, 64, 32];
  const network = (stream: bigint) => {
    const uniform = uniformStream(seed, stream);
    let t = 0n;
    return [0, 1, 2].map((l) => {
      const [n, m] = [widths[l], widths[l + 1]];
      const draw = (s: number) => Math.fround(s * (2 * uniform(t++) - 1));
      const w = all(n).map(() => all(m).map(() => draw(Math.sqrt(6 / (n + m)))));
      return [...w, all(m).map(() => draw(0.1))];
    });
  };
  const run = (net: number[][][], row: number[]) =>
    net.reduce<number[][]>((layers, w, l) => {
      const input = [...layers[l], 1];
      const z = w[0].map((_, j) => input.reduce((sum, value, k) => sum + value * w[k][j], 0));
      return [...layers, l < 2 ? z.map(Math.tanh) : z];
    }, [row]);
  const [f, g] = [network(203n), network(204n)];
  const moments = g.map((w) => w.map((row) => row.map(() => [0, 0])));
  const picks: number[] = [];
  let step = 0;
  while (picks.length < budget) {
    const error = x.map((row, i) => {
      const [a, b] = [run(f, row)[3], run(g, row)[3]];
      return picks.includes(i) ? -1 : a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);
    });
    picks.push(error.indexOf(Math.max(...error)));
    for (let s = 0; s < 60; s++) {
      step++;
      const gradient = g.map((w) => w.map((row) => row.map(() => 0)));
      for (const i of picks) {
        const layers = run(g, x[i]);
        const wanted = run(f, x[i])[3];
        let delta = layers[3].map((v, k) => 2 * (v - wanted[k]) / (32 * picks.length));
        for (let l = 2; l >= 0; l--) {
          const input = [...layers[l], 1];
          input.forEach((v, k) => delta.forEach((d, j) => gradient[l][k][j] += v * d));
          delta = layers[l].map((v, k) =>
            (1 - v * v) * delta.reduce((sum, d, j) => sum + d * g[l][k][j], 0)
          );
        }
      }
      const rate = 3e-3 * Math.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step);
      g.forEach((w, l) =>
        w.forEach((row, k) =>
          row.forEach((_, j) => {
            const m = moments[l][k][j];
            m[0] = 0.9 * m[0] + 0.1 * gradient[l][k][j];
            m[1] = 0.999 * m[1] + 0.001 * gradient[l][k][j] ** 2;
            row[j] -= rate * m[0] / (Math.sqrt(m[1]) + 1e-8);
          })
        )
      );
    }
  }
  return picks;
}

test("randomNetwork() equals a definition in float64", () => {
  // Clouds in which the choice differs if Adam's steps are not counted from 1.
  for (const [at, seed] of [[4, 2n], [2, 2n], [4, 4n]] as const) {
    const points = cloud(40, 3, at);
    const expected = slowRandomNetwork(all(40).map(rowsOf(points)), 4, seed);
    assert.deepEqual(randomNetwork(points, all(40), 4, [], seed), expected);
    assert.notDeepEqual(randomNetwork(points, all(40), 4, [], seed + 1n), expected);
  }
  const points = cloud(40, 3, 9);
  const rest = randomNetwork(points, all(40).slice(6), 5, all(6), 4n);
  assert.ok(rest.every((i) => i >= 6) && new Set(rest).size === 5);
});

test("of a cluster of two, both equally near to their mean, the earlier point is chosen", () => {
  const pairs = (noise: number) => {
    const u = normalNumbers(9, 80);
    return matrix(
      40,
      2,
      Float64Array.from({ length: 80 }, (_, at) => {
        const [point, k] = [at >> 1, at % 2];
        // Pairs that are far from each other, and noise as small as rounding.
        return 100 * ((point >> 1) % 5) * (1 - k) + 100 * Math.floor(point / 10) * k + u[at] +
          noise * Math.sin(at);
      }),
    );
  };
  for (const noise of [0, 1e-9, -1e-9, 3e-9]) {
    const points = pairs(noise);
    const expected = all(20).map((c) => 2 * c);
    assert.deepEqual(
      kMedoids(points, idsOf(points.rows), all(40), 20, 1n).toSorted((a, b) => a - b),
      expected,
    );
    assert.deepEqual(direct(points, all(40), 20, false).toSorted((a, b) => a - b), expected);
  }
});

test("kMedoids() refills an empty cluster from one that can spare a point", () => {
  for (const shift of [0, 1000]) {
    const points = matrix(
      40,
      2,
      Float64Array.from(normalNumbers(3312, 80), (x) => shift + Math.sign(x) * Math.abs(x) ** 4),
    );
    assert.equal(new Set(kMedoids(points, idsOf(points.rows), all(40), 8, 5n)).size, 8);
  }
});
