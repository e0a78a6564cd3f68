import { cellVolume, type Frame, type Graph, receiverOf } from "../frame.ts";
import type { PredictionBar } from "./loss.ts";

/** Strain by sym(σ̄) / V of a frame, shape (3, 3); zeros without a volume. */
export function strainOf({ cell, pbc }: Frame, stressBar: Float64Array): Float64Array {
  const volume = pbc.every((periodic) => periodic) ? cellVolume(cell) : Infinity;
  return stressBar.map((s, i) => 0.5 * (s + stressBar[3 * (i % 3) + Math.floor(i / 3)]) / volume);
}

/**
 * How the vectors of a frame's edges change with τ when its atoms move by -τ F̄ and it is then strained by
 * τ sym(σ̄) / V, shape (n_edges, 3): the direction in which ∂E/∂θ is differentiated for a loss of forces and
 * stress.
 */
export function directionOf(
  frame: Frame,
  graph: Graph,
  { forces, stress }: Pick<PredictionBar, "forces" | "stress">,
): Float64Array {
  const { vectors, sender, nEdges } = graph;
  const receiver = receiverOf(graph);
  const strain = strainOf(frame, stress);
  const out = new Float64Array(3 * nEdges);
  for (let e = 0; e < nEdges; e++) {
    const [n, j] = [3 * receiver[e], 3 * sender[e]];
    const [x, y, z] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
    for (let k = 0; k < 3; k++) {
      const strained = x * strain[k] + y * strain[3 + k] + z * strain[6 + k];
      out[3 * e + k] = strained - forces[n + k] + forces[j + k];
    }
  }
  return out;
}
