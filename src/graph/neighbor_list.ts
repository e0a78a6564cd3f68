import { ParseError } from "../errors.ts";
import {
  cellVolume,
  cellWidth,
  completeCell,
  type Frame,
  type Graph,
  invertCell,
  periodicVolume,
} from "../frame.ts";

/** Atoms closer than this are the same place written twice, Å. */
export const COINCIDENT = 1e-5;
/** Bins along a length of the cutoff: finer ones hold fewer atoms in vain, and are more to visit. */
const BINS_PER_CUTOFF = 2;
/** More neighbors per atom than this, by the density, mean a cell in the wrong unit, not matter. */
const MAX_NEIGHBORS = 20_000;

/**
 * All directed edges sender → receiver with distance strictly below `rMax`, every periodic image
 * included (an atom and its own images too), sorted by receiver. Any cell: triclinic, smaller than the
 * cutoff, or periodic along some axes only; atoms may lie outside of it.
 *
 * Atoms are binned in a grid of the cell, so the cost is linear in the number of edges.
 *
 * @param frame positions in Å, cell rows in Å
 * @param rMax cutoff, Å
 * @throws {ParseError} if periodic lattice vectors are dependent, two atoms coincide, or the cell is so
 * small that it must be in another unit
 */
export function neighborList(frame: Frame, rMax: number): Graph {
  const bins = binAtoms(frame, rMax);
  const nAtoms = frame.species.length;
  const edges = new EdgeBuilder(nAtoms, likelyNeighbors(frame, rMax));
  for (let i = 0; i < nAtoms; i++) {
    visitNeighbors(frame, bins, rMax, i, 0, edges);
    edges.closeReceiver(i);
  }
  return edges.graph(frame.species);
}

/** Hears of neighbors: sender, its vector to the receiver, and the cell translations. */
export interface NeighborSink {
  add(j: number, dx: number, dy: number, dz: number, s0: number, s1: number, s2: number): void;
}

/**
 * Visits every pair of different atoms within `rMax` once, all images included; atoms and errors as of
 * `neighborList`.
 *
 * @param sinkOf what hears of the pairs of an atom with those that follow it
 */
export function visitPairs(frame: Frame, rMax: number, sinkOf: (i: number) => NeighborSink): void {
  const bins = binAtoms(frame, rMax);
  for (let i = 0; i < frame.species.length; i++) {
    visitNeighbors(frame, bins, rMax, i, i + 1, sinkOf(i));
  }
}

/** Atoms of a frame in a grid of its cell. */
export interface Bins {
  /** Lattice vectors, those of non-periodic axes replaced by unit vectors, shape (3, 3). */
  readonly basis: Float64Array;
  /** Number of bins and search range per axis, shape (3). */
  readonly counts: readonly number[];
  readonly ranges: readonly number[];
  /** Bin of each atom per axis, shape (n_atoms, 3). */
  readonly binOf: Int32Array;
  /** Atoms wrapped into the cell, shape (n_atoms, 3), Å, and the translations that did it. */
  readonly wrapped: Float64Array;
  readonly wraps: Int32Array;
  /** Atoms of each bin: `atoms[first[b]] …`. */
  readonly first: Uint32Array;
  readonly atoms: Uint32Array;
}

/** Bins the atoms of a frame for a search within `rMax`; errors as of `neighborList`. */
export function binAtoms(frame: Frame, rMax: number): Bins {
  const { positions, pbc } = frame;
  const nAtoms = frame.species.length;
  const basis = independentBasis(frame);
  checkDensity(frame, basis, rMax);
  const inverse = invertCell(basis);
  const fractional = new Float64Array(3 * nAtoms);
  const wrapped = Float64Array.from(positions);
  const wraps = new Int32Array(3 * nAtoms);
  const counts: number[] = [];
  const ranges: number[] = [];
  const binOf = new Int32Array(3 * nAtoms);
  const most = Math.max(1, Math.ceil(2 * Math.cbrt(nAtoms)));
  for (let k = 0; k < 3; k++) {
    const height = 1 / Math.hypot(inverse[k], inverse[3 + k], inverse[6 + k]);
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < nAtoms; i++) {
      let s = 0;
      for (let x = 0; x < 3; x++) s += positions[3 * i + x] * inverse[3 * x + k];
      if (pbc[k]) {
        wraps[3 * i + k] = Math.floor(s);
        s -= wraps[3 * i + k];
        for (let x = 0; x < 3; x++) wrapped[3 * i + x] -= wraps[3 * i + k] * basis[3 * k + x];
      }
      fractional[3 * i + k] = s;
      low = Math.min(low, s);
      high = Math.max(high, s);
    }
    const [start, length] = pbc[k] ? [0, 1] : [low, Math.max(high - low, 1e-9)];
    const extent = length * height;
    const n = Math.min(most, Math.max(1, Math.floor(BINS_PER_CUTOFF * extent / rMax)));
    counts.push(n);
    ranges.push(
      pbc[k] ? Math.ceil(rMax * n / extent) : Math.min(n - 1, Math.ceil(rMax * n / extent)),
    );
    for (let i = 0; i < nAtoms; i++) {
      const b = Math.floor((fractional[3 * i + k] - start) / length * n);
      binOf[3 * i + k] = Math.min(n - 1, Math.max(0, b));
    }
  }
  return { basis, counts, ranges, binOf, wrapped, wraps, ...sortBins(binOf, counts, nAtoms) };
}

