import type { Frame, Graph } from "../frame.ts";
import type { Arena } from "./arena.ts";
import type { Kernels } from "./memory.ts";
import type { StoredModel } from "./weights.ts";

/** Pairs whose intermediate sums are held at a time; they should fit the second-level cache. */
export const BLOCK_PAIRS = 4096;

/** Large frames have few segments for their pairs; so many more are expected. */
const FEW_SEGMENTS = 2 ** 18;

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
  readonly nSegments: number;
  readonly entries: number;
  readonly pairs: number;
  /** Edge of the graph that each listed edge is; the other half runs the other way. */
  readonly edges: number;
  readonly nListed: number;
  readonly rows: number;
  /** Records of degree l, see `src/wasm/radial_basis.ts`. */
  readonly records: readonly number[];
}

/**
 * Lists pairs and describes their edges: harmonics, and places in the radial tables; first in an arena
 * with room for all that follows.
 *
 * @param bytes that the frame needs with so many segments; how many there are shows when they are listed
 */
export function describeEdges(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  frame: Frame,
  graph: Graph,
  bytes: (nSegments: number) => number,
): Edges {
  const half = graph.nEdges / 2;
  const expected = Math.min(2 * half, FEW_SEGMENTS + Math.ceil(half / 4));
  arena.reset(bytes(expected));
  let list = listPairs(kernels, arena, model, frame, graph);
  if (list.nSegments > expected) {
    arena.reset(bytes(list.nSegments));
    list = listPairs(kernels, arena, model, frame, graph);
  }
  const records = takeRecords(arena, model.lMax, half);
  const rows = arena.take(4 * half);
  const mark = arena.mark();
  const lengths = arena.take(8 * half);
  const vectors = listedVectors(arena, graph, list.edges, 0, half);
  kernels.spherical_harmonics(vectors, lengths, records[0], half, model.lMax);
  kernels.radial_basis(
    ...[list.blocks, list.nBlocks, list.segments, list.entries, list.pairs, list.elements],
    ...[arena.put(model.pairOf), model.nElements, lengths, model.nIntervals, model.rMax],
    ...[rows, records[0], half, model.lMax],
  );
  arena.release(mark);
  return { ...list, nListed: half, rows, records };
}

/** Numbers of an edge's record per degree l. */
const RECORDS = [4, 4, 8, 8];

/** Numbers of the records of an edge; degrees 0 and 1 share theirs. */
export function recordNumbers(lMax: number): number {
  return RECORDS.slice(Math.min(lMax, 1), lMax + 1).reduce((sum, n) => sum + n, 0);
}

/** Addresses of the records of every degree, one degree's behind the other's. */
export function takeRecords(arena: Arena, lMax: number, nEdges: number): number[] {
  const start = arena.take(4 * nEdges * recordNumbers(lMax));
  return Array.from({ length: lMax + 1 }, (_, l) => recordsAt(start, l, nEdges));
}

/** Address of the records of degree l behind those of the degrees before. */
function recordsAt(start: number, l: number, nEdges: number): number {
  return l < 2 ? start : start + 4 * nEdges * recordNumbers(l - 1);
}

/** Address of the record of one edge among those of degree l. */
export function recordAt(records: readonly number[], l: number, e: number): number {
  return records[l] + 4 * RECORDS[l] * e;
}

/** Address of the vectors of some listed edges, float64, shape (last - first, 3), Å.
 * @param edges address of the list */
export function listedVectors(
  arena: Arena,
  { vectors }: Pick<Graph, "vectors">,
  edges: number,
  first: number,
  last: number,
): number {
  const listed = new Uint32Array(arena.memory.buffer, edges, last);
  const at = arena.take(24 * (last - first));
  const out = new Float64Array(arena.memory.buffer, at, 3 * (last - first));
  for (let e = first; e < last; e++) {
    const [from, to] = [3 * listed[e], 3 * (e - first)];
    out[to] = vectors[from];
    out[to + 1] = vectors[from + 1];
    out[to + 2] = vectors[from + 2];
  }
  return at;
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
    entries: arena.take(16 * half),
  };
  const mark = arena.mark();
  const [result, room] = [arena.take(8), arena.take(32 * half)];
  kernels.pair_list(
    ...[nAtoms, arena.put(graph.firstEdge), arena.put(graph.sender), arena.put(graph.unitShifts)],
    ...[arena.put(order), arena.put(rank), list.elements, list.edges, list.pairs],
    ...[list.blocks, room, list.entries, BLOCK_PAIRS, result],
    arena.take(12 * half + 8 * (nAtoms + 1)),
  );
  const [nBlocks, largest] = new Uint32Array(arena.memory.buffer, result, 2);
  // They are moved to where they stay.
  const nSegments = nBlocks === 0
    ? 0
    : new Uint32Array(arena.memory.buffer, list.blocks + 20 * nBlocks - 4, 1)[0];
  arena.release(mark);
  const segments = arena.take(16 * nSegments);
  new Uint8Array(arena.memory.buffer).copyWithin(segments, room, room + 16 * nSegments);
  return { ...list, segments, nSegments, nBlocks, largest };
}

/** Scratch that `describeEdges` needs, in bytes: what stays, and the most that is given back. */
export function edgeBytes({ nAtoms, nEdges }: Graph, nSegments: number) {
  const half = nEdges / 2;
  const list = half * (4 + 4 + 16) + 21 * nAtoms + 4096;
  const listing = half * (32 + 32 + 12) + 20 * nAtoms;
  const kept = list + 16 * nSegments + half * (80 + 4);
  return { kept, most: Math.max(list + listing - kept, half * (8 + 24)) };
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
