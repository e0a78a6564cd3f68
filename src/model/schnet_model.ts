/**
 * A SchNet representation (Schütt et al., J. Chem. Phys. 148, 241722 (2018)) as schnetpack 2 stores it.
 * All numbers are float64 as stored; weights are (in, out), row-major.
 */
export interface SchnetModel {
  /** Tells it from a MACE model. */
  readonly kind: "SchNet";
  /** Atomic numbers that have an embedding. The file does not say which of them were trained. */
  readonly elements: readonly number[];
  /** Cutoff of the graph, Å. */
  readonly rMax: number;
  /** Features per atom. */
  readonly channels: number;
  /** Precision of the file. */
  readonly dtype: "float32" | "float64";
  /** Centres and widths of the Gaussians that a distance is expanded in, shape (n_gaussians), Å. */
  readonly gaussians: { readonly offsets: Float64Array; readonly widths: Float64Array };
  /** Features of an element before the first layer, shape (n_elements + 1, channels), by Z. */
  readonly embedding: Float64Array;
  /** Interactions, in order. */
  readonly layers: readonly SchnetLayer[];
}

/** One interaction: a convolution over neighbors with filters that depend on the distance. */
export interface SchnetLayer {
  /** Channels → filters, no bias. */
  readonly in2f: Dense;
  /** Gaussians → filters, shifted softplus between the two. */
  readonly filter: readonly [Dense, Dense];
  /** Filters → channels, shifted softplus between the two. */
  readonly f2out: readonly [Dense, Dense];
}

/** x W + b. */
export interface Dense {
  /** Numbers that go in. */
  readonly nIn: number;
  /** Numbers that come out. */
  readonly nOut: number;
  /** Shape (nIn, nOut). */
  readonly weight: Float64Array;
  /** Shape (nOut). */
  readonly bias: Float64Array;
}
