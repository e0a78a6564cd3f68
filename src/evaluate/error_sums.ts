/** Sums over numbers of a model and their labels, of which every error is made. */
export interface ErrorSums {
  readonly n: number;
  /** Σ (model - label)². */
  readonly squares: number;
  /** Σ |model - label|. */
  readonly absolute: number;
  /** Σ model², Σ label², Σ model · label. */
  readonly model: number;
  readonly label: number;
  readonly product: number;
}

const NOTHING: ErrorSums = { n: 0, squares: 0, absolute: 0, model: 0, label: 0, product: 0 };

/** The sums of some numbers and their labels. */
export function sumErrors(model: ArrayLike<number>, label: ArrayLike<number>): ErrorSums {
  const sums = { ...NOTHING, n: model.length };
  for (let i = 0; i < model.length; i++) {
    const difference = model[i] - label[i];
    sums.squares += difference * difference;
    sums.absolute += Math.abs(difference);
    sums.model += model[i] * model[i];
    sums.label += label[i] * label[i];
    sums.product += model[i] * label[i];
  }
  return sums;
}

/** The sums over several parts. */
export function totalOf(parts: Iterable<ErrorSums>): ErrorSums {
  const total: Record<keyof ErrorSums, number> = { ...NOTHING };
  for (const part of parts) {
    for (const key of Object.keys(NOTHING) as (keyof ErrorSums)[]) total[key] += part[key];
  }
  return total;
}

/** Root of the mean square; NaN of nothing. */
export function rmse({ n, squares }: ErrorSums): number {
  return Math.sqrt(squares / n);
}

/** Mean of the absolute errors; NaN of nothing. */
export function mae({ n, absolute }: ErrorSums): number {
  return absolute / n;
}

/** Error in per cent of the labels' root of the mean square, as mace tells it. */
export function relativeRmse({ squares, label }: ErrorSums): number {
  return 100 * Math.sqrt(squares / label);
}

/** Correlation of labels and model through zero: 1 where they are proportional, -1 where opposite. */
export function correlation({ model, label, product }: ErrorSums): number {
  return product / Math.sqrt(model * label);
}

/** The number that the model's numbers have to be multiplied with to come nearest to the labels. */
export function slope({ model, product }: ErrorSums): number {
  return product / model;
}
