/** What Adam remembers of every number. */
export interface AdamState {
  /** Steps that were made. */
  step: number;
  /** Means of gradients, and of their squares, tensor by tensor. */
  readonly first: readonly Float64Array[];
  readonly second: readonly Float64Array[];
  /** Largest mean of squares so far, uncorrected; null without AMSGrad. */
  readonly largest: readonly Float64Array[] | null;
}

/** How fast Adam goes; `mace_run_train` names and defaults. */
export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** State before the first step. */
export function adamState(weights: readonly Float64Array[], amsgrad: boolean): AdamState {
  const zeros = () => weights.map((x) => new Float64Array(x.length));
  return { step: 0, first: zeros(), second: zeros(), largest: amsgrad ? zeros() : null };
}

/**
 * One step of Adam (Kingma and Ba 2015) as PyTorch takes it, with AMSGrad (Reddi et al. 2018) on the
 * uncorrected second moment and the decay coupled: g ← g + decay · θ.
 *
 * @param weights moved in place
 * @param gradients of the tensors, clipped
 * @param decay of each tensor
 */
export function adamStep(
  weights: readonly Float64Array[],
  gradients: readonly Float64Array[],
  decay: readonly number[],
  state: AdamState,
  { learningRate, beta1, beta2, epsilon }: AdamOptions,
): void {
  state.step++;
  const rate = learningRate / (1 - beta1 ** state.step);
  const root = Math.sqrt(1 - beta2 ** state.step);
  weights.forEach((theta, k) => {
    const [m, v] = [state.first[k], state.second[k]];
    for (let i = 0; i < theta.length; i++) {
      const g = gradients[k][i] + decay[k] * theta[i];
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const most = state.largest ? Math.max(state.largest[k][i], v[i]) : v[i];
      if (state.largest) state.largest[k][i] = most;
      theta[i] -= rate * m[i] / (Math.sqrt(most) / root + epsilon);
    }
  });
}

/**
 * Scales gradients so that their common norm is `most` at most, as PyTorch does: by
 * most / (norm + 1e-6) where that is below 1.
 *
 * @param gradients scaled in place
 * @returns the norm before
 */
export function clipNorm(gradients: readonly Float64Array[], most: number): number {
  let squares = 0;
  for (const gradient of gradients) for (const g of gradient) squares += g * g;
  const norm = Math.sqrt(squares);
  const factor = most / (norm + 1e-6);
  if (factor < 1) {
    for (const gradient of gradients) {
      for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
    }
  }
  return norm;
}
