import type { Backend } from "../backend.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { FrameKey } from "../select/frame_key.ts";
import type { Scaling } from "../linalg/standardize.ts";
import { rmseOf } from "../train/errors.ts";
import type { LabelledFrame } from "../train/trainer.ts";

/** Energies per atom, eV: constant + Σ_j weights_j f_j of the mean descriptors f of a frame. */
export interface LinearReadout {
  /** Shape (d). */
  readonly weights: Float64Array;
  readonly constant: number;
}

/** What a linear readout of energies is worth as a force field. */
export interface ReadoutForces {
  /** Error of the forces on frames, eV/Å; root of a mean square. */
  rmse(readout: LinearReadout, test: readonly FrameKey[]): Promise<number>;
}

/** The readout of standardised descriptors as one of the descriptors themselves. */
export function unscaled(
  { weights, constant }: LinearReadout,
  { mean, factor }: Scaling,
): LinearReadout {
  const own = weights.map((w, j) => w * factor[j]);
  return { weights: own, constant: own.reduce((sum, w, j) => sum - w * mean[j], constant) };
}

/**
 * The model whose energy is a linear readout of its descriptors: the energy of a frame is the sum over its atoms of
 * constant + Σ_j weights_j d_j, d the invariants of its layers one after another, so that its mean per atom is that of
 * the mean descriptors.
 *
 * @param readout of the invariants of the first layers, or of all
 */
export function linearModel(model: MaceModel, { weights, constant }: LinearReadout): MaceModel {
  const { channels: C, layers, elements } = model;
  return {
    ...model,
    heads: ["linear"],
    readouts: layers.map((_, t) => ({
      kind: "linear" as const,
      // A readout is divided by √C.
      weight: Float64Array.from({ length: C }, (_, c) => Math.sqrt(C) * (weights[t * C + c] ?? 0)),
    })),
    atomicEnergies: new Float64Array(elements.length),
    scale: Float64Array.of(1),
    shift: Float64Array.of(constant),
    zbl: null,
  };
}

/** @param frames what each row stands for */
export function openReadoutForces(
  backend: Backend,
  model: MaceModel,
  frames: ReadonlyMap<FrameKey, LabelledFrame>,
): ReadoutForces {
  return {
    async rmse(readout, test) {
      const held = test.map((key) => frames.get(key)!);
      const potential = await backend.openPotential(linearModel(model, readout), [
        ...model.elements,
      ], 0);
      try {
        const { forces } = rmseOf(held, await potential.predict(held.map(({ frame }) => frame)));
        return forces;
      } finally {
        await potential.close();
      }
    },
  };
}
