import { type Matrix, matrix } from "../matrix.ts";
import { columnScaling, type Scaling, type Standardization, standardize } from "./standardize.ts";
import { applyCovariance, refineSubspace, times } from "./subspace.ts";

/** How many principal components to keep. */
export type ComponentChoice =
  /** As many as hold 99 % of the variance, within 2 … 16. */
  | { readonly kind: "auto" }
  | { readonly kind: "count"; readonly count: number }
  /** As many as hold this fraction of the variance, at most `MAX_COMPONENTS`. */
  | { readonly kind: "variance"; readonly fraction: number };

const MAX_COMPONENTS = 64;
const AUTO = { fraction: 0.99, least: 2, most: 16 };
/** Columns beyond the wanted ones that make subspace iteration converge fast. */
const GUARD = 8;

/** Principal components of standardised rows. */
export interface PrincipalComponents {
  /** How the rows were standardised. */
  readonly scaling: Scaling;
  /** Eigenvectors as columns, shape (d, K); the largest loading of each is positive. */
  readonly loadings: Matrix;
  /** Variance along each component, shape (K). */
  readonly variances: Float64Array;
  /** Share of the total variance of each component, shape (K). */
  readonly explainedVariance: Float64Array;
  /** Coordinates of the rows, shape (n, K). */
  readonly scores: Matrix;
}

/** What a backend knows of the leading subspace of the covariance of centred rows. */
export interface LeadingSubspace {
  /** Any matrix (d, m) whose columns lie near it. */
  readonly start: Matrix;
  /** The covariance itself, shape (d, d), where the backend has it in float64. */
  readonly covariance: Matrix | null;
}

/** Something near the m leading eigenvectors of the covariance of centred rows. */
export type FindSubspace = (centred: Matrix, m: number) => Promise<LeadingSubspace>;

/**
 * Principal components of the rows of X, shape (n, d): standardised, and exact in float64 whatever
 * precision `leadingSubspace` works in.
 */
export async function principalComponents(
  x: Matrix,
  standardization: Standardization,
  choice: ComponentChoice,
  leadingSubspace: FindSubspace,
): Promise<PrincipalComponents> {
  const scaling = columnScaling(x, standardization);
  const y = standardize(x, scaling);
  const most = choice.kind === "count"
    ? choice.count
    : choice.kind === "auto"
    ? AUTO.most
    : MAX_COMPONENTS;
  const m = Math.min(x.cols, most + GUARD);
  const wanted = Math.min(m, most);
  const { start, covariance } = await leadingSubspace(y, m);
  const apply = covariance
    ? (v: Matrix) => times(covariance, v)
    : (v: Matrix) => applyCovariance(y, v);
  const eigen = refineSubspace(apply, start, wanted);
  const values = eigen.values.subarray(0, wanted);
  const total = y.data.reduce((sum, value) => sum + value * value, 0) / Math.max(y.rows - 1, 1);
  const k = chooseCount(values, total, choice);
  const loadings = signed(eigen.vectors, k);
  const variances = Float64Array.from(values.subarray(0, k), (v) => Math.max(v, 0));
  return {
    scaling,
    loadings,
    variances,
    explainedVariance: variances.map((v) => (total > 0 ? v / total : 0)),
    scores: times(y, loadings),
  };
}

/** Coordinates of other rows in the same components. */
export function projectRows(x: Matrix, { scaling, loadings }: PrincipalComponents): Matrix {
  return times(standardize(x, scaling), loadings);
}

function chooseCount(values: Float64Array, total: number, choice: ComponentChoice): number {
  const rank = Math.max(1, values.filter((v) => v > 1e-12 * values[0]).length);
  if (choice.kind === "count") return Math.min(choice.count, rank);
  const fraction = choice.kind === "auto" ? AUTO.fraction : choice.fraction;
  let k = 0;
  for (let sum = 0; k < values.length && (k === 0 || sum / total < fraction); k++) {
    sum += Math.max(values[k], 0);
  }
  if (choice.kind === "auto") k = Math.min(Math.max(k, AUTO.least), AUTO.most);
  return Math.min(k, rank);
}

/** The first k columns, each with its largest loading made positive. */
function signed(vectors: Matrix, k: number): Matrix {
  const out = matrix(vectors.rows, k);
  for (let j = 0; j < k; j++) {
    let largest = 0;
    for (let i = 0; i < vectors.rows; i++) {
      const value = vectors.data[i * vectors.cols + j];
      if (Math.abs(value) > Math.abs(largest)) largest = value;
    }
    for (let i = 0; i < vectors.rows; i++) {
      out.data[i * k + j] = vectors.data[i * vectors.cols + j] * (largest < 0 ? -1 : 1);
    }
  }
  return out;
}
