import { WeightsError } from "../errors.ts";
import { type Contraction, NO_FACTOR } from "../model/mace_model.ts";
import { type Checkpoint, numbers, tensor } from "./checkpoint.ts";

/** Symmetrised couplings below this are rounding noise; the smallest genuine one is 0.0072. */
const NOISE = { F64: 1e-10, F32: 1e-6 } as const;
const FACTOR = 32;

/**
 * Reads the contraction of one output degree. A checkpoint holds U matrices, shape
 * (2l + 1, d, …, d, n_paths) with one d per factor; their entries are summed over permutations of the
 * factors into monomials. Exported weights hold the monomials themselves.
 *
 * @param prefix such as `products.0.symmetric_contractions.contractions.1.`
 * @param d number of components of the atomic basis, (lMax + 1)²
 */
export function readContraction(
  checkpoint: Checkpoint,
  prefix: string,
  l: number,
  shape: { d: number; channels: number; nElements: number },
): Contraction {
  const terms = checkpoint.tensors.has(`${prefix}monomials`)
    ? readMonomials(checkpoint, prefix, shape.d, l)
    : symmetrize(checkpoint, prefix, shape.d, l);
  return { l, ...terms, weights: readPathWeights(checkpoint, prefix, terms.nPaths, shape) };
}

/** Highest correlation order of a contraction, 1 … 3. */
function correlation(checkpoint: Checkpoint, prefix: string): number {
  let order = 1;
  while (checkpoint.tensors.has(`${prefix}weights.${order - 1}`)) order++;
  return order;
}

/** Weights of order ν are `weights_max` for the highest order and `weights.(max - 1 - ν)` below. */
function orderName(prefix: string, order: number, highest: number): string {
  return order === highest ? `${prefix}weights_max` : `${prefix}weights.${highest - 1 - order}`;
}

/** Names of the weights of a contraction, by correlation order from 1. */
export function orderNames(checkpoint: Checkpoint, prefix: string): string[] {
  const highest = correlation(checkpoint, prefix);
  return Array.from({ length: highest }, (_, k) => orderName(prefix, k + 1, highest));
}

function readPathWeights(
  checkpoint: Checkpoint,
  prefix: string,
  nPaths: number,
  { nElements, channels }: { nElements: number; channels: number },
): Float64Array {
  const out = new Float64Array(nElements * nPaths * channels);
  let first = 0;
  for (const name of orderNames(checkpoint, prefix)) {
    const { data, shape } = tensor(checkpoint, name);
    const n = shape[1];
    if (shape.length !== 3 || shape[0] !== nElements || shape[2] !== channels) {
      throw new WeightsError(`tensor "${name}" has shape (${shape.join(", ")})`);
    }
    for (let z = 0; z < nElements; z++) {
      const rows = data.subarray(z * n * channels, (z + 1) * n * channels);
      if (first + n > nPaths) break;
      out.set(rows, (z * nPaths + first) * channels);
    }
    first += n;
  }
  if (first !== nPaths) {
    throw new WeightsError(`"${prefix}weights" has ${first} coupling paths, expected ${nPaths}`);
  }
  return out;
}

function readMonomials(checkpoint: Checkpoint, prefix: string, d: number, l: number) {
  const { shape, data } = tensor(checkpoint, `${prefix}monomials`);
  const nTerms = shape[0];
  const basis = tensor(checkpoint, `${prefix}couplings`);
  const nPaths = basis.shape[1];
  if (shape[1] !== 4 || basis.shape[0] !== nTerms) {
    throw new WeightsError(`"${prefix}monomials" does not match its couplings`);
  }
  const component = new Uint8Array(nTerms);
  const indices = new Uint8Array(3 * nTerms);
  for (let t = 0; t < nTerms; t++) {
    component[t] = data[4 * t];
    for (let i = 0; i < 3; i++) indices[3 * t + i] = data[4 * t + 1 + i];
    const known = indices.subarray(3 * t, 3 * t + 3).every((i) => i < d || i === NO_FACTOR);
    if (component[t] > 2 * l || !known || indices[3 * t] === NO_FACTOR) {
      throw new WeightsError(`"${prefix}monomials" names a component that does not exist`);
    }
  }
  return { nTerms, nPaths, component, indices, basis: basis.data };
}

/** Monomials from U matrices: equal products of factors are collected, noise is dropped. */
function symmetrize(checkpoint: Checkpoint, prefix: string, d: number, l: number) {
  const highest = correlation(checkpoint, prefix);
  const paths: number[] = [];
  for (let order = 1; order <= highest; order++) {
    const { data } = tensor(checkpoint, `${prefix}U_matrix_${order}`);
    const rows = (2 * l + 1) * d ** order;
    if (data.length === 0 || data.length % rows !== 0) {
      throw new WeightsError(`tensor "${prefix}U_matrix_${order}" has ${data.length} numbers`);
    }
    paths.push(data.length / rows);
  }
  const nPaths = paths.reduce((sum, n) => sum + n, 0);
  const monomials = new Map<number, Float64Array>();
  let first = 0;
  for (let order = 1; order <= highest; order++) {
    const u = numbers(checkpoint, `${prefix}U_matrix_${order}`);
    const n = paths[order - 1];
    for (let i = 0; i < u.length; i++) {
      if (u[i] === 0) continue;
      const key = monomialKey(Math.floor(i / n), d, order);
      let row = monomials.get(key);
      if (!row) monomials.set(key, row = new Float64Array(nPaths));
      row[first + i % n] += u[i];
    }
    first += n;
  }
  const dtype = tensor(checkpoint, `${prefix}U_matrix_1`).dtype;
  const noise = dtype === "F64" ? NOISE.F64 : NOISE.F32;
  const kept = [...monomials].map(([key, row]) =>
    [key, row.map((value) => (Math.abs(value) > noise ? value : 0))] as const
  ).filter(([, row]) => row.some((value) => value !== 0)).sort(([a], [b]) => a - b);
  return pack(kept, nPaths);
}

/** A number for (component, sorted factors); padding sorts behind every factor. */
function monomialKey(row: number, d: number, order: number): number {
  const factors: number[] = [];
  for (let i = 0; i < order; i++) {
    factors.push(row % d);
    row = Math.floor(row / d);
  }
  factors.sort((a, b) => a - b);
  while (factors.length < 3) factors.push(FACTOR - 1);
  return factors.reduce((key, factor) => key * FACTOR + factor, row);
}

function pack(kept: (readonly [number, Float64Array])[], nPaths: number) {
  const nTerms = kept.length;
  const component = new Uint8Array(nTerms);
  const indices = new Uint8Array(3 * nTerms);
  const basis = new Float64Array(nTerms * nPaths);
  kept.forEach(([key, row], t) => {
    for (let i = 2; i >= 0; i--) {
      const factor = key % FACTOR;
      indices[3 * t + i] = factor === FACTOR - 1 ? NO_FACTOR : factor;
      key = Math.floor(key / FACTOR);
    }
    component[t] = key;
    basis.set(row, t * nPaths);
  });
  return { nTerms, nPaths, component, indices, basis };
}
