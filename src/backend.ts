import type { Frame } from "./frame.ts";
import { neighborList } from "./graph/neighbor_list.ts";
import { covariance } from "./linalg/covariance.ts";
import type { FindSubspace } from "./linalg/pca.ts";
import { leadingColumns, symmetricEigen } from "./linalg/symmetric_eigen.ts";
import { descriptors } from "./model/mace.ts";
import { descriptorLength, type DescriptorModel, isSchnet } from "./model/descriptor_model.ts";
import type { MaceModel } from "./model/mace_model.ts";
import { predict } from "./model/potential.ts";
import type { Prediction } from "./model/prediction.ts";
import { schnetFeatures } from "./model/schnet.ts";
import { poolAtoms, type Pooling } from "./model/pooling.ts";
import { lossGradient } from "./train/loss_gradient.ts";
import type { Trainer } from "./train/trainer.ts";
import { type CountNeighbors, neighborCount } from "./select/neighbor_count.ts";

/** Implementations of the three stages. */
export type BackendName = "gpu" | "cpu" | "reference";

/** A model made ready to describe frames. */
export interface Describer {
  /** Descriptors per atom. */
  readonly width: number;
  /** Atoms that one call should be given, for speed; any number works. */
  readonly batchAtoms: number;
  /** Descriptors of every frame, each of shape (n_atoms, width). */
  describe(frames: readonly Frame[]): Promise<ArrayLike<number>[]>;
  /** Descriptors pooled to one row per frame, `per-element-mean` over the elements that the describer
   * was opened for. */
  pool(frames: readonly Frame[], pooling: Pooling): Promise<Float64Array[]>;
  /** Frees the weights. */
  close(): Promise<void>;
}

/** A model made ready to predict energies and forces. */
export interface Potential {
  /** Atoms that one call should be given, for speed; any number works. */
  readonly batchAtoms: number;
  /** Energies, forces and virials of frames. */
  predict(frames: readonly Frame[]): Promise<Prediction[]>;
  /** Frees the weights. */
  close(): Promise<void>;
}

/**
 * The expensive stages of a distillation, and a potential. What a backend returns in float32 is finished in
 * float64 by `linalg` and `select`, so that every backend leads to the same selection. What was opened last is closed
 * first, and nothing is used while something that was opened after it is open.
 */
export interface Backend {
  /** Which implementation it is. */
  readonly name: BackendName;
  /** Adapter or threads, for reports. */
  readonly description: string;
  /** Makes the first `nLayers` layers ready for frames of the given elements (atomic numbers, ascending). */
  openDescriber(
    model: DescriptorModel,
    nLayers: number,
    elements: readonly number[],
  ): Promise<Describer>;
  /** Makes a model ready to predict with one of its readout heads, for frames of the given elements. */
  openPotential(
    model: MaceModel,
    elements: readonly number[],
    head: number,
  ): Promise<Potential>;
  /** Makes ready to train a model with one of its readout heads, on frames of the given elements. */
  openTrainer(
    model: MaceModel,
    elements: readonly number[],
    head: number,
  ): Promise<Trainer>;
  /** Near the leading subspace of a covariance. */
  readonly leadingSubspace: FindSubspace;
  /** Counts the neighbors of points within radii, exactly. */
  readonly countNeighbors: CountNeighbors;
  /** Frees the device or the threads. */
  close(): Promise<void>;
}

/** Pools what `describe` returns, in float64. */
export function poolDescribed(
  describe: Describer["describe"],
  width: number,
  elements: readonly number[],
): Describer["pool"] {
  return async (frames, pooling) => {
    const described = await describe(frames);
    return frames.map(({ species }, f) =>
      poolAtoms(described[f], species, width, pooling, elements)
    );
  };
}

/** The definitions themselves, in float64 and on one thread. */
export const referenceBackend: Backend = {
  name: "reference",
  description: "float64 definition, 1 thread",
  openDescriber(model, nLayers, elements) {
    const width = descriptorLength(model, nLayers);
    const describe = (frames: readonly Frame[]) =>
      Promise.resolve(frames.map((frame) => {
        const graph = neighborList(frame, model.rMax);
        return isSchnet(model)
          ? schnetFeatures(model, graph, nLayers)
          : descriptors(model, graph, nLayers);
      }));
    return Promise.resolve({
      width,
      batchAtoms: 1,
      describe,
      pool: poolDescribed(describe, width, elements),
      close: () => Promise.resolve(),
    });
  },
  openPotential(model, _elements, head) {
    return Promise.resolve({
      batchAtoms: 1,
      predict: (frames) =>
        Promise.resolve(
          frames.map((frame) => predict(model, neighborList(frame, model.rMax), head)),
        ),
      close: () => Promise.resolve(),
    });
  },
  openTrainer(_model, _elements, head) {
    return Promise.resolve({
      gradient(model, batch, options) {
        const frames = batch.map(({ frame, labels }) => {
          return { frame, labels, graph: neighborList(frame, model.rMax) };
        });
        return Promise.resolve(lossGradient(model, frames, head, options));
      },
      forecast: () => null,
      close: () => Promise.resolve(),
    });
  },
  leadingSubspace(centred, m) {
    const c = covariance(centred);
    return Promise.resolve({
      start: leadingColumns(symmetricEigen(c).vectors, m),
      covariance: c,
    });
  },
  countNeighbors(points, radii) {
    return Promise.resolve({ counts: neighborCount(points, radii), nDecided: 0 });
  },
  close: () => Promise.resolve(),
};
