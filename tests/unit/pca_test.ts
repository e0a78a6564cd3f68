import assert from "node:assert/strict";
import { test } from "node:test";
import { eigs } from "mathjs";
import { principalComponents, projectRows } from "../../src/linalg/pca.ts";
import { columnScaling, standardize } from "../../src/linalg/standardize.ts";
import { type Matrix, matrix } from "../../src/matrix.ts";
import { useAllBackends } from "../backends.ts";
import { normalNumbers } from "../support.ts";

const backends = await useAllBackends();

function data(rows: number, cols: number, decay: number): Matrix {
  const x = matrix(rows, cols);
  const noise = normalNumbers(cols, rows * cols + cols * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = 10;
      for (let k = 0; k < cols; k++) {
        sum += noise[i * cols + k] * decay ** k * noise[rows * cols + k * cols + j];
      }
      x.data[i * cols + j] = sum;
    }
  }
  return x;
}

/** Eigenpairs of the covariance by mathjs, largest first. */
function oracle(y: Matrix) {
  const c = Array.from({ length: y.cols }, (_, a) =>
    Array.from({ length: y.cols }, (_, b) => {
      let sum = 0;
      for (let i = 0; i < y.rows; i++) sum += y.data[i * y.cols + a] * y.data[i * y.cols + b];
      return sum / (y.rows - 1);
    }));
  const { eigenvectors } = eigs(c);
  return (eigenvectors as { value: number; vector: number[] }[])
    .sort((a, b) => b.value - a.value)
    .map(({ value, vector }) => {
      const norm = Math.hypot(...vector);
      return { value, vector: vector.map((x) => x / norm) };
    });
}

for (const { label, backend } of backends) {
  test(`principal components equal a full eigensolver (${label})`, async () => {
    for (const mode of ["zscore", "global", "none"] as const) {
      const x = data(150, 24, 0.75);
      const pca = await principalComponents(
        x,
        mode,
        { kind: "count", count: 6 },
        (y, m) => backend.leadingSubspace(y, m),
      );
      const exact = oracle(standardize(x, columnScaling(x, mode)));
      const k = pca.loadings.cols;
      for (let j = 0; j < k; j++) {
        const error = Math.abs(pca.variances[j] / exact[j].value - 1);
        assert.ok(error < 1e-8, `eigenvalue ${j}: ${error}`);
        // Sine of the angle between each loading and the oracle's subspace of the same dimension.
        let inside = 0;
        for (let e = 0; e < k; e++) {
          let dot = 0;
          for (let i = 0; i < x.cols; i++) dot += pca.loadings.data[i * k + j] * exact[e].vector[i];
          inside += dot * dot;
        }
        assert.ok(Math.sqrt(Math.max(0, 1 - inside)) < 1e-6, `loading ${j} leaves the subspace`);
      }
    }
  });
}

const reference = backends[0].backend.leadingSubspace;

test("loadings are orthonormal and their largest element is positive", async () => {
  const x = data(80, 10, 0.6);
  const { loadings } = await principalComponents(
    x,
    "zscore",
    { kind: "count", count: 5 },
    reference,
  );
  for (let a = 0; a < 5; a++) {
    const column = Array.from({ length: 10 }, (_, i) => loadings.data[i * 5 + a]);
    assert.ok(Math.max(...column) >= -Math.min(...column));
    for (let b = 0; b <= a; b++) {
      const dot = column.reduce((sum, v, i) => sum + v * loadings.data[i * 5 + b], 0);
      assert.ok(Math.abs(dot - Number(a === b)) < 1e-10);
    }
  }
});

test("auto keeps 99 % of the variance within 2 to 16 components", async () => {
  const narrow = await principalComponents(data(60, 20, 0.1), "none", { kind: "auto" }, reference);
  assert.equal(narrow.loadings.cols, 2);
  const wide = await principalComponents(data(200, 40, 0.999), "none", { kind: "auto" }, reference);
  assert.equal(wide.loadings.cols, 16);
  const middle = await principalComponents(data(100, 30, 0.7), "none", { kind: "auto" }, reference);
  const kept = middle.explainedVariance;
  assert.ok(kept.reduce((sum, v) => sum + v, 0) >= 0.99);
  assert.ok(kept.slice(0, -1).reduce((sum, v) => sum + v, 0) < 0.99);
});

test("constant columns drop out, and other rows project as the pool's own", async () => {
  const x = data(50, 6, 0.8);
  for (let i = 0; i < 50; i++) x.data[i * 6 + 2] = 3.5;
  const pca = await principalComponents(x, "zscore", { kind: "count", count: 3 }, reference);
  assert.deepEqual([0, 1, 2].map((j) => Math.abs(pca.loadings.data[2 * 3 + j]) < 1e-12), [
    true,
    true,
    true,
  ]);
  assert.deepEqual(projectRows(x, pca).data, pca.scores.data);
});
