/** Density of each edge, tanh((b · w / √n_bessel)²), shape (n_edges). */
export function edgeDensity(basis: Float64Array, weight: Float64Array): Float64Array {
  const nb = weight.length;
  const out = new Float64Array(basis.length / nb);
  for (let e = 0; e < out.length; e++) {
    out[e] = Math.tanh(dot(basis, weight, e) ** 2);
  }
  return out;
}

/** Adjoint of `edgeDensity` for the radial embedding, added to `basisBar`. */
export function edgeDensityAdjoint(
  basis: Float64Array,
  weight: Float64Array,
  rhoBar: Float64Array,
  basisBar: Float64Array,
): void {
  const nb = weight.length;
  for (let e = 0; e < rhoBar.length; e++) {
    const slope = rhoBar[e] * slopeOf(dot(basis, weight, e)) / Math.sqrt(nb);
    for (let n = 0; n < nb; n++) basisBar[e * nb + n] += slope * weight[n];
  }
}

/** Adjoint of `edgeDensity` for its weights, added to `weightBar`. */
export function edgeDensityWeights(
  basis: Float64Array,
  weight: Float64Array,
  rhoBar: Float64Array,
  weightBar: Float64Array,
): void {
  const nb = weight.length;
  for (let e = 0; e < rhoBar.length; e++) {
    const slope = rhoBar[e] * slopeOf(dot(basis, weight, e)) / Math.sqrt(nb);
    for (let n = 0; n < nb; n++) weightBar[n] += slope * basis[e * nb + n];
  }
}

/** Tangent of `edgeDensity`. */
export function edgeDensityTangent(
  basis: Float64Array,
  weight: Float64Array,
  basisDot: Float64Array,
): Float64Array {
  const nb = weight.length;
  const out = new Float64Array(basis.length / nb);
  for (let e = 0; e < out.length; e++) {
    const [d, dDot] = [basis, basisDot].map((b) => dot(b, weight, e));
    out[e] = slopeOf(d) * dDot;
  }
  return out;
}

/** Tangent of `edgeDensityWeights`, added to `weightBarDot`. */
export function edgeDensityWeightsTangent(
  basis: Float64Array,
  weight: Float64Array,
  rhoBar: Float64Array,
  basisDot: Float64Array,
  rhoBarDot: Float64Array,
  weightBarDot: Float64Array,
): void {
  const nb = weight.length;
  for (let e = 0; e < rhoBar.length; e++) {
    const [d, dDot] = [basis, basisDot].map((b) => dot(b, weight, e));
    // d²/dd² tanh(d²) = 2 (1 - t²) - 8 d² t (1 - t²) with t = tanh(d²).
    const t = Math.tanh(d * d);
    const curvature = (1 - t * t) * (2 - 8 * d * d * t);
    const bar = rhoBar[e] * slopeOf(d) / Math.sqrt(nb);
    const barDot = (rhoBarDot[e] * slopeOf(d) + rhoBar[e] * curvature * dDot) / Math.sqrt(nb);
    for (let n = 0; n < nb; n++) {
      weightBarDot[n] += barDot * basis[e * nb + n] + bar * basisDot[e * nb + n];
    }
  }
}

/** d = b · w / √n_bessel of edge e. */
function dot(basis: Float64Array, weight: Float64Array, e: number): number {
  const nb = weight.length;
  let d = 0;
  for (let n = 0; n < nb; n++) d += basis[e * nb + n] * weight[n];
  return d / Math.sqrt(nb);
}

/** Derivative of tanh(d²). */
function slopeOf(d: number): number {
  return (1 - Math.tanh(d * d) ** 2) * 2 * d;
}
