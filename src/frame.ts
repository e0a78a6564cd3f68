/** One configuration of atoms read from a file. */
export interface Frame {
  /** `FILE@index`, the name under which the frame appears in every output. */
  readonly id: string;
  /** The file as the user named it. */
  readonly file: string;
  /** 0-based place in that file. */
  readonly index: number;
  /** Line of the file where the frame starts, from 1. */
  readonly line: number;
  /** Atomic numbers, shape (n_atoms). */
  readonly species: Uint8Array;
  /** Cartesian positions, shape (n_atoms, 3), row-major, Å. */
  readonly positions: Float64Array;
  /** Lattice vectors as rows, shape (3, 3), Å; zeros where the file gives none. */
  readonly cell: Float64Array;
  /** Periodicity along each lattice vector. */
  readonly pbc: readonly [boolean, boolean, boolean];
  /** Key-value pairs of the comment line, unparsed; a bare key has the value `T`. */
  readonly info: ReadonlyMap<string, string>;
}

/**
 * The directed edges of one frame, sorted by receiver. Edge e runs from `sender[e]` to the receiver n
 * with `firstEdge[n] <= e < firstEdge[n + 1]`; every periodic image within the cutoff is an edge.
 */
export interface Graph {
  /** Number of atoms. */
  readonly nAtoms: number;
  /** Number of directed edges. */
  readonly nEdges: number;
  /** Atomic numbers, shape (n_atoms). */
  readonly species: Uint8Array;
  /** First edge of each receiver, shape (n_atoms + 1). */
  readonly firstEdge: Uint32Array;
  /** Sending atom, shape (n_edges). */
  readonly sender: Uint32Array;
  /** Cell translations S of the sender-to-receiver vector, shape (n_edges, 3). */
  readonly unitShifts: Int32Array;
  /** r_receiver - r_sender + S · cell, shape (n_edges, 3), Å. */
  readonly vectors: Float64Array;
}

/** Receiving atom of every edge, shape (n_edges). */
export function receiverOf({ nAtoms, nEdges, firstEdge }: Graph): Uint32Array {
  const receiver = new Uint32Array(nEdges);
  for (let n = 0; n < nAtoms; n++) receiver.fill(n, firstEdge[n], firstEdge[n + 1]);
  return receiver;
}

const SYMBOLS = (
  "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se " +
  "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy " +
  "Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf " +
  "Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
).split(" ");

const ATOMIC_NUMBERS = new Map(SYMBOLS.map((symbol, z) => [symbol, z]));

/** Largest atomic number known. */
export const MAX_ATOMIC_NUMBER = SYMBOLS.length - 1;

/** Atomic number of a chemical symbol (`H` → 1), or 0 if there is no such element. */
export function atomicNumber(symbol: string): number {
  return ATOMIC_NUMBERS.get(symbol) ?? 0;
}

/** Atomic number of an atom's label, whose letters before anything else are a symbol (`H_pv`, `O1` → 8), or 0. */
export function labelledNumber(label: string): number {
  return atomicNumber(label.replace(/[^A-Za-z].*$/, ""));
}

/** Chemical symbol of an atomic number (1 → `H`). */
export function chemicalSymbol(z: number): string {
  return SYMBOLS[z] ?? `Z${z}`;
}

/** Chemical formula with symbols in alphabetical order, such as `H2O`. */
export function formula(species: Uint8Array): string {
  const counts = new Map<string, number>();
  for (const z of species) {
    const symbol = chemicalSymbol(z);
    counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, n]) => symbol + (n > 1 ? n : "")).join("");
}

/** Different atomic numbers, ascending. */
export function distinctElements(species: Iterable<number>): number[] {
  return [...new Set(species)].sort((a, b) => a - b);
}

/** Volume |a · (b × c)| of a cell with lattice vectors as rows, Å³. */
export function cellVolume(c: ArrayLike<number>): number {
  return Math.abs(
    c[0] * (c[4] * c[8] - c[5] * c[7]) - c[1] * (c[3] * c[8] - c[5] * c[6]) +
      c[2] * (c[3] * c[7] - c[4] * c[6]),
  );
}

