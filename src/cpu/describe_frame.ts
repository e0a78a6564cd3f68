import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import type { Arena } from "./arena.ts";
import { BLOCK_PAIRS, describeEdges, edgeBytes, type Edges } from "./edges.ts";
import type { Kernels } from "./memory.ts";
import type { StoredLayer, StoredModel } from "./weights.ts";

/** One frame on its way through the kernels. */
interface Run {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly model: StoredModel;
  readonly edges: Edges;
}

/** Atoms by rank from `first` to `last`. */
type Range = readonly [first: number, last: number];

/**
 * Descriptors of one frame by the float32 kernels, stage by stage as in `src/model/mace.ts`. Inside,
 * atoms stand element after element.
 *
 * @returns invariants of all layers, shape (n_atoms, n_layers · channels)
 */
export function describeFrame(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  frame: Frame,
): Float32Array {
  const graph = neighborList(frame, model.rMax);
  arena.reset(scratchBytes(model, graph));
  const edges = describeEdges(kernels, arena, model, frame, graph);
  const run = { kernels, arena, model, edges };
  let h = embed(run);
  const out = new Float32Array(graph.nAtoms * model.layers.length * model.channels);
  model.layers.forEach((layer, t) => {
    h = describeLayer(run, layer, h);
    copyInvariants(run, h, (layer.lOut + 1) ** 2 * model.padded, out, t);
  });
  return out;
}

/** One interaction and product basis; returns the address of the features that leave it. */
function describeLayer(run: Run, layer: StoredLayer, h: number): number {
  const { arena, model, edges: { nAtoms } } = run;
  const dIn = (layer.lIn + 1) ** 2;
  const dOut = (layer.lOut + 1) ** 2;
  const square = 4 * model.padded ** 2;
  const features = (components: number) => arena.take(4 * nAtoms * components * model.padded);
  const next = features(dOut);
  const mark = arena.mark();
  const message = features((model.lMax + 1) ** 2);
  sumNeighbors(run, layer, layer.up ? mixDegrees(run, h, layer.up, layer.lIn) : 0, message);
  const product = features(dOut);
  contract(run, layer, message, product);
  for (let l = 0; l <= layer.lOut; l++) {
    const at = { d: dOut, first: l * l, width: model.padded };
    mix(run, product, layer.product + l * square, next, [0, nAtoms], at, at, l, false);
  }
  for (let l = 0; l < layer.nSkip; l++) {
    const from = { d: dIn, first: l * l, width: model.padded };
    forElements(run, (atoms, z) => {
      const weight = layer.skip + (z * layer.nSkip + l) * square;
      mix(run, h, weight, next, atoms, from, { ...from, d: dOut }, l, true);
    });
  }
  arena.release(mark);
  return next;
}

/** Linear layer of all degrees up to `lMax`, each with its own weights. */
function mixDegrees(run: Run, x: number, weights: number, lMax: number): number {
  const { arena, model: { padded }, edges: { nAtoms } } = run;
  const d = (lMax + 1) ** 2;
  const out = arena.take(4 * nAtoms * d * padded);
  for (let l = 0; l <= lMax; l++) {
    const at = { d, first: l * l, width: padded };
    mix(run, x, weights + 4 * l * padded ** 2, out, [0, nAtoms], at, at, l, false);
  }
  return out;
}

/** Atomic basis path by path, each mixed into the message of its degree. */
function sumNeighbors(run: Run, layer: StoredLayer, up: number, message: number): void {
  const { kernels, arena, model, edges } = run;
  const { nAtoms, blocks, nBlocks, segments, entries, pairs, rows, records } = edges;
  const d = (model.lMax + 1) ** 2;
  const norm = arena.take(4 * nAtoms);
  const mark = arena.mark();
  kernels.edge_density(
    ...[blocks, nBlocks, segments, entries, pairs, rows, records[0]],
    ...[layer.densityTable, norm, nAtoms, arena.take(8 * nAtoms)],
  );
  arena.release(mark);
  const width = layer.groups * layer.width;
  layer.paths.forEach(({ l1, l2, l3, couplings, nCouplings }, p) => {
    const table = layer.tables[Math.min(p, layer.tables.length - 1)];
    const sums = arena.take(4 * nAtoms * (2 * l3 + 1) * width);
    const component = l1 * l1 * model.padded;
    kernels.atomic_basis(
      ...[nAtoms, blocks, nBlocks, edges.largest, segments, entries, pairs, rows, records[l2]],
      ...[
        table,
        model.nSlots * model.nIntervals,
        up && up + 4 * component,
        (layer.lIn + 1) ** 2 * model.padded,
      ],
      ...[layer.groups, norm, layer.width, l1, l2, l3, couplings, nCouplings, sums],
      arena.take(sumBytes(layer, l1, l2, edges)),
    );
    const from = { d: 2 * l3 + 1, first: 0, width };
    const to = { d, first: l3 * l3, width: model.padded };
    const accumulate = layer.degrees.indexOf(l3) < p;
    const mixPath = (atoms: Range, z: number) => {
      const weight = layer.message + 4 * (z * layer.nPaths + p) * width * model.padded;
      mix(run, sums, weight, message, atoms, from, to, l3, accumulate);
    };
    if (layer.messagePerElement) forElements(run, mixPath);
    else mixPath([0, nAtoms], 0);
    arena.release(mark);
  });
}

