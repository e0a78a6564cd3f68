import { addProduct } from "../matrix.ts";

/**
 * Mixes channels: out[n, i, w] += scale · Σ_u x[n, i, u] W[u, w] for `count` consecutive components i.
 *
 * @param x shape (n_atoms, dIn, C), read from component `first`
 * @param weight shape (C, C)
 * @param out shape (n_atoms, dOut, C), written from component `target`
 */
export function channelMix(
  x: Float64Array,
  weight: Float64Array,
  out: Float64Array,
  at: {
    nAtoms: number;
    channels: number;
    dIn: number;
    first: number;
    dOut: number;
    target: number;
    count: number;
    scale: number;
  },
): void {
  const { nAtoms, channels: C, dIn, first, dOut, target, count, scale } = at;
  for (let n = 0; n < nAtoms; n++) {
    const from = (n * dIn + first) * C;
    const to = (n * dOut + target) * C;
    addProduct(
      out.subarray(to, to + count * C),
      x.subarray(from, from + count * C),
      weight,
      count,
      C,
      C,
      scale,
    );
  }
}

/** Weights of one element out of skip weights (n_skip, C, n_elements, C): the matrix (C, C) of degree l. */
export function elementWeights(
  skip: Float64Array,
  l: number,
  element: number,
  nElements: number,
  channels: number,
): Float64Array {
  const out = new Float64Array(channels * channels);
  for (let u = 0; u < channels; u++) {
    const from = ((l * channels + u) * nElements + element) * channels;
    out.set(skip.subarray(from, from + channels), u * channels);
  }
  return out;
}
