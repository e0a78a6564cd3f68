import { RequestError } from "../errors.ts";
import type { Frame, Graph } from "../frame.ts";
import { likelyNeighbors, neighborList } from "../graph/neighbor_list.ts";
import { type BakedModel, bakeModel } from "../model/bake.ts";
import { TableSlots } from "../model/bake_tables.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { Outcome } from "./describe.ts";
import type { Gpu } from "./device.ts";
import type { Kernels } from "./shaders.ts";
import type { Tiling, Tilings } from "./tiling.ts";
import {
  countSlots,
  type LayerBuffers,
  layerBuffers,
  uploadLayers,
  uploadTables,
} from "./weights.ts";

/** Atoms of one submission, where the limits of the device allow it. */
export const BATCH_ATOMS = 4096;

/** A device with its kernels. */
export interface Device {
  readonly gpu: Gpu;
  readonly kernels: Kernels;
  readonly tilings: Tilings;
}

/** What a batch takes of the largest binding. */
export interface Needs {
  readonly bytesPerAtom: number;
  readonly bytesPerEdge: number;
}

/** A MACE model on the device. */
export interface MaceEngine extends Needs {
  readonly layers: readonly LayerBuffers[];
  readonly tiling: Tiling;
  /** Frames whose tables are on the device together, in their order, one group after the other, and the
   * model that knows the places of these tables. */
  groups(frames: readonly Frame[]): Iterable<{ frames: readonly Frame[]; model: BakedModel }>;
  close(): void;
}

/** Copies the first `nLayers` layers of a model to the device.
 * @param adjoint whether the way back is wanted too */
export async function openMace(
  { gpu, tilings }: Device,
  model: MaceModel,
  nLayers: number,
  elements: readonly number[],
  adjoint: boolean,
): Promise<MaceEngine> {
  const baked = bakeModel(model, elements, { nLayers });
  const needs = needsOf(baked);
  const nSlots = countSlots(gpu, baked);
  if (nSlots === 0) {
    throw new RequestError(
      `Cannot hold a radial table on the GPU: a binding holds ${gpu.maxBinding} bytes; use --backend cpu`,
    );
  }
  const slots = new TableSlots(baked, nSlots);
  const layers = uploadLayers(gpu, baked, nSlots, adjoint);
  return {
    layers,
    tiling: await tilings.of(baked, adjoint),
    ...needs,
    *groups(frames) {
      for (const plan of slots.plan(frames)) {
        for (const load of plan.load) uploadTables(gpu, baked, layers, load);
        yield {
          frames: plan.frames.map((f) => frames[f]),
          model: { ...baked, pairOf: plan.pairOf },
        };
      }
    },
    close() {
      for (const layer of layers) for (const buffer of layerBuffers(layer)) buffer.destroy();
    },
  };
}

/** What a batch of a baked model takes. */
export function needsOf({ layers, padded }: BakedModel): Needs {
  const sums = layers.map(({ nComponents, groups, width }) => nComponents * groups * width);
  return { bytesPerAtom: 4 * Math.max(...sums, 16 * padded), bytesPerEdge: 4 * 36 };
}

/** Numbers of atoms and edges. */
interface Size {
  readonly atoms: number;
  readonly edges: number;
}

/** Most atoms and edges whose buffers fit one binding of the device. */
function mostOf({ gpu }: Device, { bytesPerAtom, bytesPerEdge }: Needs): Size {
  return {
    atoms: Math.floor(gpu.maxBinding / bytesPerAtom),
    edges: Math.floor(gpu.maxBinding / bytesPerEdge),
  };
}

/** Items in batches of `most` atoms and edges, an item that alone is more in a batch of its own. */
function* pack<Item>(
  items: Iterable<Item>,
  sizeOf: (item: Item) => Size,
  most: Size,
): Generator<{ items: Item[]; size: Size }> {
  let batch: Item[] = [];
  let size = { atoms: 0, edges: 0 };
  for (const item of items) {
    const own = sizeOf(item);
    const next = { atoms: size.atoms + own.atoms, edges: size.edges + own.edges };
    const full = next.atoms > most.atoms || next.edges > most.edges;
    if (full && batch.length > 0) {
      yield { items: batch, size };
      [batch, size] = [[item], own];
    } else {
      batch.push(item);
      size = next;
    }
  }
  if (batch.length > 0) yield { items: batch, size };
}

