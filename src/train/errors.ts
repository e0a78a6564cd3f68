import type { Frame } from "../frame.ts";
import { type Prediction, stressOf } from "../model/prediction.ts";
import type { LabelledFrame } from "./trainer.ts";

/** Roots of mean squares over labelled frames: energies eV/atom, forces eV/Å, stress eV/Å³; NaN where nothing
 * is labelled. */
export interface Rmse {
  readonly energy: number;
  readonly forces: number;
  readonly stress: number;
}

/** Errors of predictions, pooled over all frames as `mace_run_train` pools them. */
export function rmseOf(
  frames: readonly LabelledFrame[],
  predictions: readonly Prediction[],
): Rmse {
  const sums = { energy: [0, 0], forces: [0, 0], stress: [0, 0] };
  const add = (sum: number[], error: number) => {
    sum[0] += error * error;
    sum[1]++;
  };
  frames.forEach(({ frame, labels }, f) => {
    const prediction = predictions[f];
    if (labels.energy !== null) {
      add(sums.energy, (prediction.energy - labels.energy) / nAtomsOf(frame));
    }
    labels.forces?.forEach((label, i) => add(sums.forces, prediction.forces[i] - label));
    const stress = labels.stress && stressOf(prediction, frame);
    stress?.forEach((value, i) => add(sums.stress, value - labels.stress![i]));
  });
  const root = ([squares, n]: number[]) => Math.sqrt(squares / n);
  return { energy: root(sums.energy), forces: root(sums.forces), stress: root(sums.stress) };
}

function nAtomsOf({ species }: Frame): number {
  return species.length;
}
