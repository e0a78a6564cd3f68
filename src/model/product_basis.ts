import { type Contraction, NO_FACTOR } from "./mace_model.ts";

/** Coefficients of the monomials for one element: basis · weights[z], shape (n_terms, C). */
export function elementCoefficients(
  contraction: Contraction,
  element: number,
  channels: number,
): Float64Array {
  const { nTerms, nPaths, basis, weights } = contraction;
  const out = new Float64Array(nTerms * channels);
  for (let t = 0; t < nTerms; t++) {
    for (let k = 0; k < nPaths; k++) {
      const b = basis[t * nPaths + k];
      if (b === 0) continue;
      const w = (element * nPaths + k) * channels;
      for (let c = 0; c < channels; c++) out[t * channels + c] += b * weights[w + c];
    }
  }
  return out;
}

/**
 * Adjoint of `elementCoefficients` for the weights of the paths.
 *
 * @param bar adjoint of the coefficients, shape (n_terms, stride)
 * @param weightsBar added to, shape (n_elements, n_paths, C)
 */
export function addCoefficientWeights(
  { nTerms, nPaths, basis }: Contraction,
  element: number,
  channels: number,
  bar: ArrayLike<number>,
  stride: number,
  weightsBar: Float64Array,
): void {
  for (let t = 0; t < nTerms; t++) {
    for (let k = 0; k < nPaths; k++) {
      const b = basis[t * nPaths + k];
      if (b === 0) continue;
      const w = (element * nPaths + k) * channels;
      for (let c = 0; c < channels; c++) weightsBar[w + c] += b * bar[t * stride + c];
    }
  }
}

/**
 * Symmetric contraction of one degree l: sparse polynomials of degree at most 3 in the components
 * of the atomic basis, evaluated channel by channel (MACE eq. 11, U matrices symmetrised).
 *
 * @param x messages, shape (n_atoms, d, C)
 * @param coefficients of each element, shape (n_terms, C), by `elementCoefficients`
 * @param elements element of each atom, shape (n_atoms)
 * @returns shape (n_atoms, 2l + 1, C)
 */
export function productBasis(
  x: Float64Array,
  contraction: Contraction,
  coefficients: readonly Float64Array[],
  elements: ArrayLike<number>,
  shape: { d: number; channels: number },
): Float64Array {
  const { l, nTerms, component, indices } = contraction;
  const { d, channels: C } = shape;
  const nAtoms = elements.length;
  const out = new Float64Array(nAtoms * (2 * l + 1) * C);
  for (let n = 0; n < nAtoms; n++) {
    const w = coefficients[elements[n]];
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const [i, j, k] = [indices[3 * t], indices[3 * t + 1], indices[3 * t + 2]];
      for (let c = 0; c < C; c++) {
        let monomial = w[t * C + c] * x[from + i * C + c];
        if (j !== NO_FACTOR) monomial *= x[from + j * C + c];
        if (k !== NO_FACTOR) monomial *= x[from + k * C + c];
        out[target + c] += monomial;
      }
    }
  }
  return out;
}

/**
 * Adjoint of `productBasis` for its messages: x̄_i += Σ_M B̄_M ∂B_M/∂x_i.
 *
 * @param outBar adjoint of the product basis, shape (n_atoms, 2l + 1, C)
 * @param xBar added to, shape (n_atoms, d, C)
 */
export function productBasisAdjoint(
  x: Float64Array,
  contraction: Contraction,
  coefficients: readonly Float64Array[],
  elements: ArrayLike<number>,
  shape: { d: number; channels: number },
  outBar: Float64Array,
  xBar: Float64Array,
): void {
  const { l, nTerms, component, indices } = contraction;
  const { d, channels: C } = shape;
  for (let n = 0; n < elements.length; n++) {
    const w = coefficients[elements[n]];
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const factors = factorsOf(indices, t);
      factors.forEach((i, f) => {
        const others = factors.filter((_, g) => g !== f);
        for (let c = 0; c < C; c++) {
          let slope = w[t * C + c] * outBar[target + c];
          for (const j of others) slope *= x[from + j * C + c];
          xBar[from + i * C + c] += slope;
        }
      });
    }
  }
}

/**
 * Adjoint of `productBasis` for the weights of its paths:
 * W̄[z, k, c] += Σ_t basis[t, k] Σ_{n of z} B̄[n, M_t, c] · (monomial t of x[n, :, c]).
 *
 * @param weightsBar added to, shape (n_elements, n_paths, C)
 */
