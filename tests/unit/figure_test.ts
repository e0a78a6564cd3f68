import assert from "node:assert/strict";
import { test } from "node:test";
import { methodCurves, panel } from "../../src/report/comparison.ts";
import { matrix } from "../../src/matrix.ts";
import { normalNumbers } from "../support.ts";

const TEXTS = { title: "errors", label: "error, meV/atom" };

/** Centres of all dots, in pixels. */
function dots(svg: string): number[][] {
  return [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map(([, x, y]) => [+x, +y]);
}

test("curves have a dot in the frame for every mean: one size, equal values, zeros", () => {
  const cases: [string, number, number[]][][] = [
    [["fps", 25, [0.3, 0.3]]],
    [["fps", 25, [0, 0]], ["random", 25, [0, 0]]],
    [["fps", 10, [3, 2]], ["fps", 40, [0, 0]], ["random", 10, [4, 5]], ["random", 40, [0, 0]]],
    [["fps", 10, [30, 1]], ["fps", 20, [2e-3, 1e-3]]],
  ];
  for (const rows of cases) {
    const svg = methodCurves(
      rows.map(([method, size, values]) => ({ method, size, values })),
      TEXTS,
    );
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
    const found = dots(svg);
    assert.equal(found.length, rows.length);
    for (const [x, y] of found) assert.ok(x >= 64 && x <= 434 && y >= 16 && y <= 328, `${x} ${y}`);
  }
});

test("a smaller mean is lower, on a logarithmic axis by the same way for the same factor", () => {
  const rows = [10, 20, 40].map((size, k) => ({ method: "fps", size, values: [8 / 2 ** k] }));
  const [a, b, c] = dots(methodCurves(rows, TEXTS)).map(([, y]) => y);
  assert.ok(a < b && b < c);
  assert.ok(Math.abs((b - a) - (c - b)) <= 0.2, `${a} ${b} ${c}`);
});

test("panels show every chosen frame and thin the others", () => {
  const points = matrix(20_000, 2, normalNumbers(1, 40_000));
  const svg = panel("fps", points, [0, 19_999, 7]);
  assert.equal(dots(svg).length, 5_000 + 3);
  assert.doesNotMatch(svg, /NaN|undefined/);
});
