/**
 * Moves averages of weights, which start at the weights, towards them: a ← a - (1 - d)(a - θ) with
 * d = min(decay, (1 + n) / (10 + n)), as torch_ema does.
 *
 * @param averages moved in place
 * @param update number of this update, from 1
 */
export function updateAverages(
  averages: readonly Float64Array[],
  weights: readonly Float64Array[],
  decay: number,
  update: number,
): void {
  const d = Math.min(decay, (1 + update) / (10 + update));
  averages.forEach((average, k) => {
    for (let i = 0; i < average.length; i++) {
      average[i] -= (1 - d) * (average[i] - weights[k][i]);
    }
  });
}
