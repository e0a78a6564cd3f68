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