export function productBasisWeights(
  x: Float64Array,
  { l, nTerms, nPaths, component, indices, basis }: Contraction,
  elements: ArrayLike<number>,
  { d, channels: C }: { d: number; channels: number },
  outBar: Float64Array,
  weightsBar: Float64Array,
): void {
  const sums = new Map<number, Float64Array>();
  for (let n = 0; n < elements.length; n++) {
    const z = elements[n];
    let own = sums.get(z);
    if (!own) sums.set(z, own = new Float64Array(nTerms * C));
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const [i, j, k] = [indices[3 * t], indices[3 * t + 1], indices[3 * t + 2]];
      for (let c = 0; c < C; c++) {
        let monomial = outBar[target + c] * x[from + i * C + c];
        if (j !== NO_FACTOR) monomial *= x[from + j * C + c];
        if (k !== NO_FACTOR) monomial *= x[from + k * C + c];
        own[t * C + c] += monomial;
      }
    }
  }
  for (const [z, own] of sums) {
    for (let t = 0; t < nTerms; t++) {
      for (let k = 0; k < nPaths; k++) {
        const b = basis[t * nPaths + k];
        if (b === 0) continue;
        for (let c = 0; c < C; c++) weightsBar[(z * nPaths + k) * C + c] += b * own[t * C + c];
      }
    }
  }
}

/** Tangent of `productBasis`: Ḃ_M = Σ_t w_t Σ_f ẋ_f Π_{g ≠ f} x_g. */
export function productBasisTangent(
  x: Float64Array,
  xDot: Float64Array,
  { l, nTerms, component, indices }: Contraction,
  coefficients: readonly Float64Array[],
  elements: ArrayLike<number>,
  { d, channels: C }: { d: number; channels: number },
): Float64Array {
  const out = new Float64Array(elements.length * (2 * l + 1) * C);
  for (let n = 0; n < elements.length; n++) {
    const w = coefficients[elements[n]];
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const factors = factorsOf(indices, t);
      factors.forEach((i, f) => {
        const others = factors.filter((_, g) => g !== f);
        for (let c = 0; c < C; c++) {
          let part = w[t * C + c] * xDot[from + i * C + c];
          for (const j of others) part *= x[from + j * C + c];
          out[target + c] += part;
        }
      });
    }
  }
  return out;
}

/** Tangent of `productBasisAdjoint` where x moves and B̄ does not:
 * Σ_t w_t B̄_M Σ_{g ≠ f} ẋ_g Π_{others} x, added to `xBarDot` of each factor f. */
export function productBasisAdjointTangent(
  x: Float64Array,
  xDot: Float64Array,
  { l, nTerms, component, indices }: Contraction,
  coefficients: readonly Float64Array[],
  elements: ArrayLike<number>,
  { d, channels: C }: { d: number; channels: number },
  outBar: Float64Array,
  xBarDot: Float64Array,
): void {
  for (let n = 0; n < elements.length; n++) {
    const w = coefficients[elements[n]];
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const factors = factorsOf(indices, t);
      factors.forEach((i, f) =>
        factors.forEach((j, g) => {
          if (g === f) return;
          const others = factors.filter((_, k) => k !== f && k !== g);
          for (let c = 0; c < C; c++) {
            let part = w[t * C + c] * outBar[target + c] * xDot[from + j * C + c];
            for (const k of others) part *= x[from + k * C + c];
            xBarDot[from + i * C + c] += part;
          }
        })
      );
    }
  }
}

/** Tangent of `productBasisWeights` where x moves and B̄ does not, added to `weightsBarDot`. */
export function productBasisWeightsTangent(
  x: Float64Array,
  xDot: Float64Array,
  contraction: Contraction,
  elements: ArrayLike<number>,
  { d, channels: C }: { d: number; channels: number },
  outBar: Float64Array,
  weightsBarDot: Float64Array,
): void {
  const { l, nTerms, nPaths, component, indices, basis } = contraction;
  for (let n = 0; n < elements.length; n++) {
    const from = n * d * C;
    for (let t = 0; t < nTerms; t++) {
      const target = (n * (2 * l + 1) + component[t]) * C;
      const factors = factorsOf(indices, t);
      for (let c = 0; c < C; c++) {
        let monomialDot = 0;
        factors.forEach((i, f) => {
          let part = xDot[from + i * C + c];
          factors.forEach((j, g) => {
            if (g !== f) part *= x[from + j * C + c];
          });
          monomialDot += part;
        });
        for (let k = 0; k < nPaths; k++) {
          const b = basis[t * nPaths + k];
          if (b === 0) continue;
          weightsBarDot[(elements[n] * nPaths + k) * C + c] += b * outBar[target + c] * monomialDot;
        }
      }
    }
  }
}

/** Components that monomial t multiplies, one to three. */
function factorsOf(indices: Uint8Array, t: number): number[] {
  return [...indices.subarray(3 * t, 3 * t + 3)].filter((i) => i !== NO_FACTOR);
}
