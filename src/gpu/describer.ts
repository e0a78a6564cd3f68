import type { Describer } from "../backend.ts";
import type { Frame } from "../frame.ts";
import { bakeSchnet } from "../model/bake_schnet.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "../model/descriptor_model.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { elementFractions, type Pooling } from "../model/pooling.ts";
import type { SchnetModel } from "../model/schnet_model.ts";
import { describeFrames } from "./describe.ts";
import { describeSchnet, destroySchnet, uploadSchnet } from "./describe_schnet.ts";
import { BATCH_ATOMS, type Device, openMace, runInBatches, splitGraphs } from "./engine.ts";

/** Frames of one batch, and their rows: of their atoms, or pooled. */
interface Described {
  readonly frames: readonly { readonly species: Uint8Array }[];
  readonly result: Float32Array;
}

/** A model on the device. */
interface Engine {
  describe(frames: readonly Frame[], pooling: Pooling | null): AsyncIterable<Described>;
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
    async *describe(frames, pooling) {
      for (const group of engine.groups(frames)) {
        const run = (some: readonly Frame[], capacity: number) =>
          engine.tiling.run((paths) =>
            describeFrames(
              ...[gpu, kernels, group.model, engine.layers, paths, some, capacity] as const,
              pooling,
            )
          );
        yield* runInBatches(device, engine, group.frames, model.rMax, "describe", run);
      }
    },
    close: () => engine.close(),
  };
}

function schnetEngine(
  device: Device,
  model: SchnetModel,
  nLayers: number,
  elements: readonly number[],
): Engine {
  const { gpu, kernels } = device;
  const baked = bakeSchnet(model, nLayers);
  const layers = uploadSchnet(gpu, baked);
  const needs = {
    bytesPerAtom: 4 * Math.max(baked.padded, ...baked.layers.map(({ nFilters }) => nFilters)),
    bytesPerEdge: 16,
  };
  return {
    async *describe(frames, pooling) {
      for (const part of splitGraphs(device, needs, frames, model.rMax)) {
        const tensors = [gpu, kernels, baked, layers, elements, part, pooling] as const;
        yield { frames: part, result: await describeSchnet(...tensors) };
      }
    },
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
  return {
    width,
    batchAtoms: BATCH_ATOMS,
    async describe(frames) {
      const out: Float32Array[] = [];
      for await (const { frames: some, result } of engine.describe(frames, null)) {
        let at = 0;
        for (const { species } of some) {
          out.push(result.slice(at, at += species.length * width));
        }
      }
      return out;
    },
    async pool(frames, pooling) {
      const out: Float64Array[] = [];
      for await (const { frames: some, result } of engine.describe(frames, pooling)) {
        const each = result.length / some.length;
        some.forEach(({ species }, f) => {
          const row = result.subarray(f * each, (f + 1) * each);
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