/** Scratch of the atomic basis, see `src/wasm/atomic_basis.ts`. */
function sumBytes(layer: StoredLayer, l1: number, l2: number, { nAtoms, largest }: Edges): number {
  const [a, b] = [2 * l1 + 1, 2 * l2 + 1];
  return 32 * (b * largest + a * nAtoms + a * b * nAtoms * layer.groups);
}

function contract(run: Run, layer: StoredLayer, message: number, product: number): void {
  const { model, edges } = run;
  for (const { l, nTerms, terms, coefficients } of layer.contractions) {
    run.kernels.product_basis(
      ...[message, coefficients, terms, edges.elements, product, edges.nAtoms],
      ...[(model.lMax + 1) ** 2, model.padded, nTerms, (layer.lOut + 1) ** 2, l],
    );
  }
}

/** Calls `f` for the atoms of every element that occurs. */
function forElements({ edges: { starts } }: Run, f: (atoms: Range, element: number) => void): void {
  for (let z = 0; z + 1 < starts.length; z++) {
    if (starts[z + 1] > starts[z]) f([starts[z], starts[z + 1]], z);
  }
}

/** Where the components of one degree lie among the `d` of an atom, and the numbers of each. */
interface Place {
  readonly d: number;
  readonly first: number;
  readonly width: number;
}

function mix(
  run: Run,
  x: number,
  weight: number,
  out: number,
  atoms: Range,
  from: Place,
  to: Place,
  l: number,
  accumulate: boolean,
): void {
  const { kernels, arena } = run;
  const mark = arena.mark();
  const n = (atoms[1] - atoms[0]) * (2 * l + 1);
  kernels.channel_mix(
    ...[x, weight, out, listRows(arena, atoms, from, l), listRows(arena, atoms, to, l)],
    ...[n, from.width, to.width, Number(accumulate)],
  );
  arena.release(mark);
}

/** Element offsets of the rows of some atoms, padded to a multiple of 4. */
function listRows(arena: Arena, [first, last]: Range, place: Place, l: number): number {
  const count = 2 * l + 1;
  const n = (last - first) * count;
  const rows = new Uint32Array(Math.ceil(n / 4) * 4);
  for (let r = 0; r < rows.length; r++) {
    // The last row is repeated: it is computed again, from the same numbers, into the same place.
    const row = Math.min(r, n - 1);
    const [atom, m] = [first + Math.floor(row / count), row % count];
    rows[r] = (atom * place.d + place.first + m) * place.width;
  }
  return arena.put(rows);
}

function embed({ arena, model, edges: { nAtoms, starts } }: Run): number {
  const { padded, embedding } = model;
  const h = arena.take(4 * nAtoms * padded);
  const rows = new Float32Array(arena.memory.buffer, h, nAtoms * padded);
  for (let z = 0; z + 1 < starts.length; z++) {
    const row = embedding.subarray(z * padded, (z + 1) * padded);
    for (let n = starts[z]; n < starts[z + 1]; n++) rows.set(row, n * padded);
  }
  return h;
}

/** Copies the invariants of layer t to their columns and atoms to their places. */
function copyInvariants(
  { arena, model, edges: { nAtoms, order } }: Run,
  address: number,
  stride: number,
  out: Float32Array,
  t: number,
): void {
  const { channels } = model;
  const features = new Float32Array(arena.memory.buffer, address, nAtoms * stride);
  const width = model.layers.length * channels;
  for (let n = 0; n < nAtoms; n++) {
    const row = features.subarray(n * stride, n * stride + channels);
    out.set(row, order[n] * width + t * channels);
  }
}

/** Scratch that one frame needs, generously rounded. */
function scratchBytes(model: StoredModel, graph: Graph): number {
  const { padded } = model;
  const d = (model.lMax + 1) ** 2;
  let kept = padded;
  let most = 0;
  for (const layer of model.layers) {
    const dIn = (layer.lIn + 1) ** 2;
    const dOut = (layer.lOut + 1) ** 2;
    kept += dOut * padded;
    const sums = Math.max(
      ...layer.paths.map(({ l1, l2, l3 }) =>
        (2 * l3 + 1) * layer.groups * layer.width +
        8 * (2 * l1 + 1) * (1 + (2 * l2 + 1) * layer.groups)
      ),
    );
    const rows = 4 * d;
    most = Math.max(most, (dIn + d + dOut) * padded + sums + rows + 4);
  }
  // A block holds whole rows of pairs; a row has at most the edges of its atom.
  const row = graph.firstEdge.reduce(
    (most, e, n, first) => Math.max(most, e - first[n - 1] || 0),
    0,
  );
  const pairs = 32 * (2 * model.lMax + 1) * (BLOCK_PAIRS + row);
  return edgeBytes(graph) + 4 * graph.nAtoms * (kept + most) + pairs + 65536;
}
