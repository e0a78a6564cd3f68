import { type Graph, receiverOf } from "../frame.ts";
import { listedVectors, recordAt, recordNumbers, takeRecords } from "./edges.ts";
import type { Run } from "./frame_run.ts";

/** Edges whose gradients are evaluated at a time. */
export const GRADIENT_BLOCK = 4096;

/** Addresses of the adjoints of the records of every degree, zeros. */
export function zeroRecords({ arena, model: { lMax }, edges: { nListed } }: Run): number[] {
  const bars = takeRecords(arena, lMax, nListed);
  new Float32Array(arena.memory.buffer, bars[0], nListed * recordNumbers(lMax)).fill(0);
  return bars;
}

/**
 * Adds the forces and the virial of every pair of atoms. Of each pair one edge is listed, and g is
 * what both its directions feel.
 */
export function addForces(
  run: Run,
  graph: Graph,
  recordsBar: readonly number[],
  forces: Float64Array,
  virial: Float64Array,
): void {
  const { arena, edges: { edges, nListed } } = run;
  const listed = new Uint32Array(arena.memory.buffer, edges, nListed);
  const receiver = receiverOf(graph);
  const mark = arena.mark();
  for (let first = 0; first < nListed; first += GRADIENT_BLOCK) {
    const block = listed.subarray(first, first + GRADIENT_BLOCK);
    const gradients = blockGradients(run, graph, recordsBar, first, block);
    for (let i = 0; i < block.length; i++) {
      const edge = block[i];
      const n = 3 * receiver[edge];
      const j = 3 * graph.sender[edge];
      for (let k = 0; k < 3; k++) {
        const g = gradients[3 * i + k];
        forces[j + k] += g;
        forces[n + k] -= g;
        for (let x = 0; x < 3; x++) {
          const moment = 0.5 * graph.vectors[3 * edge + x] * g;
          virial[3 * x + k] -= moment;
          virial[3 * k + x] -= moment;
        }
      }
    }
    arena.release(mark);
  }
}

/** Gradients of some listed edges by the kernel, shape (n, 3), eV/Å. */
function blockGradients(
  { kernels, arena, model, edges }: Run,
  graph: Graph,
  recordsBar: readonly number[],
  first: number,
  block: Uint32Array,
): Float64Array {
  const n = block.length;
  const at = listedVectors(arena, graph, edges.edges, first, first + n);
  const out = arena.take(24 * n);
  const [one, two, three] = [1, 2, 3].map((l) =>
    recordAt(recordsBar, Math.min(l, model.lMax), first)
  );
  kernels.edge_gradients(at, one, two, three, out, n, model.lMax, model.nIntervals, model.rMax);
  return new Float64Array(arena.memory.buffer, out, 3 * n);
}
