import { chemicalSymbol, type Frame } from "../frame.ts";
import { ParseError } from "../errors.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import { covalentRadius } from "../covalent_radius.ts";

/** Pairs closer than this share of the sum of their covalent radii are not chemistry. */
export const TOO_CLOSE = 0.6;

/** The pair of a frame that is closest for its elements. */
export interface ClosestPair {
  readonly elements: string;
  /** Å. */
  readonly distance: number;
  /** Distance / sum of the covalent radii. */
  readonly ratio: number;
}

/** The closest pair among those with a ratio below `TOO_CLOSE`, or null; in words why none can be had. */
export function closestPair(frame: Frame): ClosestPair | string | null {
  const largest = Math.max(...new Set(frame.species).values().map(covalentRadius));
  let graph;
  try {
    graph = neighborList(frame, 2 * TOO_CLOSE * largest);
  } catch (error) {
    // Two atoms at one place, or a cell without volume: a graph cannot be had.
    if (error instanceof ParseError) return error.message.slice(error.where.length + 2);
    throw error;
  }
  const { nAtoms, firstEdge, sender, vectors, species } = graph;
  let closest: ClosestPair | null = null;
  for (let n = 0; n < nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const [a, b] = [species[n], species[sender[e]]];
      const distance = Math.hypot(vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]);
      const ratio = distance / (covalentRadius(a) + covalentRadius(b));
      if (ratio >= (closest?.ratio ?? TOO_CLOSE)) continue;
      const elements = [a, b].sort((x, y) => x - y).map(chemicalSymbol).join("-");
      closest = { elements, distance, ratio };
    }
  }
  return closest;
}