/** Volume of a frame that is periodic in all directions, Å³; NaN of others. */
export function periodicVolume({ cell, pbc }: Pick<Frame, "cell" | "pbc">): number {
  return pbc.every(Boolean) ? cellVolume(cell) : NaN;
}

/** Inverse of a cell with lattice vectors as rows: fractional coordinates are positions times it. */
export function invertCell(m: Float64Array): Float64Array {
  const [a, b, c, d, e, f, g, h, i] = m;
  const [ca, cb, cc] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const determinant = a * ca + b * cb + c * cc;
  return Float64Array.of(
    ca,
    c * h - b * i,
    b * f - c * e,
    cb,
    a * i - c * g,
    c * d - a * f,
    cc,
    b * g - a * h,
    a * e - b * d,
  ).map((x) => x / determinant);
}

/**
 * The cell with a unit vector, orthogonal to the periodic ones, along every axis that is not periodic.
 *
 * @param cell lattice vectors as rows, shape (3, 3), Å
 */
export function completeCell(cell: Float64Array, pbc: Frame["pbc"]): Float64Array {
  const basis = Float64Array.from(cell);
  const axis = (k: number) => basis.subarray(3 * k, 3 * k + 3);
  const done = [0, 1, 2].filter((k) => pbc[k]).map((k) => axis(k));
  for (let k = 0; k < 3; k++) {
    if (pbc[k]) continue;
    const unit = orthogonalUnit(done);
    axis(k).set(unit);
    done.push(axis(k));
  }
  return basis;
}

/** A unit vector orthogonal to at most two others. */
function orthogonalUnit(others: readonly Float64Array[]): number[] {
  const cross = (a: ArrayLike<number>, b: ArrayLike<number>) => [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
  let v = [1, 0, 0];
  if (others.length === 2) v = cross(others[0], others[1]);
  if (others.length === 1) {
    const a = others[0];
    const smallest = [0, 1, 2].sort((i, j) => Math.abs(a[i]) - Math.abs(a[j]))[0];
    v = cross(a, [0, 1, 2].map((i) => (i === smallest ? 1 : 0)));
  }
  const norm = Math.hypot(...v);
  return v.map((x) => x / norm);
}

/** Least distance between a plane of the lattice and its next image, Å; infinite without periodicity. */
export function cellWidth(cell: Float64Array, pbc: Frame["pbc"]): number {
  const inverse = invertCell(completeCell(cell, pbc));
  const widths = [0, 1, 2].filter((k) => pbc[k])
    .map((k) => 1 / Math.hypot(inverse[k], inverse[3 + k], inverse[6 + k]));
  return Math.min(...widths);
}

/** Images that are looked at along each axis, at most; a cell that needs more is a needle. */
const MOST_IMAGES = 64;

/** Distance of an atom to its nearest image, Å; infinite without periodicity. */
export function nearestImage(cell: Float64Array, pbc: Frame["pbc"]): number {
  const inverse = invertCell(completeCell(cell, pbc));
  const lengths = [0, 1, 2].map((k) => Math.hypot(cell[3 * k], cell[3 * k + 1], cell[3 * k + 2]));
  const shortest = Math.min(...lengths.filter((_, k) => pbc[k]));
  // A translation no longer than the shortest lattice vector crosses no more planes than this.
  const reach = [0, 1, 2].map((k) => {
    const planes = shortest * Math.hypot(inverse[k], inverse[3 + k], inverse[6 + k]);
    return pbc[k] && Number.isFinite(planes) ? Math.min(Math.floor(planes + 1e-9), MOST_IMAGES) : 0;
  });
  let least = shortest;
  for (let a = -reach[0]; a <= reach[0]; a++) {
    for (let b = -reach[1]; b <= reach[1]; b++) {
      for (let c = -reach[2]; c <= reach[2]; c++) {
        if (a === 0 && b === 0 && c === 0) continue;
        const [x, y, z] = [0, 1, 2].map((k) => a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
        least = Math.min(least, Math.hypot(x, y, z));
      }
    }
  }
  return least;
}
