/** A learning rate that falls where the validation loss does. */
export interface Plateau {
  learningRate: number;
  /** Least loss so far. */
  best: number;
  /** Losses since then that were no better. */
  waited: number;
}

/** Losses have to fall by this share to be better. */
const THRESHOLD = 1e-4;

/** The state before the first loss. */
export function plateau(learningRate: number): Plateau {
  return { learningRate, best: Infinity, waited: 0 };
}

/** Tells a loss: after more than `patience` that were no better the learning rate is multiplied by
 * `factor`. `ReduceLROnPlateau` of PyTorch with its defaults. */
export function tellLoss(
  state: Plateau,
  loss: number,
  { factor, patience }: { readonly factor: number; readonly patience: number },
): void {
  if (loss < state.best * (1 - THRESHOLD)) {
    state.best = loss;
    state.waited = 0;
  } else state.waited++;
  if (state.waited <= patience) return;
  state.learningRate *= factor;
  state.waited = 0;
}
