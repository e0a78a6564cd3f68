import type { TableSource } from "./bake_tables.ts";
import { edgeDensityWeightsTangent } from "./edge_density.ts";
import { knotBasis, tabulateAdjoint } from "./radial_table.ts";
import { radialMlpWeightsTangent } from "./radial_weights.ts";

/** What the tables of one class of pairs and one layer mean for the numbers that they are made of. */
export interface TableGradient {
  /** Like the weights of the radial MLP. */
  readonly radialMlp: readonly Float64Array[];
  /** Null without a density. */
  readonly densityWeight: Float64Array | null;
}

/**
 * Adjoint of `bakeTable` and `bakeDensity` of class k. The values and slopes at the knots that a table is made of are
 * a function of the distance and its tangent.
 *
 * @param tableBar shape (n_intervals, n_radials, width, 4)
 * @param densityBar shape (n_intervals, 4), or null
 */
export function tableGradient(
  { radials, nRadials, width, densityWeight }: TableSource,
  k: number,
  nIntervals: number,
  tableBar: Float32Array,
  densityBar: Float32Array | null,
): TableGradient {
  const functions = radials[k];
  const { hidden, widths, last, siluScale } = functions;
  const { basis, slopes } = knotBasis(functions, nIntervals);
  const nColumns = last.length / widths[hidden.length];
  const columns = nColumns / nRadials;
  const bar = new Float64Array(4 * nIntervals * nColumns);
  for (let row = 0; row < nIntervals * nRadials; row++) {
    const from = 4 * row * width;
    bar.set(tableBar.subarray(from, from + 4 * columns), 4 * row * columns);
  }
  const [valuesBar, slopesBar] = tabulateAdjoint(bar, nIntervals);
  const mlp = { radialMlp: [...hidden, last], radialWidths: [...widths, nColumns] };
  const radialMlp = mlp.radialMlp.map((weight) => new Float64Array(weight.length));
  radialMlpWeightsTangent(basis, mlp, siluScale, slopesBar, slopes, valuesBar, radialMlp);
  if (!densityWeight || !densityBar) return { radialMlp, densityWeight: null };
  const [densities, densitySlopes] = tabulateAdjoint(densityBar, nIntervals);
  const out = new Float64Array(densityWeight.length);
  edgeDensityWeightsTangent(basis, densityWeight, densitySlopes, slopes, densities, out);
  return { radialMlp, densityWeight: out };
}
