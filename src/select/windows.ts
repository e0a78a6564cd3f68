import type { Matrix } from "../matrix.ts";

/** Relative error of one float32 rounding. */
const HALF_ULP = 2 ** -24;
const LARGEST_FLOAT = 3.4028234663852886e38;

/** What a float32 kernel needs to sort squared distances into radii without a wrong decision. */
export interface Float32Windows {
  /** Points minus their mean, shape (n, K), float32. */
  readonly centred: Float32Array;
  /** A squared distance within [low_b, high_b] may lie on either side of radius b, shape (n_radii). */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** First radius whose window may reach a squared distance with these upper 16 bits, shape (65536). */
  readonly start: Uint8Array;
}

/**
 * Windows of squared distances that float32 arithmetic cannot place. With coordinates up to z, each
 * difference carries an error up to ε = 2^-22 z, and a squared distance at radius r one up to
 * 2 √K r ε + K ε² + (K + 2) 2^-23 r²; the windows are twice as wide.
 *
 * @param points shape (n, K)
 * @param radii ascending, at most 255
 */
export function float32Windows(points: Matrix, radii: Float64Array): Float32Windows {
  if (radii.length > 255) {
    throw new RangeError(`Cannot sort into ${radii.length} radii, at most 255`);
  }
  const { data, rows, cols } = points;
  const centred = new Float32Array(data.length);
  let largest = 0;
  for (let k = 0; k < cols; k++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += data[i * cols + k] / rows;
    for (let i = 0; i < rows; i++) {
      const value = data[i * cols + k] - mean;
      centred[i * cols + k] = value;
      largest = Math.max(largest, Math.abs(value));
    }
  }
  const epsilon = 4 * HALF_ULP * largest;
  const low = new Float32Array(radii.length);
  const high = new Float32Array(radii.length);
  radii.forEach((r, b) => {
    const width = 2 * (2 * Math.sqrt(cols) * r * epsilon + cols * epsilon * epsilon +
      (cols + 2) * 2 * HALF_ULP * r * r);
    low[b] = Math.max(r * r - width, 0);
    high[b] = Math.min(r * r + width, LARGEST_FLOAT);
  });
  return { centred, low, high, start: startTable(high) };
}

function startTable(high: Float32Array): Uint8Array {
  const start = new Uint8Array(65536);
  const bits = new DataView(new ArrayBuffer(4));
  let b = 0;
  // Positive floats are ordered as their bits; beyond infinity there is nothing to look up.
  for (let upper = 0; upper < 0x7F80; upper++) {
    bits.setUint32(0, upper << 16);
    while (b < high.length - 1 && high[b] < bits.getFloat32(0)) b++;
    start[upper] = b;
  }
  return start;
}
