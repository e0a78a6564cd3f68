import { type Matrix, matrix } from "../matrix.ts";
import { covariance } from "./covariance.ts";
import { columnScaling, standardize } from "./standardize.ts";
import { leadingColumns, symmetricEigen } from "./symmetric_eigen.ts";
import { times } from "./subspace.ts";

/**
 * Coordinates as DIRECT clusters them: z-scored features, the principal components whose variance is
 * above 1 (Kaiser's rule; the first where none is), each multiplied by its share of the variance.
 *
 * @param x features, shape (n, d)
 * @returns shape (n, m)
 */
export function kaiserScores(x: Matrix): Matrix {
  const y = standardize(x, columnScaling(x, "zscore"));
  const { values, vectors } = symmetricEigen(covariance(y));
  const total = values.reduce((sum, v) => sum + Math.max(v, 0), 0);
  const m = Math.max(1, values.filter((v) => v > 1).length);
  const scores = times(y, leadingColumns(vectors, m));
  const out = matrix(scores.rows, m);
  scores.data.forEach((s, at) => out.data[at] = total > 0 ? s * values[at % m] / total : 0);
  return out;
}
