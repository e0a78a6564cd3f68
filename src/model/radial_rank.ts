import { Matrix as MlMatrix, QrDecomposition, SingularValueDecomposition } from "ml-matrix";
import { type MaceLayer, type MaceModel } from "./mace_model.ts";
import { hiddenValues, type RadialFunctions, radialFunctions } from "./radial_table.ts";

/** Share of the radial functions, root mean square, that the factorisation may lose. */
const TOLERANCE = 1e-7;
/** Distances at which the functions are compared, evenly spaced in √r. */
const SAMPLES = 512;

/** Radial functions R_f(r) = Σ_q φ_q(r) V[q, f] of few independent ones. */
export interface FactorisedRadial {
  readonly rank: number;
  /** φ, as many as the rank. */
  readonly functions: RadialFunctions;
  /** V with orthonormal rows, shape (rank, n_paths · C). */
  readonly mixing: Float64Array;
}

/**
 * The first layer's radial functions are hundreds, but nearly dependent: their singular values fall
 * by a decade for every three. φ are the projections on the leading right singular vectors, V.
 *
 * The last layer of the radial MLP is linear, R = z(r) W with at most 64 hidden values z, so that with
 * z = Q T at the sampled distances the singular vectors of R are those of the small matrix T W.
 */
export function fewRadial(
  model: MaceModel,
  layer: MaceLayer,
  sender: number,
  receiver: number,
): FactorisedRadial {
  const functions = radialFunctions(model, layer, sender, receiver);
  const width = functions.widths[functions.widths.length - 1];
  const nFunctions = functions.last.length / width;
  const r = Float64Array.from(
    { length: SAMPLES },
    (_, i) => model.rMax * ((i + 0.5) / SAMPLES) ** 2,
  );
  const z = MlMatrix.from1DArray(SAMPLES, width, hiddenValues(functions)(r));
  const w = MlMatrix.from1DArray(width, nFunctions, functions.last);
  const t = new QrDecomposition(z).upperTriangularMatrix;
  const svd = new SingularValueDecomposition(t.mmul(w).transpose(), {
    computeLeftSingularVectors: true,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  const rank = leadingRank(svd.diagonal);
  const v = svd.leftSingularVectors.subMatrix(0, nFunctions - 1, 0, rank - 1);
  return {
    rank,
    functions: { ...functions, last: Float64Array.from(w.mmul(v).to1DArray()) },
    mixing: Float64Array.from(v.transpose().to1DArray()),
  };
}

/** The hidden values of the radial MLP themselves: φ = z and V = W / √k, for gradients of both. */
export function hiddenRadial(
  model: MaceModel,
  layer: MaceLayer,
  sender: number,
  receiver: number,
): FactorisedRadial {
  const functions = radialFunctions(model, layer, sender, receiver);
  const k = functions.widths[functions.widths.length - 1];
  const last = new Float64Array(k * k);
  for (let q = 0; q < k; q++) last[q * k + q] = Math.sqrt(k);
  return {
    rank: k,
    functions: { ...functions, last },
    mixing: functions.last.map((w) => w / Math.sqrt(k)),
  };
}

/** The smallest rank beyond which the singular values are negligible. */
function leadingRank(singularValues: readonly number[]): number {
  const total = singularValues.reduce((sum, s) => sum + s * s, 0);
  let tail = 0;
  let rank = singularValues.length;
  while (rank > 1) {
    tail += singularValues[rank - 1] ** 2;
    if (tail > TOLERANCE ** 2 * total) break;
    rank--;
  }
  return rank;
}
