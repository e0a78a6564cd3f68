import { type Graph, receiverOf } from "../frame.ts";

/** A pair counts fully below D_0 and not at all beyond D_MAX, Å. */
const [D_0, D_MAX] = [0.8, 1.1];
/** An atom is part of a molecule where its coordination is between these, smeared by σ = 0.2 (upper - lower). */
const [LOWER, UPPER] = [0.8, 1.2];
const SIGMA = 0.2 * (UPPER - LOWER);

/** Distance up to which the edges have to be known, Å. */
export const MOLECULAR_REACH: number = D_MAX;

/** Whether all atoms are hydrogen, for which alone molecules are told. */
export function isHydrogen(species: Uint8Array): boolean {
  return species.every((z) => z === 1);
}

/**
 * Coordination number of every atom with the cubic switch of Cheng et al. 2020 (PLUMED's CUBIC, D_0 0.8, D_MAX 1.1):
 * s = (y - 1)² (1 + 2 y) with y = (r - D_0) / (D_MAX - D_0).
 */
export function molecularCoordination(graph: Graph): Float64Array {
  const { vectors, nAtoms, nEdges } = graph;
  const receiver = receiverOf(graph);
  const out = new Float64Array(nAtoms);
  for (let e = 0; e < nEdges; e++) {
    const squared = vectors[3 * e] ** 2 + vectors[3 * e + 1] ** 2 + vectors[3 * e + 2] ** 2;
    if (squared >= D_MAX * D_MAX) continue;
    const y = (Math.sqrt(squared) - D_0) / (D_MAX - D_0);
    out[receiver[e]] += y <= 0 ? 1 : (y - 1) ** 2 * (1 + 2 * y);
  }
  return out;
}

/**
 * Share of atoms in molecules as PLUMED's BETWEEN has it (GAUSSIAN, SMEAR 0.2 of the interval): the mean over the
 * atoms of ½ erf((1.2 - CN) / √2 σ) - ½ erf((0.8 - CN) / √2 σ). A perfect molecule has 0.9876.
 */
export function molecularFraction(coordination: Float64Array): number {
  const root = Math.SQRT2 * SIGMA;
  const sum = coordination.reduce(
    (total, cn) => total + 0.5 * (erf((UPPER - cn) / root) - erf((LOWER - cn) / root)),
    0,
  );
  return sum / coordination.length;
}

/** Error function to the last digits: its series, and beyond 3 its continued fraction. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 3) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return sum * 2 / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)));
}
