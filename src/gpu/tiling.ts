import type { BakedModel } from "../model/bake.ts";
import type { Gpu } from "./device.ts";
import {
  PathCompiler,
  type PathKernels,
  type PathSources,
  type TrainingKernels,
} from "./path_kernels.ts";

/** Lanes of a workgroup of the atomic basis, one channel each. */
export const LANES = [64, 32, 128];

/** The kernels of every path, layer by layer. */
type Paths = readonly PathKernels[];

/** How one model is run. */
export interface Tiling {
  /** Runs a batch; the first one is run with every tiling, and the fastest stays. */
  run<T>(batch: (paths: Paths) => Promise<T>): Promise<T>;
}

/**
 * Tilings of the atomic basis and its adjoint. Which one is fastest depends on the adapter: the first
 * batch of a model decides, and models of the same shape share the decision. Descriptors do not depend
 * on it, forces to rounding. A software adapter is not worth the trial and has the first.
 */
export class Tilings {
  readonly #compiler: PathCompiler;
  readonly #chosen = new Map<string, number>();

  constructor(readonly gpu: Gpu, sources: PathSources) {
    this.#compiler = new PathCompiler(gpu, sources);
  }

  /** The kernels of training, with one tiling. */
  training(model: BakedModel): Promise<TrainingKernels[]> {
    return Promise.all(model.layers.map((layer) => this.#compiler.openTraining(layer, LANES[0])));
  }

  /** @param adjoint whether the kernels of the way back are wanted too */
  async of(model: BakedModel, adjoint: boolean): Promise<Tiling> {
    const shape = JSON.stringify([
      adjoint,
      model.layers.map(({ width, degrees }) => [width, degrees]),
    ]);
    const open = (lanes: number) =>
      Promise.all(model.layers.map((layer) => this.#compiler.open(layer, lanes, adjoint)));
    const known = this.gpu.software ? LANES[0] : this.#chosen.get(shape);
    if (known !== undefined) {
      const paths = await open(known);
      return { run: (batch) => batch(paths) };
    }
    const candidates = await Promise.all(LANES.map(open));
    let best: Paths | null = null;
    const chosen = this.#chosen;
    return {
      async run<T>(batch: (paths: Paths) => Promise<T>): Promise<T> {
        if (best) return batch(best);
        let [least, result] = [Infinity, await batch(candidates[0])];
        for (const [i, paths] of candidates.entries()) {
          const start = performance.now();
          result = await batch(paths);
          const time = performance.now() - start;
          if (time >= least) continue;
          [least, best] = [time, paths];
          chosen.set(shape, LANES[i]);
        }
        return result;
      },
    };
  }
}