/** @throws {ParseError} where the images alone of an atom are more than any matter has neighbors */
function checkDensity(frame: Frame, basis: Float64Array, rMax: number): void {
  const { pbc, species, id } = frame;
  const axes = [0, 1, 2].filter((k) => pbc[k]);
  if (axes.length === 0) return;
  // Volume, area or length of the cell along its periodic axes; the others are unit vectors.
  const measure = cellVolume(basis);
  const ball = [0, 2 * rMax, Math.PI * rMax ** 2, 4 / 3 * Math.PI * rMax ** 3][axes.length];
  const images = ball / measure;
  const neighbors = axes.length === 3 ? species.length * images : images;
  if (neighbors <= MAX_NEIGHBORS) return;
  const width = Number(cellWidth(frame.cell, pbc).toPrecision(2));
  const [unit, name] = neighbors < 1e6 ? [1e3, "thousand"] : [1e6, "million"];
  const count = `${Number((neighbors / unit).toPrecision(2))} ${name}`;
  throw new ParseError(
    id,
    `${count} neighbors per atom within ${rMax} Å; is its cell, ${width} Å, in Å?`,
  );
}

/** Neighbors per atom by the density of a periodic frame and a little more, or a common number. */
export function likelyNeighbors(frame: Frame, rMax: number): number {
  const volume = periodicVolume(frame);
  if (!(volume > 0)) return 64;
  return 16 + Math.ceil(1.05 * 4 / 3 * Math.PI * rMax ** 3 * frame.species.length / volume);
}

function sortBins(binOf: Int32Array, counts: readonly number[], nAtoms: number) {
  const first = new Uint32Array(counts[0] * counts[1] * counts[2] + 1);
  const atoms = new Uint32Array(nAtoms);
  const bin = (i: number) =>
    (binOf[3 * i] * counts[1] + binOf[3 * i + 1]) * counts[2] + binOf[3 * i + 2];
  for (let i = 0; i < nAtoms; i++) first[bin(i) + 1]++;
  for (let b = 1; b < first.length; b++) first[b] += first[b - 1];
  const next = first.slice();
  for (let i = 0; i < nAtoms; i++) atoms[next[bin(i)]++] = i;
  return { first, atoms };
}

