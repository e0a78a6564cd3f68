import type { Graph } from "../frame.ts";
import { listedVectors, recordAt, takeRecords } from "./edges.ts";
import { GRADIENT_BLOCK } from "./edge_forces.ts";
import type { Run } from "./frame_run.ts";

/**
 * Tangents of the records of all listed edges.
 *
 * @param vectorsDot change of every edge's vector, shape (n_edges, 3), Å
 * @returns addresses, degree by degree
 */
export function describeTangents(
  { kernels, arena, model, edges: { edges, nListed } }: Run,
  graph: Graph,
  vectorsDot: Float64Array,
): number[] {
  const dots = takeRecords(arena, model.lMax, nListed);
  const mark = arena.mark();
  for (let first = 0; first < nListed; first += GRADIENT_BLOCK) {
    const last = Math.min(first + GRADIENT_BLOCK, nListed);
    const vectors = listedVectors(arena, graph, edges, first, last);
    const changes = listedVectors(arena, { vectors: vectorsDot }, edges, first, last);
    const [one, two, three] = [1, 2, 3].map((l) => recordAt(dots, Math.min(l, model.lMax), first));
    kernels.edge_tangents(
      ...[vectors, changes, one, two, three, last - first, model.lMax, model.nIntervals],
      model.rMax,
    );
    arena.release(mark);
  }
  return dots;
}
