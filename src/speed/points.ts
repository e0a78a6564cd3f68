/** Points and columns on which counting and principal components are timed. */
import { type Matrix, matrix } from "../matrix.ts";
import { normalNumbers } from "./inputs.ts";

/** Points around 40 centres. */
export function clusteredPoints(n: number, d: number): Matrix {
  const points = matrix(n, d);
  const centres = normalNumbers(8, 40 * d);
  normalNumbers(7, n * d).forEach((x, i) => {
    const [point, k] = [Math.floor(i / d), i % d];
    points.data[i] = 2 * centres[(point % 40) * d + k] + x;
  });
  return points;
}

/** A radius within which about 1 % of the points lie. */
export function onePercentRadius(points: Matrix): number {
  const { data, rows, cols } = points;
  const distances = Float64Array.from({ length: 20000 }, (_, t) => {
    const [i, j] = [(t * 7919) % rows, (t * 104729 + 1) % rows];
    let d2 = 0;
    for (let k = 0; k < cols; k++) d2 += (data[i * cols + k] - data[j * cols + k]) ** 2;
    return Math.sqrt(d2);
  }).sort();
  return distances[200];
}

/** Columns of noise around zero whose size falls by 5 % from one to the next. */
export function decayingColumns(n: number, d: number): Matrix {
  const x = matrix(n, d);
  const noise = normalNumbers(3, 2 ** 18);
  x.data.forEach((_, i) => x.data[i] = noise[(i * 7919) % 2 ** 18] * 0.95 ** (i % d));
  const mean = new Float64Array(d);
  x.data.forEach((value, i) => mean[i % d] += value / n);
  x.data.forEach((_, i) => x.data[i] -= mean[i % d]);
  return x;
}
