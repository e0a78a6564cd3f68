import type { Frame, Graph } from "../frame.ts";
import type { Arena } from "./arena.ts";
import type { Kernels } from "./memory.ts";
import type { StoredModel } from "./weights.ts";

/** Pairs whose intermediate sums are held at a time; they should fit the second-level cache. */
export const BLOCK_PAIRS = 4096;

/** Numbers of an edge's record per degree l. */
export const RECORDS = [4, 4, 8, 8];

/** Pairs and edges of one frame in scratch memory, atoms by rank; see `src/wasm/pair_list.ts`. */
export interface Edges {
  readonly nAtoms: number;
  /** Atoms element by element, shape (n_atoms): `order[rank]` is the atom. */
  readonly order: Uint32Array;
  /** First rank of each element, and n_atoms. */
  readonly starts: readonly number[];
  readonly elements: number;
  readonly blocks: number;
  readonly nBlocks: number;
  /** Pairs of the largest block. */
  readonly largest: number;
  readonly segments: number;
  readonly entries: number;
  readonly pairs: number;
  /** Edge of the graph that each listed edge is; the other half runs the other way. */
  readonly edges: number;
  readonly nListed: number;
  readonly rows: number;
  /** Records of degree l, see `src/wasm/radial_basis.ts`. */
  readonly records: readonly number[];
}

/** Lists pairs and describes their edges: harmonics, and places in the radial tables. */
export function describeEdges(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  frame: Frame,
  graph: Graph,
): Edges {
  const half = graph.nEdges / 2;
  const starts = RECORDS.map((_, l) => RECORDS.slice(0, l).reduce((sum, n) => sum + n, 0));
  const records = arena.take(4 * half * (starts[model.lMax] + RECORDS[model.lMax]));
  const rows = arena.take(4 * half);
  const list = listPairs(kernels, arena, model, frame, graph);
  const mark = arena.mark();
  const lengths = arena.take(8 * half);
  const vectors = arena.put(graph.vectors);
  kernels.spherical_harmonics(vectors, list.edges, lengths, records, half, model.lMax);
  kernels.radial_basis(
    ...[list.blocks, list.nBlocks, list.segments, list.entries, list.pairs, list.elements],
    ...[arena.put(model.pairOf), model.nElements, lengths, model.nIntervals, model.rMax],
    ...[rows, records, half, model.lMax],
  );
  arena.release(mark);
  return {
    ...list,
    nListed: half,
    rows,
    records: starts.slice(0, model.lMax + 1).map((start) => records + 4 * half * start),
  };
}

function listPairs(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  frame: Frame,
  graph: Graph,
) {
  const { nAtoms, nEdges } = graph;
  const half = nEdges / 2;
  const { order, rank, elements, starts } = sortAtoms(model, frame);
  const list = {
    ...{ nAtoms, order, starts },
    elements: arena.put(elements),
    edges: arena.take(4 * half),
    pairs: arena.take(4 * (half + 1)),
    blocks: arena.take(20 * nAtoms),
    segments: arena.take(32 * half),
    entries: arena.take(16 * half),
  };
  const mark = arena.mark();
  const result = arena.take(8);
  kernels.pair_list(
    ...[nAtoms, arena.put(graph.firstEdge), arena.put(graph.sender), arena.put(graph.unitShifts)],
    ...[arena.put(order), arena.put(rank), list.elements, list.edges, list.pairs],
    ...[list.blocks, list.segments, list.entries, BLOCK_PAIRS, result],
    arena.take(12 * half + 8 * (nAtoms + 1)),
  );
  const [nBlocks, largest] = new Uint32Array(arena.memory.buffer, result, 2);
  arena.release(mark);
  return { ...list, nBlocks, largest };
}

/** Scratch that `describeEdges` needs, in bytes: what stays, and what is given back. */
export function edgeBytes({ nAtoms, nEdges }: Graph): number {
  const half = nEdges / 2;
  const kept = half * (96 + 4 + 4 + 4 + 32 + 16) + 21 * nAtoms;
  const listing = 16 * nEdges + 20 * nAtoms + 12 * half;
  const describing = 8 * half + 24 * nEdges;
  return kept + Math.max(listing, describing) + 4096;
}

/** Edge of the cubes by which atoms are sorted, Å. */
const CUBE = 3;

/** Atoms element by element and near their neighbors, along a Z-order curve through cubes of space. */
function sortAtoms(model: StoredModel, { species, positions }: Frame) {
  const nAtoms = species.length;
  const low = [0, 1, 2].map((k) => {
    let least = Infinity;
    for (let n = 0; n < nAtoms; n++) least = Math.min(least, positions[3 * n + k]);
    return least;
  });
  const key = Float64Array.from(species, (z, n) => {
    let code = model.elementOf[z] * 2 ** 30;
    for (let k = 0; k < 3; k++) {
      const cube = Math.min(Math.floor((positions[3 * n + k] - low[k]) / CUBE), 1023);
      for (let bit = 0; bit < 10; bit++) code += ((cube >> bit) & 1) * 2 ** (3 * bit + k);
    }
    return code;
  });
  const order = Uint32Array.from(species.keys()).sort((i, j) => key[i] - key[j] || i - j);
  const rank = new Uint32Array(nAtoms);
  order.forEach((atom, i) => rank[atom] = i);
  const elements = Uint8Array.from(order, (atom) => model.elementOf[species[atom]]);
  const starts = Array.from({ length: model.nElements + 1 }, (_, z) => {
    const first = elements.findIndex((element) => element >= z);
    return first < 0 ? nAtoms : first;
  });
  return { order, rank, elements, starts };
}
