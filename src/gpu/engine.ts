import { RequestError } from "../errors.ts";
import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import { type BakedModel, bakeModel } from "../model/bake.ts";
import { TableSlots } from "../model/bake_tables.ts";
import type { MaceModel } from "../model/mace_model.ts";
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

/** Graphs in groups whose largest buffer fits one binding of the device.
 * @param what the device is to do with a frame, for the message where it does not fit */
export function* splitGraphs(
  { gpu }: Device,
  { bytesPerAtom, bytesPerEdge }: Needs,
  frames: readonly Frame[],
  rMax: number,
  what: "describe" | "predict",
): Generator<Graph[]> {
  let part: Graph[] = [];
  let [atoms, edges] = [0, 0];
  for (const frame of frames) {
    const graph = neighborList(frame, rMax);
    if (
      graph.nAtoms * bytesPerAtom > gpu.maxBinding || graph.nEdges * bytesPerEdge > gpu.maxBinding
    ) {
      throw new RequestError(
        `Cannot ${what} ${frame.id} on the GPU: ${graph.nAtoms} atoms with ${graph.nEdges} edges ` +
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
