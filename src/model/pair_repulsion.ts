import type { Graph } from "../frame.ts";
import { COULOMB, ZBL_BOHR, ZBL_EXPONENTS } from "../units.ts";
import type { ZblModel } from "./mace_model.ts";
import { polynomialCutoff, polynomialCutoffSlope } from "./radial_basis.ts";

/**
 * Ziegler-Biersack-Littmark repulsion, half of each directed edge on its receiver, cut off at the sum
 * of the covalent radii.
 *
 * @returns energies per atom before scaling, shape (n_atoms), eV
 */
export function pairRepulsion(graph: Graph, r: Float64Array, zbl: ZblModel): Float64Array {
  const { species, sender, firstEdge } = graph;
  const { coefficients, cutoffPower, exponent, prefactor, covalentRadii } = zbl;
  const energy = new Float64Array(graph.nAtoms);
  for (let n = 0; n < graph.nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const [zs, zr] = [species[sender[e]], species[n]];
      const envelope = polynomialCutoff(r[e], covalentRadii[zs] + covalentRadii[zr], cutoffPower);
      if (envelope === 0) continue;
      const a = prefactor * ZBL_BOHR / (zs ** exponent + zr ** exponent);
      let screening = 0;
      ZBL_EXPONENTS.forEach((k, i) => screening += coefficients[i] * Math.exp(-k * r[e] / a));
      energy[n] += 0.5 * COULOMB * zs * zr / r[e] * screening * envelope;
    }
  }
  return energy;
}

/** Adjoint of `pairRepulsion` where every atom's energy counts alike: dV/dr of every edge, shape (n_edges),
 * eV/Å. */
export function pairRepulsionAdjoint(graph: Graph, r: Float64Array, zbl: ZblModel): Float64Array {
  const { species, sender, firstEdge } = graph;
  const { coefficients, cutoffPower, exponent, prefactor, covalentRadii } = zbl;
  const slopes = new Float64Array(graph.nEdges);
  for (let n = 0; n < graph.nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const [zs, zr] = [species[sender[e]], species[n]];
      const reach = covalentRadii[zs] + covalentRadii[zr];
      const envelope = polynomialCutoff(r[e], reach, cutoffPower);
      if (envelope === 0) continue;
      const a = prefactor * ZBL_BOHR / (zs ** exponent + zr ** exponent);
      let [screening, slope] = [0, 0];
      ZBL_EXPONENTS.forEach((k, i) => {
        const term = coefficients[i] * Math.exp(-k * r[e] / a);
        screening += term;
        slope -= k / a * term;
      });
      const charge = 0.5 * COULOMB * zs * zr / r[e];
      slopes[e] = charge * ((slope - screening / r[e]) * envelope +
        screening * polynomialCutoffSlope(r[e], reach, cutoffPower));
    }
  }
  return slopes;
}
