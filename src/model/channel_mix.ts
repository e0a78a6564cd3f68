import { addProduct, transposed } from "../matrix.ts";

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

/**
 * Adjoint of `channelMix` for its weights: W̄[u, w] += scale · Σ_n,i x[n, i, u] out̄[n, i, w].
 *
 * @param weightBar added to, shape (C, C)
 */
export function channelMixWeights(
  x: Float64Array,
  outBar: Float64Array,
  weightBar: Float64Array,
  at: Parameters<typeof channelMix>[3],
): void {
  const { nAtoms, channels: C, dIn, first, dOut, target, count, scale } = at;
  for (let n = 0; n < nAtoms; n++) {
    const [from, to] = [(n * dIn + first) * C, (n * dOut + target) * C];
    const rows = transposed(x.subarray(from, from + count * C), count, C);
    addProduct(weightBar, rows, outBar.subarray(to, to + count * C), C, count, C, scale);
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

/** Adds the weights of one element and degree to their places among all: the adjoint of
 * `elementWeights`. */
export function addElementWeights(
  weights: Float64Array,
  l: number,
  element: number,
  nElements: number,
  channels: number,
  skip: Float64Array,
): void {
  for (let u = 0; u < channels; u++) {
    const to = ((l * channels + u) * nElements + element) * channels;
    for (let w = 0; w < channels; w++) skip[to + w] += weights[u * channels + w];
  }
}
