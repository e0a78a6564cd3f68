import { type Graph, receiverOf } from "../frame.ts";
import { pairEnergy } from "../model/pair_repulsion.ts";
import type { ZblModel } from "../model/mace_model.ts";
import { RECORDS } from "./edges.ts";
import type { Run } from "./frame_run.ts";

/** Edges whose gradients are evaluated at a time. */
export const GRADIENT_BLOCK = 4096;

/** Addresses of the adjoints of the records of every degree, zeros; degrees 0 and 1 share theirs. */
export function zeroRecords({ arena, model: { lMax }, edges: { nListed } }: Run): number[] {
  const bars: number[] = [];
  for (let l = Math.min(lMax, 1); l <= lMax; l++) {
    const bar = arena.take(4 * nListed * RECORDS[l]);
    new Float32Array(arena.memory.buffer, bar, nListed * RECORDS[l]).fill(0);
    bars.push(bar);
  }
  return lMax > 0 ? [bars[0], ...bars] : bars;
}

/**
 * Adds the forces and the virial of every pair of atoms. Of each pair one edge is listed, and g is
 * what both its directions feel.
 *
 * @param repulsion adds the pair repulsion, its slope times `scale`; null without one
 */
export function addForces(
  run: Run,
  graph: Graph,
  recordsBar: readonly number[],
  repulsion: { zbl: ZblModel; scale: number } | null,
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
    block.forEach((edge, i) => {
      const [n, j] = [receiver[edge], graph.sender[edge]];
      const v = graph.vectors.subarray(3 * edge, 3 * edge + 3);
      const g = gradients.subarray(3 * i, 3 * i + 3);
      if (repulsion) addRepulsion(repulsion, v, graph.species[n], graph.species[j], g);
      for (let k = 0; k < 3; k++) {
        forces[3 * j + k] += g[k];
        forces[3 * n + k] -= g[k];
        for (let x = 0; x < 3; x++) {
          const moment = 0.5 * v[x] * g[k];
          virial[3 * x + k] -= moment;
          virial[3 * k + x] -= moment;
        }
      }
    });
    arena.release(mark);
  }
}

/** Gradients of some listed edges by the kernel, shape (n, 3), eV/Å. */
function blockGradients(
  { kernels, arena, model }: Run,
  { vectors }: Graph,
  recordsBar: readonly number[],
  first: number,
  block: Uint32Array,
): Float64Array {
  const n = block.length;
  const at = arena.take(24 * n);
  const to = new Float64Array(arena.memory.buffer, at, 3 * n);
  block.forEach((edge, i) => to.set(vectors.subarray(3 * edge, 3 * edge + 3), 3 * i));
  const out = arena.take(24 * n);
  const [one, two, three] = [1, 2, 3].map((l) => {
    const degree = Math.min(l, model.lMax);
    return recordsBar[degree] + 4 * first * RECORDS[degree];
  });
  kernels.edge_gradients(at, one, two, three, out, n, model.lMax, model.nIntervals, model.rMax);
  return new Float64Array(arena.memory.buffer, out, 3 * n);
}

/** The repulsion of both atoms of a pair. */
function addRepulsion(
  { zbl, scale }: { zbl: ZblModel; scale: number },
  v: Float64Array,
  z1: number,
  z2: number,
  g: Float64Array,
): void {
  const r = Math.hypot(v[0], v[1], v[2]);
  const factor = 2 * scale * pairEnergy(zbl, r, z1, z2).slope / r;
  for (let k = 0; k < 3; k++) g[k] += factor * v[k];
}
