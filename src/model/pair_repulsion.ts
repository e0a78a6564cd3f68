import type { Graph } from "../frame.ts";
import { COULOMB, ZBL_BOHR, ZBL_EXPONENTS } from "../units.ts";
import { polynomialCutoff, polynomialCutoffSlope } from "./polynomial_cutoff.ts";
import type { ZblModel } from "./mace_model.ts";

/**
 * Ziegler-Biersack-Littmark repulsion of two atoms, the half that each of them is given, cut off at the
 * sum of the covalent radii; its energy before scaling, eV, and its derivative, eV/Å.
 *
 * @param r distance, Å
 * @param z1 atomic numbers
 */
export function pairEnergy(
  { coefficients, cutoffPower, exponent, prefactor, covalentRadii }: ZblModel,
  r: number,
  z1: number,
  z2: number,
): { energy: number; slope: number } {
  const reach = covalentRadii[z1] + covalentRadii[z2];
  if (r >= reach) return { energy: 0, slope: 0 };
  const envelope = polynomialCutoff(r, reach, cutoffPower);
  const a = prefactor * ZBL_BOHR / (z1 ** exponent + z2 ** exponent);
  let [screening, screeningSlope] = [0, 0];
  ZBL_EXPONENTS.forEach((k, i) => {
    const term = coefficients[i] * Math.exp(-k * r / a);
    screening += term;
    screeningSlope -= k / a * term;
  });
  const charge = 0.5 * COULOMB * z1 * z2 / r;
  return {
    energy: charge * screening * envelope,
    slope: charge * ((screeningSlope - screening / r) * envelope +
      screening * polynomialCutoffSlope(r, reach, cutoffPower)),
  };
}

/** Repulsion of every atom, half of each directed edge on its receiver, shape (n_atoms), eV. */
export function pairRepulsion(graph: Graph, r: Float64Array, zbl: ZblModel): Float64Array {
  const { species, sender, firstEdge } = graph;
  const energy = new Float64Array(graph.nAtoms);
  for (let n = 0; n < graph.nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      energy[n] += pairEnergy(zbl, r[e], species[sender[e]], species[n]).energy;
    }
  }
  return energy;
}

/** Adjoint of `pairRepulsion` where every atom's energy counts alike: dV/dr of every edge, shape (n_edges),
 * eV/Å. */
export function pairRepulsionAdjoint(graph: Graph, r: Float64Array, zbl: ZblModel): Float64Array {
  const { species, sender, firstEdge } = graph;
  const slopes = new Float64Array(graph.nEdges);
  for (let n = 0; n < graph.nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      slopes[e] = pairEnergy(zbl, r[e], species[sender[e]], species[n]).slope;
    }
  }
  return slopes;
}

/** Distance from which on no two atoms of a frame repel each other, Å. */
export function repulsionReach({ covalentRadii }: ZblModel, species: Uint8Array): number {
  return 2 * Math.max(...new Set(Array.from(species, (z) => covalentRadii[z])));
}

/**
 * Adds the repulsion of all edges within its reach to a prediction: energies before scaling, forces and virial, times `scale`.
 *
 * @param energy shape (n_atoms), eV before scaling
 * @param forces shape (n_atoms, 3), eV/Å
 * @param virial shape (3, 3), eV
 */
export function addRepulsion(
  { nAtoms, species, sender, firstEdge, vectors }: Graph,
  zbl: ZblModel,
  scale: number,
  energy: Float64Array,
  forces: Float64Array,
  virial: Float64Array,
): void {
  const longest = repulsionReach(zbl, species);
  for (let n = 0; n < nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const v = vectors.subarray(3 * e, 3 * e + 3);
      const r = Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
      if (r >= longest) continue;
      const j = sender[e];
      const pair = pairEnergy(zbl, r, species[j], species[n]);
      energy[n] += pair.energy;
      const factor = scale * pair.slope / r;
      for (let k = 0; k < 3; k++) {
        forces[3 * j + k] += factor * v[k];
        forces[3 * n + k] -= factor * v[k];
        for (let x = 0; x < 3; x++) virial[3 * x + k] -= factor * v[x] * v[k];
      }
    }
  }
}
