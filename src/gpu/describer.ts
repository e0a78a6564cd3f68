import type { Describer } from "../backend.ts";
import type { Frame, Graph } from "../frame.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { elementFractions, type Pooling } from "../model/pooling.ts";
import type { SchnetModel } from "../model/schnet_model.ts";
import { describeGraphs } from "./describe.ts";
import { describeSchnet, destroySchnet, uploadSchnet } from "./describe_schnet.ts";
import { BATCH_ATOMS, type Device, type Needs, openMace, splitGraphs } from "./engine.ts";

/** Frames that the device is ready for. */
interface Group {
  readonly frames: readonly Frame[];
  /** Rows of a part that fits the device: of its atoms, or pooled. */
  rows(part: readonly Graph[], pooling: Pooling | null): Promise<Float32Array>;
}

/** A model on the device. */
interface Engine extends Needs {
  groups(frames: readonly Frame[]): Iterable<Group>;
  close(): void;
}

async function maceEngine(
  device: Device,
  model: MaceModel,
  nLayers: number,
  elements: readonly number[],
): Promise<Engine> {
  const engine = await openMace(device, model, nLayers, elements, false);
  const { gpu, kernels } = device;
  return {
    ...engine,
    *groups(frames) {
      for (const { frames: some, model: baked } of engine.groups(frames)) {
        yield {
          frames: some,
          rows: (part, pooling) =>
            engine.tiling.run((paths) =>
              describeGraphs(gpu, kernels, baked, engine.layers, paths, part, pooling)
            ),
        };
      }
    },
  };
}

function schnetEngine(
  { gpu, kernels }: Device,
  model: SchnetModel,
  nLayers: number,
  elements: readonly number[],
): Engine {
  const baked = bakeSchnet(model, nLayers);
  const layers = uploadSchnet(gpu, baked);
  return {
    bytesPerAtom: 4 * Math.max(baked.padded, ...baked.layers.map(({ nFilters }) => nFilters)),
    bytesPerEdge: 16,
    groups: (frames) => [{
      frames,
      rows: (part, pooling) => describeSchnet(gpu, kernels, baked, layers, elements, part, pooling),
    }],
    close: () => destroySchnet(layers),
  };
}

/** Copies a model to the device, to describe frames of the given elements. */
export async function openDescriber(
  device: Device,
  model: DescriptorModel,
  nLayers: number,
  elements: readonly number[],
): Promise<Describer> {
  const engine = isSchnet(model)
    ? schnetEngine(device, model, nLayers, elements)
    : await maceEngine(device, model, nLayers, elements);
  const width = descriptorLength(model, nLayers);
  /** Rows of every part that fits the device, with its graphs. */
  async function* run(frames: readonly Frame[], pooling: Pooling | null) {
    for (const group of engine.groups(frames)) {
      for (const part of splitGraphs(device, engine, group.frames, model.rMax, "describe")) {
        yield { part, rows: await group.rows(part, pooling) };
      }
    }
  }
  return {
    width,
    batchAtoms: BATCH_ATOMS,
    async describe(frames) {
      const out: Float32Array[] = [];
      for await (const { part, rows } of run(frames, null)) {
        let at = 0;
        for (const { nAtoms } of part) out.push(rows.slice(at, at += nAtoms * width));
      }
      return out;
    },
    async pool(frames, pooling) {
      const out: Float64Array[] = [];
      for await (const { part, rows } of run(frames, pooling)) {
        const each = rows.length / part.length;
        part.forEach(({ species }, f) => {
          const row = rows.subarray(f * each, (f + 1) * each);
          const perElement = pooling === "per-element-mean";
          out.push(
            Float64Array.of(...row, ...perElement ? elementFractions(species, elements) : []),
          );
        });
      }
      return out;
    },
    close() {
      engine.close();
      return Promise.resolve();
    },
  };
}
