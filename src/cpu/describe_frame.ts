import type { Graph } from "../frame.ts";
import { allocate, type Kernels } from "./memory.ts";
import type { StoredLayer, StoredModel } from "./weights.ts";

/** Scratch memory of one thread; grows to what the largest frame needs. */
export class Arena {
  #start = 0;
  #size = 0;
  #used = 0;

  constructor(readonly memory: WebAssembly.Memory) {}

  /** Forgets the frame before and makes room for `bytes`. */
  reset(bytes: number): void {
    this.#used = 0;
    if (bytes <= this.#size) return;
    this.#size = Math.ceil(1.25 * bytes);
    this.#start = allocate(this.memory, this.#size);
  }

  /** Address of `bytes` of scratch, 16-byte aligned. */
  take(bytes: number): number {
    const at = this.#start + this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    if (this.#used > this.#size) throw new Error("The scratch memory of a thread is too small");
    return at;
  }

  put(data: Float32Array | Float64Array | Uint32Array | Uint8Array): number {
    const at = this.take(data.byteLength);
    new Uint8Array(this.memory.buffer, at, data.byteLength)
      .set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return at;
  }
}

/** Rows that one matrix acts on: element offsets of input and output, padded to a multiple of 4. */
interface Rows {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** One frame on its way through the kernels. */
interface Run {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly model: StoredModel;
  readonly nAtoms: number;
  readonly geometry: Geometry;
  /** Address of the element of each atom. */
  readonly elements: number;
  readonly everyone: Uint32Array;
  /** Atoms of each element. */
  readonly members: readonly Uint32Array[];
}

/**
 * Descriptors of one frame by the float32 kernels, stage by stage as in `src/model/mace.ts`.
 *
 * @returns invariants of all layers, shape (n_atoms, n_layers · channels)
 */
export function describeFrame(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  graph: Graph,
): Float32Array {
  arena.reset(scratchBytes(model, graph));
  const { padded, channels } = model;
  const { nAtoms } = graph;
  const elements = graph.species.map((z) => model.elementOf[z]);
  const everyone = Uint32Array.from(elements.keys());
  const run: Run = {
    kernels,
    arena,
    model,
    nAtoms,
    geometry: describeEdges(kernels, arena, model, graph, elements),
    elements: arena.put(elements),
    everyone,
    members: Array.from(
      { length: model.nElements },
      (_, z) => everyone.filter((n) => elements[n] === z),
    ),
  };
  let h = arena.put(embed(model, elements));
  const width = model.layers.length * channels;
  const out = new Float32Array(nAtoms * width);
  model.layers.forEach((layer, t) => {
    h = describeLayer(run, layer, h);
    const stride = (layer.lOut + 1) ** 2 * padded;
    copyInvariants(arena.memory, h, stride, out, t * channels, width, channels);
  });
  return out;
}

/** One interaction and product basis; returns the address of the features that leave it. */
function describeLayer(run: Run, layer: StoredLayer, h: number): number {
  const { model, nAtoms, everyone, members } = run;
  const d = (model.lMax + 1) ** 2;
  const dIn = (layer.lIn + 1) ** 2;
  const dOut = (layer.lOut + 1) ** 2;
  const features = (components: number) => run.arena.take(4 * nAtoms * components * model.padded);
  const square = 4 * model.padded * model.padded;

  const up = features(dIn);
  for (let l = 0; l <= layer.lIn; l++) {
    const at = { d: dIn, first: l * l };
    mix(run, h, layer.up + l * square, up, everyone, at, at, l, false);
  }
  const sums = features(layer.nComponents);
  sumNeighbors(run, layer, up, sums);

  const message = features(d);
  layer.degrees.forEach((l, p) => {
    const from = { d: layer.nComponents, first: layer.offsets[p] };
    const accumulate = layer.degrees.indexOf(l) < p;
    (layer.messagePerElement ? members : [everyone]).forEach((atoms, z) => {
      const weight = layer.message + (z * layer.nPaths + p) * square;
      mix(run, sums, weight, message, atoms, from, { d, first: l * l }, l, accumulate);
    });
  });
  const product = features(dOut);
  contract(run, layer, message, product);

  const next = features(dOut);
  for (let l = 0; l <= layer.lOut; l++) {
    const at = { d: dOut, first: l * l };
    mix(run, product, layer.product + l * square, next, everyone, at, at, l, false);
  }
  for (let l = 0; l < layer.nSkip; l++) {
    const [from, to] = [{ d: dIn, first: l * l }, { d: dOut, first: l * l }];
    members.forEach((atoms, z) => {
      const weight = layer.skip + (z * layer.nSkip + l) * square;
      mix(run, h, weight, next, atoms, from, to, l, true);
    });
  }
  return next;
}

/** Where the components of one degree lie among the `d` of a row. */
interface Place {
  readonly d: number;
  readonly first: number;
}

function mix(
  run: Run,
  x: number,
  weight: number,
  out: number,
  atoms: Uint32Array,
  from: Place,
  to: Place,
  l: number,
  accumulate: boolean,
): void {
  if (atoms.length === 0) return;
  const { padded } = run.model;
  const rows = listRows(run.arena, atoms, from, to, 2 * l + 1, padded);
  const flag = Number(accumulate);
  run.kernels.channel_mix(x, weight, out, rows.from, rows.to, rows.count, padded, flag);
}

function contract(run: Run, layer: StoredLayer, message: number, product: number): void {
  const { model, nAtoms } = run;
  for (const { l, nTerms, terms, coefficients } of layer.contractions) {
    run.kernels.product_basis(
      message,
      coefficients,
      terms,
      run.elements,
      product,
      nAtoms,
      (model.lMax + 1) ** 2,
      model.padded,
      nTerms,
      (layer.lOut + 1) ** 2,
      l,
    );
  }
}

/** Geometry of the edges in scratch memory. */
interface Geometry {
  readonly graph: Graph;
  readonly firstEdge: number;
  readonly sender: number;
  readonly lengths: number;
  readonly harmonics: number;
  readonly pairs: number;
  readonly rows: number;
  readonly weights: number;
  readonly norm: number;
  readonly radial: number;
}

function describeEdges(
  kernels: Kernels,
  arena: Arena,
  model: StoredModel,
  graph: Graph,
  elements: Uint8Array,
): Geometry {
  const { nAtoms, nEdges, firstEdge, sender } = graph;
  const d = (model.lMax + 1) ** 2;
  const pairs = new Uint32Array(nEdges);
  let mostEdges = 0;
  for (let n = 0; n < nAtoms; n++) {
    const row = elements[n] * model.nElements;
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      pairs[e] = model.pairOf[row + elements[sender[e]]];
    }
    mostEdges = Math.max(mostEdges, firstEdge[n + 1] - firstEdge[n]);
  }
  const vectors = arena.put(graph.vectors);
  const lengths = arena.take(8 * nEdges);
  const harmonics = arena.take(4 * nEdges * d);
  kernels.spherical_harmonics(vectors, lengths, harmonics, nEdges, d);
  return {
    graph,
    lengths,
    harmonics,
    firstEdge: arena.put(firstEdge),
    sender: arena.put(sender),
    pairs: arena.put(pairs),
    rows: arena.take(4 * nEdges),
    weights: arena.take(16 * nEdges),
    norm: arena.take(4 * nAtoms),
    radial: arena.take(1120 + 32 * mostEdges),
  };
}

function sumNeighbors(run: Run, layer: StoredLayer, up: number, sums: number): void {
  const { kernels, model, geometry: at } = run;
  const { nAtoms, nEdges } = at.graph;
  kernels.radial_basis(
    at.lengths,
    at.pairs,
    at.rows,
    at.weights,
    nEdges,
    model.nKnots,
    model.rMax,
    at.firstEdge,
    nAtoms,
    layer.densityTable,
    at.norm,
  );
  kernels.atomic_basis(
    nAtoms,
    at.firstEdge,
    at.sender,
    at.rows,
    at.weights,
    at.harmonics,
    (model.lMax + 1) ** 2,
    layer.table,
    up,
    (layer.lIn + 1) ** 2,
    at.norm,
    model.padded,
    layer.paths,
    layer.nPaths,
    layer.couplings,
    sums,
    layer.nComponents,
    at.radial,
  );
}

function embed(model: StoredModel, elements: Uint8Array): Float32Array {
  const { padded, embedding } = model;
  const h = new Float32Array(elements.length * padded);
  elements.forEach((z, n) => h.set(embedding.subarray(z * padded, (z + 1) * padded), n * padded));
  return h;
}

function listRows(
  arena: Arena,
  atoms: Uint32Array,
  from: Place,
  to: Place,
  count: number,
  padded: number,
): Rows {
  const n = atoms.length * count;
  const rounded = Math.ceil(n / 4) * 4;
  const input = new Uint32Array(rounded);
  const output = new Uint32Array(rounded);
  for (let r = 0; r < rounded; r++) {
    // The last row is repeated: it is computed again, from the same numbers, into the same place.
    const row = Math.min(r, n - 1);
    const [atom, m] = [atoms[Math.floor(row / count)], row % count];
    input[r] = (atom * from.d + from.first + m) * padded;
    output[r] = (atom * to.d + to.first + m) * padded;
  }
  return { from: arena.put(input), to: arena.put(output), count: n };
}

/** Scratch that one frame needs, generously rounded. */
function scratchBytes(model: StoredModel, { nAtoms, nEdges }: Graph): number {
  const d = (model.lMax + 1) ** 2;
  const perEdge = 24 + 8 + 4 * d + 4 + 4 + 4 + 16 + 32;
  let perAtom = 64 + 4 * model.padded;
  for (const layer of model.layers) {
    const dIn = (layer.lIn + 1) ** 2;
    const dOut = (layer.lOut + 1) ** 2;
    const features = dIn + layer.nComponents + d + 2 * dOut;
    const rows = dIn + layer.nComponents + dOut + dIn;
    perAtom += 4 * features * model.padded + 8 * rows;
  }
  const lists = model.layers.length * 32 * (model.nElements + 1);
  return perEdge * nEdges + perAtom * nAtoms + 64 * lists + 65536;
}

function copyInvariants(
  memory: WebAssembly.Memory,
  address: number,
  stride: number,
  out: Float32Array,
  column: number,
  width: number,
  channels: number,
): void {
  const nAtoms = out.length / width;
  const features = new Float32Array(memory.buffer, address, nAtoms * stride);
  for (let n = 0; n < nAtoms; n++) {
    out.set(features.subarray(n * stride, n * stride + channels), n * width + column);
  }
}
