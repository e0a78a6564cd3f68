import type { ModelWeights } from "../model/model_weights.ts";
import { tensorsOf } from "../train/weights.ts";

/** Largest error of a row of `width` numbers relative to its norm. */
export function rowError(
  actual: ArrayLike<number>,
  exact: ArrayLike<number>,
  width: number,
): number {
  let worst = 0;
  for (let i = 0; i < exact.length; i += width) {
    let [difference, norm] = [0, 0];
    for (let k = i; k < i + width; k++) {
      difference += (actual[k] - exact[k]) ** 2;
      norm += exact[k] ** 2;
    }
    worst = Math.max(worst, Math.sqrt(difference / norm));
  }
  return worst;
}

/** Largest error relative to the largest number. */
export function largestError(actual: ArrayLike<number>, exact: ArrayLike<number>): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - exact[i]));
    largest = Math.max(largest, Math.abs(exact[i]));
  }
  return worst / largest;
}

/** Norm of the difference of two gradients, relative to that of the exact one. */
export function gradientError(actual: ModelWeights, exact: ModelWeights): number {
  const wanted = tensorsOf(exact);
  let [squares, norm] = [0, 0];
  tensorsOf(actual).forEach(({ numbers }, k) => {
    numbers.forEach((x, i) => {
      squares += (x - wanted[k].numbers[i]) ** 2;
      norm += wanted[k].numbers[i] ** 2;
    });
  });
  return Math.sqrt(squares / norm);
}
