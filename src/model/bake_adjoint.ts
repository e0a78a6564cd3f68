import type { BakedLayer } from "./bake.ts";

/**
 * The linear weights of a baked layer, each matrix transposed: what leads an adjoint back. What enters
 * the first layer has no adjoint.
 */
export interface AdjointWeights {
  /** Shape (lIn + 1, padded, padded); null in the first layer. */
  readonly up: Float32Array | null;
  /** Shape (n_elements or 1, n_paths, padded, groups · width). */
  readonly message: Float32Array;
  /** Shape (n_elements, n_skip, padded, padded), or null. */
  readonly skip: Float32Array | null;
  /** Shape (lOut + 1, padded, padded). */
  readonly product: Float32Array;
}

/** Transposes the weights of a layer. */
export function bakeAdjoint(
  { up, message, skip, product, groups, width }: BakedLayer,
  padded: number,
): AdjointWeights {
  return {
    up: up && transposeAll(up, padded, padded),
    message: transposeAll(message, groups * width, padded),
    skip: up && skip && transposeAll(skip, padded, padded),
    product: transposeAll(product, padded, padded),
  };
}

/** Matrices (n, m) one after the other become (m, n) each. */
function transposeAll(matrices: Float32Array, n: number, m: number): Float32Array {
  const out = new Float32Array(matrices.length);
  for (let start = 0; start < matrices.length; start += n * m) {
    for (let u = 0; u < n; u++) {
      for (let w = 0; w < m; w++) out[start + w * n + u] = matrices[start + u * m + w];
    }
  }
  return out;
}
