import type { AgnesiTransform, RadialModel } from "./mace_model.ts";
import { polynomialCutoff, polynomialCutoffSlope } from "./polynomial_cutoff.ts";

/** Agnesi transform of a distance, 1 / (1 + a y^q / (1 + y^(q - p))) with y = r / r0. */
export function agnesi(r: number, r0: number, { q, p, a }: AgnesiTransform): number {
  const y = r / r0;
  return 1 / (1 + a * y ** p / (1 + y ** (p - q)));
}

/** Derivative of `agnesi` with respect to r, 1/Å. */
function agnesiSlope(r: number, r0: number, transform: AgnesiTransform): number {
  const { q, p, a } = transform;
  const y = r / r0;
  const below = 1 + y ** (p - q);
  const slope = a * (p * y ** (p - 1) * below - (p - q) * y ** (2 * p - q - 1)) / below ** 2;
  return -(agnesi(r, r0, transform) ** 2) * slope / r0;
}

/** r0 of the Agnesi transform: the mean of both covalent radii, Å. */
function agnesiLength(transform: AgnesiTransform, z1: number, z2: number): number {
  return 0.5 * (transform.covalentRadii[z1] + transform.covalentRadii[z2]);
}

/**
 * Radial embedding b_n(r) = prefactor · sin(w_n t) / t · f_cut(r), where t is r or its Agnesi transform.
 *
 * @param r edge lengths, shape (n_edges), Å
 * @param senders atomic numbers of the senders, shape (n_edges)
 * @param receivers atomic numbers of the receivers, shape (n_edges)
 * @returns shape (n_edges, n_bessel)
 */
export function radialBasis(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
): Float64Array {
  const { bessel, prefactor, cutoffPower, agnesi: transform } = model;
  const nb = bessel.length;
  const out = new Float64Array(r.length * nb);
  for (let e = 0; e < r.length; e++) {
    const t = transform
      ? agnesi(r[e], agnesiLength(transform, senders[e], receivers[e]), transform)
      : r[e];
    const factor = prefactor / t * polynomialCutoff(r[e], rMax, cutoffPower);
    for (let n = 0; n < nb; n++) out[e * nb + n] = factor * Math.sin(bessel[n] * t);
  }
  return out;
}

/** Derivatives of `radialBasis` with respect to r, shape (n_edges, n_bessel), 1/Å. */
function radialSlopes(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
): Float64Array {
  const { bessel, prefactor, cutoffPower, agnesi: transform } = model;
  const nb = bessel.length;
  const out = new Float64Array(r.length * nb);
  for (let e = 0; e < r.length; e++) {
    const r0 = transform ? agnesiLength(transform, senders[e], receivers[e]) : 1;
    const t = transform ? agnesi(r[e], r0, transform) : r[e];
    const dt = transform ? agnesiSlope(r[e], r0, transform) : 1;
    const cutoff = polynomialCutoff(r[e], rMax, cutoffPower);
    const slope = polynomialCutoffSlope(r[e], rMax, cutoffPower);
    for (let n = 0; n < nb; n++) {
      const [sin, cos] = [Math.sin(bessel[n] * t), Math.cos(bessel[n] * t)];
      const inner = (bessel[n] * cos - sin / t) / t * dt * cutoff + sin / t * slope;
      out[e * nb + n] = prefactor * inner;
    }
  }
  return out;
}

/**
 * Adjoint of `radialBasis` for the distances.
 *
 * @param basisBar shape (n_edges, n_bessel)
 * @returns shape (n_edges), 1/Å
 */
export function radialBasisAdjoint(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
  basisBar: Float64Array,
): Float64Array {
  const nb = model.bessel.length;
  const out = new Float64Array(r.length);
  radialSlopes(r, senders, receivers, model, rMax).forEach((slope, i) =>
    out[Math.floor(i / nb)] += basisBar[i] * slope
  );
  return out;
}

/**
 * Tangent of `radialBasis`.
 *
 * @param rDot shape (n_edges), Å
 * @returns shape (n_edges, n_bessel)
 */
export function radialBasisTangent(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
  rDot: Float64Array,
): Float64Array {
  const nb = model.bessel.length;
  return radialSlopes(r, senders, receivers, model, rMax)
    .map((slope, i) => slope * rDot[Math.floor(i / nb)]);
}
