import { type Matrix, squaredDistance } from "../matrix.ts";

/** Rows closer than this share of the r.m.s. row norm are the same configuration. */
const DUPLICATE_TOLERANCE = 1e-6;

/**
 * Representative of every row: the first row (in the given order) within 1e-6 of the r.m.s. row norm.
 * A row without duplicates represents itself.
 *
 * Rows are sorted by their projection on one direction, where equal rows follow each other; of the
 * others only those whose projections are close are compared, so the cost is near linear.
 *
 * @param x features, shape (n, d), rows in canonical order
 */
export function representatives(x: Matrix): Uint32Array {
  const { data, rows, cols } = x;
  const norm = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / Math.max(rows, 1));
  const tolerance = DUPLICATE_TOLERANCE * norm;
  // Any fixed unit direction does; irrational steps keep it away from symmetric combinations.
  const direction = Float64Array.from({ length: cols }, (_, j) => Math.sin(1 + j * Math.SQRT2));
  const length = Math.hypot(...direction);
  const projection = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) projection[i] += data[i * cols + j] * direction[j] / length;
  }
  const order = Uint32Array.from({ length: rows }, (_, i) => i)
    .sort((a, b) => projection[a] - projection[b] || a - b);
  const representative = Uint32Array.from({ length: rows }, (_, i) => i);
  const different = order.filter((row, p) => {
    const equal = p > 0 && squaredDistance(x, order[p - 1], x, row) === 0;
    if (equal) join(representative, order[p - 1], row);
    return !equal;
  });
  for (let p = 0; p < different.length; p++) {
    for (let q = p + 1; q < different.length; q++) {
      const [a, b] = [different[p], different[q]];
      if (projection[b] - projection[a] > tolerance) break;
      if (squaredDistance(x, a, x, b) <= tolerance * tolerance) join(representative, a, b);
    }
  }
  return representative.map((_, i) => root(representative, i));
}

function root(parent: Uint32Array, i: number): number {
  while (parent[i] !== i) i = parent[i];
  return i;
}

function join(parent: Uint32Array, a: number, b: number): void {
  const [ra, rb] = [root(parent, a), root(parent, b)];
  parent[Math.max(ra, rb)] = Math.min(ra, rb);
}
