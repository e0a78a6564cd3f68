import type { Frame } from "../frame.ts";
import { binAtoms, type Bins, COINCIDENT } from "../graph/neighbor_list.ts";
import type { BakedModel } from "../model/bake.ts";
import { fold } from "./kernel.ts";
import type { Stage } from "./stage.ts";

/** A batch of graphs on the device, atoms and edges numbered through. */
export interface Batch {
  readonly nAtoms: number;
  /** Edges that there is room for; `state` tells how many there are. */
  readonly capacity: number;
  /** First and last edge, element, bits of the normaliser of the message; u32 (n_atoms, 4). */
  readonly atoms: GPUBuffer;
  /** Sender, class of the pair, row of the radial tables, element of the sender; u32 (capacity, 4). */
  readonly edges: GPUBuffer;
  /** Vector and length, Å; f32 (capacity, 4). */
  readonly vectors: GPUBuffer;
  /** Harmonics by degree, 8 each, and the place in the interval; f32 (capacity, 36). */
  readonly geometry: GPUBuffer;
  /** Edges in all; whether two atoms are at the same place; u32 (4). */
  readonly state: GPUBuffer;
}

/** Finds all edges of some frames on the device: counts them, numbers them through, writes them. */
export function findEdges(
  stage: Stage,
  model: BakedModel,
  frames: readonly Frame[],
  capacity: number,
): Batch {
  const { kernels } = stage;
  const binned = frames.map((frame) => binAtoms(frame, model.rMax));
  const nAtoms = frames.reduce((sum, { species }) => sum + species.length, 0);
  const { x, y } = fold(nAtoms);
  const batch: Batch = {
    ...{ nAtoms, capacity },
    atoms: stage.buffer("atoms", 4 * nAtoms),
    edges: stage.buffer("edges", 4 * capacity),
    vectors: stage.buffer("vectors", 4 * capacity),
    geometry: stage.buffer("geometry", 36 * capacity),
    state: stage.buffer("state", 4),
  };
  const { members, nBins } = listBins(model, binned);
  const inputs = [
    stage.upload("sites", listSites(model, frames, binned)),
    ...listImages(binned, frames).map((content) => stage.upload("frames", content)),
    stage.upload("bins", members),
  ];
  const find = (fill: number) => {
    const params = stage.params("neighbor_list", [
      ...[nAtoms, model.nElements, nBins, capacity].map((value) => ["u32", value] as const),
      ...[["f32", model.rMax], ["f32", COINCIDENT], ["u32", fill], ["u32", x]] as const,
    ]);
    const { atoms, edges, vectors, state } = batch;
    const tensors = [...inputs, atoms, edges, vectors, state];
    stage.dispatch(kernels.neighbor_list, [params, ...tensors], x, y);
  };
  find(0);
  const offsets = stage.params("edge_offsets", [["u32", nAtoms]]);
  stage.dispatch(kernels.edge_offsets, [offsets, batch.atoms, batch.state], 1, 1);
  find(1);
  return batch;
}

/** The reverse of every edge, u32 (capacity). */
export function reverseEdges(stage: Stage, batch: Batch): GPUBuffer {
  const { nAtoms, capacity, atoms, edges, vectors } = batch;
  const { x, y } = fold(nAtoms);
  const reversed = stage.buffer("reversed", capacity);
  const params = stage.params(
    "reverse_edges",
    [nAtoms, x].map((value) => ["u32", value]),
  );
  const tensors = [atoms, edges, vectors, reversed];
  stage.dispatch(stage.kernels.reverse_edges, [params, ...tensors], x, y);
  return reversed;
}

/** Edges by the rows of the radial tables that they read, as `row_edges` writes them. */
export function edgesByRow(stage: Stage, batch: Batch, nRows: number): GPUBuffer {
  const { nAtoms, capacity, atoms, edges } = batch;
  const { kernels } = stage;
  const listed = stage.buffer("edges by row", nRows + 1 + 2 * capacity);
  const { x, y } = fold(nRows);
  const list = (fill: number) => {
    const fields = [nAtoms, nRows, fill, x].map((value) => ["u32", value] as const);
    const params = stage.params("row_edges", fields);
    stage.dispatch(kernels.row_edges, [params, atoms, edges, listed], x, y);
  };
  list(0);
  stage.dispatch(
    kernels.row_offsets,
    [stage.params("row_offsets", [["u32", nRows]]), listed],
    1,
    1,
  );
  list(1);
  return listed;
}

/** Bits of a number rounded to float32, and of what the rounding left. */
function split(x: number): readonly [high: number, low: number] {
  const high = Math.fround(x);
  return [high, x - high];
}

/** Places, elements, frames and bins of all atoms, u32 (n_atoms, 3, 4). */
function listSites(
  model: BakedModel,
  frames: readonly Frame[],
  binned: readonly Bins[],
): Uint32Array {
  const nAtoms = frames.reduce((sum, { species }) => sum + species.length, 0);
  const sites = new Uint32Array(12 * nAtoms);
  const numbers = new Float32Array(sites.buffer);
  let at = 0;
  frames.forEach(({ species }, f) => {
    const { wrapped, binOf } = binned[f];
    for (let n = 0; n < species.length; n++, at += 12) {
      for (let k = 0; k < 3; k++) {
        [numbers[at + k], numbers[at + 4 + k]] = split(wrapped[3 * n + k]);
        sites[at + 8 + k] = binOf[3 * n + k];
      }
      sites[at + 3] = model.elementOf[species[n]];
      sites[at + 7] = f;
    }
  });
  return sites;
}

/** What the search has to know of every frame, u32 (n_frames, 3, 4), and its translations. */
function listImages(binned: readonly Bins[], frames: readonly Frame[]) {
  const about = new Uint32Array(12 * binned.length);
  const images: number[] = [];
  let firstBin = 0;
  binned.forEach(({ basis, counts, ranges, first }, f) => {
    const most = counts.map((n, k) => Math.ceil(ranges[k] / n));
    const periodic = frames[f].pbc.reduce((bits, flag, k) => bits | (flag ? 1 << k : 0), 0);
    about.set([...counts, firstBin, ...ranges, images.length / 8, ...most, periodic], 12 * f);
    firstBin += first.length - 1;
    for (let a = -most[0]; a <= most[0]; a++) {
      for (let b = -most[1]; b <= most[1]; b++) {
        for (let c = -most[2]; c <= most[2]; c++) {
          const parts = [0, 1, 2].map((k) =>
            split(a * basis[k] + b * basis[3 + k] + c * basis[6 + k])
          );
          images.push(...parts.map(([high]) => high), 0, ...parts.map(([, low]) => low), 0);
        }
      }
    }
  });
  return [about, Float32Array.from(images)] as const;
}

/** Classes of pairs, first atoms of the bins of all frames, and atoms by their bins. */
function listBins({ pairOf, nElements }: BakedModel, binned: readonly Bins[]) {
  const nBins = binned.reduce((sum, { first }) => sum + first.length - 1, 0);
  const nAtoms = binned.reduce((sum, { atoms }) => sum + atoms.length, 0);
  const members = new Uint32Array(nElements ** 2 + nBins + 1 + nAtoms);
  members.set(pairOf);
  let [bin, atom] = [nElements ** 2, 0];
  const start = bin + nBins + 1;
  for (const { first, atoms } of binned) {
    for (let b = 0; b + 1 < first.length; b++) members[bin++] = atom + first[b];
    atoms.forEach((n, k) => members[start + atom + k] = atom + n);
    atom += atoms.length;
  }
  members[bin] = atom;
  return { members, nBins };
}
