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
  const baked = bakeModel(model, elements, nLayers);
  const nSlots = countSlots(gpu, baked);
  if (nSlots === 0) {
    throw new RequestError(
      `Cannot hold a radial table on the GPU: a binding holds ${gpu.maxBinding} bytes; use --backend cpu`,
    );
  }
  const slots = new TableSlots(baked, nSlots);
  const layers = uploadLayers(gpu, baked, nSlots, adjoint);
  const sums = baked.layers.map(({ nComponents, groups, width }) => nComponents * groups * width);
  return {
    layers,
    tiling: await tilings.of(baked, adjoint),
    bytesPerAtom: 4 * Math.max(...sums, 16 * baked.padded),
    bytesPerEdge: 4 * 36,
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
  { gpu }: Device,
  needs: Needs,
  frames: readonly Frame[],
  rMax: number,
  what: "describe" | "predict",
  run: RunBatch<Result>,
): AsyncGenerator<{ frames: readonly Frame[]; result: Result }> {
  const most = {
    atoms: Math.floor(gpu.maxBinding / needs.bytesPerAtom),
    edges: Math.floor(gpu.maxBinding / needs.bytesPerEdge),
  };
  let batch: Frame[] = [];
  let [atoms, edges] = [0, 0];
  for (const frame of frames) {
    const [n, e] = [frame.species.length, likelyEdges(frame, rMax)];
    if (batch.length > 0 && (atoms + n > most.atoms || edges + e > most.edges)) {
      yield* runBatch(batch, edges);
      batch = [];
      [atoms, edges] = [0, 0];
    }
    if (n > most.atoms) throw tooLarge(frame, neighborList(frame, rMax).nEdges);
    batch.push(frame);
    atoms += n;
    edges += e;
  }
  if (batch.length > 0) yield* runBatch(batch, edges);

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
    else if (some.length === 1) throw tooLarge(some[0], found);
    else {
      const half = some.length >> 1;
      for (const part of [some.slice(0, half), some.slice(half)]) {
        yield* runBatch(part, part.reduce((sum, frame) => sum + likelyEdges(frame, rMax), 0));
      }
    }
  }

  function tooLarge({ id, species }: Frame, nEdges: number): RequestError {
    return new RequestError(
      `Cannot ${what} ${id} on the GPU: ${species.length} atoms with ${nEdges} edges exceed its ` +
        "largest binding; use --backend cpu",
    );
  }
}

function likelyEdges(frame: Frame, rMax: number): number {
  return Math.ceil(ROOM * frame.species.length * likelyNeighbors(frame, rMax));
}

/** Graphs in groups whose largest buffer fits one binding of the device. */
export function* splitGraphs(
  { gpu }: Device,
  { bytesPerAtom, bytesPerEdge }: Needs,
  frames: readonly Frame[],
  rMax: number,
): Generator<Graph[]> {
  let part: Graph[] = [];
  let [atoms, edges] = [0, 0];
  for (const frame of frames) {
    const graph = neighborList(frame, rMax);
    if (
      graph.nAtoms * bytesPerAtom > gpu.maxBinding || graph.nEdges * bytesPerEdge > gpu.maxBinding
    ) {
      throw new RequestError(
        `Cannot describe ${frame.id} on the GPU: ${graph.nAtoms} atoms with ${graph.nEdges} edges ` +
          "exceed its largest binding; use --backend cpu",
      );
    }
    const full = (atoms + graph.nAtoms) * bytesPerAtom > gpu.maxBinding ||
      (edges + graph.nEdges) * bytesPerEdge > gpu.maxBinding;
    if (full) {
      yield part;
      part = [];
      [atoms, edges] = [0, 0];
    }
    part.push(graph);
    atoms += graph.nAtoms;
    edges += graph.nEdges;
  }
  if (part.length > 0) yield part;
}