function visitNeighbors(
  frame: Frame,
  bins: Bins,
  rMax: number,
  i: number,
  from: number,
  sink: NeighborSink,
): void {
  const { basis, counts, ranges, binOf, wrapped, wraps, first, atoms } = bins;
  const shift = [0, 0, 0];
  const bin = [0, 0, 0];
  for (let a = -ranges[0]; a <= ranges[0]; a++) {
    if (!place(0, a)) continue;
    for (let b = -ranges[1]; b <= ranges[1]; b++) {
      if (!place(1, b)) continue;
      for (let c = -ranges[2]; c <= ranges[2]; c++) {
        if (place(2, c)) visitBin();
      }
    }
  }

  /** Sets bin and lattice translation along axis k; false where a non-periodic axis ends. */
  function place(k: number, offset: number): boolean {
    const raw = binOf[3 * i + k] + offset;
    shift[k] = Math.floor(raw / counts[k]);
    bin[k] = raw - shift[k] * counts[k];
    return frame.pbc[k] || shift[k] === 0;
  }

  function visitBin(): void {
    const [s0, s1, s2] = shift;
    const x = wrapped[3 * i];
    const y = wrapped[3 * i + 1];
    const z = wrapped[3 * i + 2];
    const tx = s0 * basis[0] + s1 * basis[3] + s2 * basis[6];
    const ty = s0 * basis[1] + s1 * basis[4] + s2 * basis[7];
    const tz = s0 * basis[2] + s1 * basis[5] + s2 * basis[8];
    // S = w_j - w_i - s, with the translations w that wrapped the atoms.
    const u0 = -wraps[3 * i] - s0;
    const u1 = -wraps[3 * i + 1] - s1;
    const u2 = -wraps[3 * i + 2] - s2;
    const self = s0 === 0 && s1 === 0 && s2 === 0;
    const cell = (bin[0] * counts[1] + bin[1]) * counts[2] + bin[2];
    for (let p = first[cell]; p < first[cell + 1]; p++) {
      const j = atoms[p];
      if (j < from || (self && j === i)) continue;
      // In this order an edge and its reverse are opposite to the last bit, and both are found or none.
      const dx = x - wrapped[3 * j] - tx;
      const dy = y - wrapped[3 * j + 1] - ty;
      const dz = z - wrapped[3 * j + 2] - tz;
      const d2 = dx * dx + dy * dy + dz * dz;
      if (d2 >= rMax * rMax) continue;
      if (d2 < COINCIDENT * COINCIDENT) {
        const [low, high] = [Math.min(i, j) + 1, Math.max(i, j) + 1];
        throw new ParseError(frame.id, `atoms ${low} and ${high} are at the same place`);
      }
      sink.add(j, dx, dy, dz, u0 + wraps[3 * j], u1 + wraps[3 * j + 1], u2 + wraps[3 * j + 2]);
    }
  }
}

/** Edge arrays that grow as edges are found. */
class EdgeBuilder implements NeighborSink {
  #n = 0;
  #sender: Uint32Array;
  #vectors: Float64Array;
  #shifts: Int32Array;
  readonly #first: Uint32Array;

  /** @param likely neighbors per atom, for which there is room from the start */
  constructor(readonly nAtoms: number, likely: number) {
    const capacity = likely * Math.max(nAtoms, 1);
    this.#sender = new Uint32Array(capacity);
    this.#vectors = new Float64Array(3 * capacity);
    this.#shifts = new Int32Array(3 * capacity);
    this.#first = new Uint32Array(nAtoms + 1);
  }

  add(
    j: number,
    dx: number,
    dy: number,
    dz: number,
    s0: number,
    s1: number,
    s2: number,
  ): void {
    const e = this.#n++;
    if (e === this.#sender.length) this.#grow();
    this.#sender[e] = j;
    const vectors = this.#vectors;
    vectors[3 * e] = dx;
    vectors[3 * e + 1] = dy;
    vectors[3 * e + 2] = dz;
    const shifts = this.#shifts;
    shifts[3 * e] = s0;
    shifts[3 * e + 1] = s1;
    shifts[3 * e + 2] = s2;
  }

  closeReceiver(i: number): void {
    this.#first[i + 1] = this.#n;
  }

  graph(species: Uint8Array): Graph {
    return {
      nAtoms: this.nAtoms,
      nEdges: this.#n,
      species,
      firstEdge: this.#first,
      sender: this.#sender.subarray(0, this.#n),
      unitShifts: this.#shifts.subarray(0, 3 * this.#n),
      vectors: this.#vectors.subarray(0, 3 * this.#n),
    };
  }

  #grow(): void {
    const twice = <T extends Uint32Array | Int32Array | Float64Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    this.#sender = twice(this.#sender, new Uint32Array(2 * this.#sender.length));
    this.#vectors = twice(this.#vectors, new Float64Array(2 * this.#vectors.length));
    this.#shifts = twice(this.#shifts, new Int32Array(2 * this.#shifts.length));
  }
}

/** The completed cell of a frame.
 * @throws {ParseError} if its periodic lattice vectors are dependent */
function independentBasis({ id, cell, pbc }: Frame): Float64Array {
  const basis = completeCell(cell, pbc);
  const lengths = [0, 3, 6].map((k) => Math.hypot(...basis.subarray(k, k + 3)));
  if (!(cellVolume(basis) > 1e-6 * lengths[0] * lengths[1] * lengths[2])) {
    throw new ParseError(id, "its periodic lattice vectors are linearly dependent");
  }
  return basis;
}
