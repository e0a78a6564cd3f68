import { covalentRadius } from "../covalent_radius.ts";
import { MAX_ATOMIC_NUMBER } from "../frame.ts";
import { uniformStream } from "../rng.ts";
import {
  type Contraction,
  type MaceLayer,
  type MaceModel,
  messagePaths,
  NO_FACTOR,
} from "./mace_model.ts";

/** Changes where the numbers of the descriptor do. */
export const BUILT_IN_VERSION = 1;

/** Cutoff: so many covalent radii of the largest element, Å, and no less than this. */
const [REACH_RADII, LEAST_CUTOFF] = [3.2, 4.5];
/** Radial functions; exponent of the cutoff function. */
const [N_BESSEL, CUTOFF_POWER] = [6, 2];
const L_MAX = 3;
/** Invariants of the neighbor density: none (the element of the atom alone), its integral, and its power
 * spectrum of degree 0 … L_MAX. */
const N_TYPES = 3 + L_MAX;
/** Mixtures of the radial functions and of the elements, of each type. */
const N_MIXTURES = 16;
const C = N_TYPES * N_MIXTURES;
const N_ELEMENTS = MAX_ATOMIC_NUMBER;
/** Divides the sums over neighbors; standardised features do not depend on it. */
const NEIGHBORS = 10;
const STREAM = { radial: 501n, sender: 502n, receiver: 503n, composition: 504n };

/**
 * A descriptor for every element without trained weights: an atomic cluster expansion (Drautz 2019) of
 * body order up to 3, in tensor-reduced form (Darby et al. 2023): every channel sees the neighbors
 * through one fixed random mixture of Bessel functions and of elements. It is a MACE model of one layer
 * whose weights are formulas, so that every backend runs it. What was tried, and what it is worth:
 * `bench/selection/README.md`.
 *
 * Channel c has type c mod N_TYPES and mixture m = ⌊c / N_TYPES⌋. Even mixtures see all elements alike.
 *
 * @param species atomic numbers of the pool; the cutoff depends on the largest of these atoms
 */
export function builtInModel(species: readonly number[]): MaceModel {
  const rMax = builtInCutoff(species);
  const elements = Array.from({ length: N_ELEMENTS }, (_, i) => i + 1);
  return {
    kind: "ACE",
    elements,
    elementNormalizer: 1,
    rMax,
    channels: C,
    lMax: L_MAX,
    dtype: "float64",
    heads: [],
    siluScale: 1,
    radial: {
      bessel: Float64Array.from({ length: N_BESSEL }, (_, n) => (n + 1) * Math.PI / rMax),
      prefactor: Math.sqrt(2 / rMax),
      cutoffPower: CUTOFF_POWER,
      agnesi: null,
    },
    embedding: perElement(STREAM.sender),
    layers: [expansion()],
    readouts: [],
    atomicEnergies: new Float64Array(0),
    scale: Float64Array.of(1),
    shift: Float64Array.of(0),
    zbl: null,
  };
}

/** Cutoff for a pool of these elements, Å: 4.5 up to iron and lead, 7.8 with caesium. */
export function builtInCutoff(species: readonly number[]): number {
  return Math.max(LEAST_CUTOFF, ...species.map((z) => REACH_RADII * covalentRadius(z)));
}

function expansion(): MaceLayer {
  const paths = messagePaths(0, L_MAX);
  return {
    density: false,
    residual: true,
    avgNumNeighbors: NEIGHBORS,
    lIn: 0,
    lOut: 0,
    linearUp: identities(1),
    radialMlp: [radialMixtures(paths.length)],
    radialWidths: [N_BESSEL, paths.length * C],
    paths,
    linear: identities(paths.length),
    densityWeight: null,
    skip: composition(),
    nSkip: 1,
    contractions: [invariants()],
    productLinear: identities(1),
  };
}

/** Standard normal numbers of a stream (Box and Muller 1958), each a function of its id. */
function normals(stream: bigint): (id: number) => number {
  const uniform = uniformStream(0n, stream);
  return (id) =>
    Math.sqrt(-2 * Math.log(uniform(BigInt(2 * id)))) *
    Math.cos(2 * Math.PI * uniform(BigInt(2 * id + 1)));
}

const typeOf = (c: number) => c % N_TYPES;
const mixtureOf = (c: number) => Math.floor(c / N_TYPES);

/** One in even mixtures, a normal number of mixture and element in odd ones, shape (n_elements, C). */
function perElement(stream: bigint): Float64Array {
  const [own, composition] = [normals(stream), normals(STREAM.composition)];
  return Float64Array.from({ length: N_ELEMENTS * C }, (_, i) => {
    const [z, c] = [Math.floor(i / C), i % C];
    const id = mixtureOf(c) * (N_ELEMENTS + 1) + z + 1;
    if (typeOf(c) === 0) return composition(id);
    return mixtureOf(c) % 2 === 0 ? 1 : own(id);
  });
}

/** Mixtures of the Bessel functions, R_c = Σ_n b_n w_nc / (n + 1), the same for all paths; shape
 * (n_bessel, n_paths, C), times what the layer divides by. */
function radialMixtures(nPaths: number): Float64Array {
  const normal = normals(STREAM.radial);
  return Float64Array.from({ length: N_BESSEL * nPaths * C }, (_, i) => {
    const [n, c] = [Math.floor(i / (nPaths * C)), i % C];
    return Math.sqrt(N_BESSEL) * normal(c * N_BESSEL + n) / (n + 1);
  });
}

/** Unit matrices times √C, which linear layers divide by, shape (count, C, C). */
function identities(count: number): Float64Array {
  const out = new Float64Array(count * C * C);
  for (let i = 0; i < count * C; i++) out[i * C + i % C] = Math.sqrt(C);
  return out;
}

/** Adds the embedding itself to channels of type 0: their mean over atoms tells the composition; shape
 * (1, C, n_elements, C). */
function composition(): Float64Array {
  const out = new Float64Array(C * N_ELEMENTS * C);
  for (let c = 0; c < C; c += N_TYPES) {
    for (let z = 0; z < N_ELEMENTS; z++) out[(c * N_ELEMENTS + z) * C + c] = Math.sqrt(C);
  }
  return out;
}

/** A_00 in channels of type 1, Σ_m A_lm² / √(2l + 1) in those of type 2 + l, times the receiver's number. */
function invariants(): Contraction {
  const monomials: (readonly [indices: number[], path: number, value: number])[] = [[[0], 0, 1]];
  for (let l = 0; l <= L_MAX; l++) {
    for (let lm = l * l; lm < (l + 1) ** 2; lm++) {
      monomials.push([[lm, lm], 1 + l, 1 / Math.sqrt(2 * l + 1)]);
    }
  }
  const [nTerms, nPaths] = [monomials.length, N_TYPES - 1];
  const indices = new Uint8Array(3 * nTerms).fill(NO_FACTOR);
  const basis = new Float64Array(nTerms * nPaths);
  monomials.forEach(([factors, path, value], t) => {
    indices.set(factors, 3 * t);
    basis[t * nPaths + path] = value;
  });
  const receiver = perElement(STREAM.receiver);
  const weights = new Float64Array(N_ELEMENTS * nPaths * C);
  for (let z = 0; z < N_ELEMENTS; z++) {
    for (let c = 0; c < C; c++) {
      const path = typeOf(c) - 1;
      if (path >= 0) weights[(z * nPaths + path) * C + c] = receiver[z * C + c];
    }
  }
  return { l: 0, nTerms, nPaths, component: new Uint8Array(nTerms), indices, basis, weights };
}
