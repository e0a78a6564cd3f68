/** A mean of correlated numbers, and how well it is known. */
export interface BlockAverage {
  /** Of all numbers. */
  readonly mean: number;
  /** Standard error of the mean; NaN where the numbers are too few to tell. */
  readonly error: number;
  /** Numbers that stand for one independent one; NaN as above. */
  readonly inefficiency: number;
}

/** Fewer blocks tell no error. */
const FEWEST = 8;

/**
 * Block averages (Flyvbjerg and Petersen 1989): neighbours are averaged again and again, and the error of the mean
 * grows until the blocks are independent. The shortest blocks are taken of whose length B holds B³ > 2 n g², g being
 * the inefficiency that they show (Lee et al. 2011): longer ones would tell the same with more noise.
 *
 * @param values in the order of time, shape (n)
 */
export function blockAverage(values: ArrayLike<number>): BlockAverage {
  const n = values.length;
  let blocks: Float64Array = Float64Array.from(values);
  const mean = meanOf(blocks);
  const single = squaredError(blocks);
  if (single === 0) return { mean, error: 0, inefficiency: 1 };
  for (let length = 1; blocks.length >= FEWEST; length *= 2) {
    const squared = squaredError(blocks);
    const g = squared / single;
    if (length ** 3 > 2 * n * g * g) return { mean, error: Math.sqrt(squared), inefficiency: g };
    blocks = halved(blocks);
  }
  return { mean, error: NaN, inefficiency: NaN };
}

/** Means of neighbours; an odd one at the end is left out. */
function halved(blocks: Float64Array): Float64Array {
  return Float64Array.from(
    { length: Math.floor(blocks.length / 2) },
    (_, i) => 0.5 * (blocks[2 * i] + blocks[2 * i + 1]),
  );
}

/** Squared standard error of the mean of independent numbers. */
function squaredError(values: Float64Array): number {
  const mean = meanOf(values);
  const sum = values.reduce((total, x) => total + (x - mean) ** 2, 0);
  return sum / (values.length * (values.length - 1));
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