/** What is said of a frame that no binding holds. */
function tooLarge(what: string, id: string, { atoms, edges }: Size): RequestError {
  return new RequestError(
    `Cannot ${what} ${id} on the GPU: ${atoms} atoms with ${edges} edges exceed its largest ` +
      "binding; use --backend cpu",
  );
}

/** Room for so many times the edges that are expected; where it is not enough a batch is run again. */
const ROOM = 1.1;

/** What is run on a batch of frames, with room for so many edges. */
type RunBatch<Result> = (frames: readonly Frame[], capacity: number) => Promise<Outcome<Result>>;

/**
 * Runs frames in batches whose largest buffers fit one binding of the device.
 *
 * @param what the device is to do with a frame, for the message where it does not fit
 * @throws {ParseError} where two atoms of a frame are at the same place
 * @throws {RequestError} where a frame does not fit the device
 */
export async function* runInBatches<Result>(
  device: Device,
  needs: Needs,
  frames: readonly Frame[],
  rMax: number,
  what: "describe" | "predict" | "train on",
  run: RunBatch<Result>,
): AsyncGenerator<{ frames: readonly Frame[]; result: Result }> {
  const most = mostOf(device, needs);
  const sizeOf = (frame: Frame) => {
    const atoms = frame.species.length;
    return { atoms, edges: Math.ceil(ROOM * atoms * likelyNeighbors(frame, rMax)) };
  };
  for (const { items, size } of pack(frames, sizeOf, most)) {
    if (size.atoms > most.atoms) {
      const { nAtoms, nEdges } = neighborList(items[0], rMax);
      throw tooLarge(what, items[0].id, { atoms: nAtoms, edges: nEdges });
    }
    yield* runBatch(items, size.edges);
  }

  /** Runs a batch, again with more room where the edges are more than was thought, or in halves. */
  async function* runBatch(
    some: readonly Frame[],
    expected: number,
  ): AsyncGenerator<{ frames: readonly Frame[]; result: Result }> {
    const capacity = Math.min(expected, most.edges);
    const { state, result } = await run(some, capacity);
    const [found, coincident] = new Uint32Array(state.buffer, state.byteOffset, 2);
    // The definition says which atoms they are.
    if (coincident) { for (const frame of some) neighborList(frame, rMax); }
    if (found <= capacity) yield { frames: some, result };
    else if (found <= most.edges) yield* runBatch(some, found);
    else if (some.length === 1) {
      throw tooLarge(what, some[0].id, { atoms: some[0].species.length, edges: found });
    } else {
      const half = some.length >> 1;
      for (const part of [some.slice(0, half), some.slice(half)]) {
        yield* runBatch(part, part.reduce((sum, frame) => sum + sizeOf(frame).edges, 0));
      }
    }
  }
}

/** Graphs of frames in groups whose largest buffer fits one binding of the device.
 * @throws {RequestError} where a frame does not fit the device */
export function* splitGraphs(
  device: Device,
  needs: Needs,
  frames: readonly Frame[],
  rMax: number,
): Generator<Graph[]> {
  const most = mostOf(device, needs);
  const sizeOf = ({ nAtoms, nEdges }: Graph) => ({ atoms: nAtoms, edges: nEdges });
  function* graphs() {
    for (const frame of frames) {
      const graph = neighborList(frame, rMax);
      const size = sizeOf(graph);
      if (size.atoms > most.atoms || size.edges > most.edges) {
        throw tooLarge("describe", frame.id, size);
      }
      yield graph;
    }
  }
  for (const { items } of pack(graphs(), sizeOf, most)) yield items;
}
