/**
 * What a MACE checkpoint says, checked and typed. All numbers are float64 as stored; normalisations
 * are applied where the equations apply them. Linear weights are (in, out), row-major.
 */
export interface MaceModel {
  /** Class of the model in the checkpoint, such as `ScaleShiftMACE`. */
  readonly kind: string;
  /** Atomic numbers the model knows, in the order of every per-element weight. */
  readonly elements: readonly number[];
  /** Number of elements the weights are normalised by; larger than `elements.length` after slicing. */
  readonly elementNormalizer: number;
  /** Cutoff of the graph, Å. */
  readonly rMax: number;
  /** Multiplicity C of every irrep. */
  readonly channels: number;
  /** Largest l of the spherical harmonics and of the atomic basis. */
  readonly lMax: number;
  /** Precision of the file. */
  readonly dtype: "float32" | "float64";
  /** Names of the readout heads. */
  readonly heads: readonly string[];
  /** κ: scale that gives silu a unit second moment. */
  readonly siluScale: number;
  /** Radial basis of the edges. */
  readonly radial: RadialModel;
  /** Node embedding, shape (n_elements, C). */
  readonly embedding: Float64Array;
  /** Interactions with their product bases. */
  readonly layers: readonly MaceLayer[];
  /** One readout per layer. */
  readonly readouts: readonly Readout[];
  /** Energies of isolated atoms, shape (n_heads, n_elements), eV. */
  readonly atomicEnergies: Float64Array;
  /** Scale and shift of the interaction energy, one per head, eV. */
  readonly scale: Float64Array;
  /** One per head, eV. */
  readonly shift: Float64Array;
  /** Pair repulsion, or null. */
  readonly zbl: ZblModel | null;
}

/** Bessel functions times a polynomial cutoff, of r or of an Agnesi-transformed r. */
export interface RadialModel {
  /** Frequencies of the Bessel functions, shape (n_bessel), 1/Å. */
  readonly bessel: Float64Array;
  /** Factor of the Bessel functions. */
  readonly prefactor: number;
  /** Exponent p of the polynomial cutoff. */
  readonly cutoffPower: number;
  /** Distance transform, or null. */
  readonly agnesi: AgnesiTransform | null;
}

/** Parameters of the Agnesi distance transform. */
export interface AgnesiTransform {
  /** Exponent q. */
  readonly q: number;
  /** Exponent p. */
  readonly p: number;
  /** Factor a. */
  readonly a: number;
  /** Covalent radii by atomic number, Å. */
  readonly covalentRadii: Float64Array;
}

/** Parameters of the Ziegler-Biersack-Littmark pair repulsion. */
export interface ZblModel {
  /** Coefficients of the four exponentials. */
  readonly coefficients: Float64Array;
  /** Exponent p of the polynomial cutoff. */
  readonly cutoffPower: number;
  /** Exponent of the atomic numbers in the screening length. */
  readonly exponent: number;
  /** Factor of the screening length. */
  readonly prefactor: number;
  /** Covalent radii by atomic number, Å. */
  readonly covalentRadii: Float64Array;
}

/** (l1, l2, l3): node features of degree l1 times harmonics of degree l2 give a message of degree l3. */
export type Path = readonly [l1: number, l2: number, l3: number];

/** One interaction and the product basis that follows it. */
export interface MaceLayer {
  /** Messages are divided by a learned density (true) or by `avgNumNeighbors` (false). */
  readonly density: boolean;
  /** Input features are added to the output (true) or weigh the message per element (false). */
  readonly residual: boolean;
  /** What messages are divided by without a learned density. */
  readonly avgNumNeighbors: number;
  /** Largest l of the features that enter and leave. */
  readonly lIn: number;
  /** Largest l of the features that leave. */
  readonly lOut: number;
  /** Shape (lIn + 1, C, C). */
  readonly linearUp: Float64Array;
  /** Weights of the radial MLP, matrix k of shape (width_k, width_k+1); the last has n_paths · C columns. */
  readonly radialMlp: readonly Float64Array[];
  /** Widths of the layers of the radial MLP, inputs first. */
  readonly radialWidths: readonly number[];
  /** Message paths in the order of the radial weights. */
  readonly paths: readonly Path[];
  /** Shape (n_paths, C, C). */
  readonly linear: Float64Array;
  /** Shape (n_bessel), or null where messages are divided by `avgNumNeighbors`. */
  readonly densityWeight: Float64Array | null;
  /** Shape (n_skip, C, n_elements, C), n_skip degrees starting at l = 0. */
  readonly skip: Float64Array;
  /** Degrees that have skip weights. */
  readonly nSkip: number;
  /** One per output degree l = 0 … lOut. */
  readonly contractions: readonly Contraction[];
  /** Shape (lOut + 1, C, C). */
  readonly productLinear: Float64Array;
}

/**
 * The symmetric contraction of one output degree as sparse polynomials: component M of the output is
 * Σ_t [component_t = M] (Σ_k basis[t, k] weights[z, k, c]) · Π_i x[indices_t,i].
 */
export interface Contraction {
  /** Output degree. */
  readonly l: number;
  /** Number of monomials. */
  readonly nTerms: number;
  /** Number of coupling paths, over all correlation orders. */
  readonly nPaths: number;
  /** Output component of each monomial, 0 … 2l, shape (n_terms). */
  readonly component: Uint8Array;
  /** Factors of each monomial as lm indices, padded with `NO_FACTOR`, shape (n_terms, 3). */
  readonly indices: Uint8Array;
  /** Symmetrised couplings, shape (n_terms, n_paths). */
  readonly basis: Float64Array;
  /** Shape (n_elements, n_paths, C). */
  readonly weights: Float64Array;
}

/** Padding of `Contraction.indices` behind the factors of a monomial of degree 1 or 2. */
export const NO_FACTOR = 255;

/** Energy readout of one layer: linear, or a gated hidden layer for the last one. */
export type Readout =
  | { readonly kind: "linear"; readonly weight: Float64Array }
  | {
    readonly kind: "gated";
    readonly width: number;
    readonly hidden: Float64Array;
    readonly output: Float64Array;
  };

/** The message paths of an interaction in the order of its radial weights: sorted by l3, stable. */
export function messagePaths(lIn: number, lMax: number): Path[] {
  const paths: Path[] = [];
  for (let l1 = 0; l1 <= lIn; l1++) {
    for (let l2 = 0; l2 <= lMax; l2++) {
      for (let l3 = Math.abs(l1 - l2); l3 <= Math.min(l1 + l2, lMax); l3++) {
        if ((l1 + l2 + l3) % 2 === 0) paths.push([l1, l2, l3]);
      }
    }
  }
  return paths.sort((a, b) => a[2] - b[2]);
}
