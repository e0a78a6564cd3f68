import { createHash } from "node:crypto";
import { ParseError } from "../errors.ts";
import { cellVolume, chemicalSymbol, type Frame, type Graph, invertCell } from "../frame.ts";
import { covalentRadius } from "../covalent_radius.ts";
import { neighborList } from "../graph/neighbor_list.ts";

/** Positions that differ by less are the same, Å. */
const RESOLUTION = 1e-6;
/** Neighbors within this, Å, or this many covalent radii of the largest element, enter the radial sums;
 * without periodicity, where there is no structure factor, within twice the distance. */
const REACH = 3;
const REACH_RADII = 3.2;
/** Widths of the radial sums, as shares of the reach. */
const WIDTHS = [0.25, 0.4, 0.6, 0.85];
/** Waves up to this many periods along each axis enter the structure factor. */
const PERIODS = 2;
/** Pairs closer than this share of the sum of their covalent radii are bonds. */
const BONDED = 1.25;

/** Keys whose value makes the same geometry another calculation. */
const STATE =
  /^(total_?)?(charge|spin)$|^(spin_)?multiplicity$|^magnetic_moment$|^head$|^electronic_temperature$/i;

/** Charge, spin and the like, as the comment line has them. */
export function electronicState({ info }: Frame): string {
  const parts = [...info].filter(([key]) => STATE.test(key)).map(([key, value]) =>
    `${key}=${value}`
  );
  return parts.sort().join(" ");
}

/** Hash of species, state, periodicity, cell and wrapped positions in file order: equal for the same
 * geometry. */
export function geometryKey(frame: Frame): string {
  const { species, positions, cell, pbc } = frame;
  const hash = createHash("sha1").update(species).update(pbc.join()).update(electronicState(frame));
  const steps = (x: number) => Math.round(x / RESOLUTION);
  hash.update(Array.from(cell, steps).join());
  const periodic = pbc.every(Boolean) && cellVolume(cell) > 0 && invertCell(cell);
  const lengths = [0, 3, 6].map((k) => steps(Math.hypot(cell[k], cell[k + 1], cell[k + 2])));
  for (let i = 0; i < positions.length; i += 3) {
    const place = [0, 1, 2].map((k) => {
      if (!periodic) return steps(positions[i + k]);
      let s = 0;
      for (let x = 0; x < 3; x++) s += positions[i + x] * periodic[3 * x + k];
      const step = Math.round((s - Math.floor(s)) * lengths[k]);
      return step === lengths[k] ? 0 : step;
    });
    hash.update(`${place};`);
  }
  return hash.digest("hex");
}

/** What tells alike frames, whatever their place, orientation and order of atoms. */
export interface Fingerprint {
  /** Numbers that agree for alike frames; empty where they cannot be had. */
  readonly sums: Float64Array;
  /** Bonds of every pair of elements, such as `C-C 1 C-H 5`. */
  readonly bonds: string;
}

const NO_FINGERPRINT: Fingerprint = { sums: new Float64Array(0), bonds: "" };

/**
 * Radial sums over close pairs, and the shape of all of it: the structure factor where a frame is
 * periodic, the moments of inertia where it is not. No pair of atoms is left out, at any distance.
 */
export function fingerprint(frame: Frame): Fingerprint {
  const radius = Math.max(...new Set(frame.species).values().map(covalentRadius));
  const near = Math.max(REACH, REACH_RADII * radius);
  const reach = frame.pbc.some(Boolean) ? near : 2 * near;
  let graph;
  try {
    graph = neighborList(frame, reach);
  } catch (error) {
    if (error instanceof ParseError) return NO_FINGERPRINT;
    throw error;
  }
  const shape = frame.pbc.some(Boolean) ? structureFactor(frame) : inertia(frame);
  return {
    sums: Float64Array.of(...radialSums(graph, reach), ...shape),
    bonds: countBonds(graph),
  };
}

/** f_k = Σ √(Z_i Z_j) exp(-(r / w_k R)²) (1 - (r/R)²)² / n_atoms over the pairs within R. */
function radialSums(graph: Graph, reach: number): Float64Array {
  const { nAtoms, firstEdge, sender, vectors, species } = graph;
  const sums = new Float64Array(WIDTHS.length);
  const factors = WIDTHS.map((w) => -1 / (w * w));
  for (let n = 0; n < nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const [x, y, z] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
      const s = (x * x + y * y + z * z) / (reach * reach);
      const weight = Math.sqrt(species[n] * species[sender[e]]) * (1 - s) ** 2;
      for (let k = 0; k < sums.length; k++) sums[k] += weight * Math.exp(factors[k] * s);
    }
  }
  return sums.map((sum) => sum / nAtoms);
}

/**
 * S(n) = |Σ_i √Z_i exp(2πi n·s_i)|² / Σ_i Z_i, s fractional coordinates, summed over the n whose
 * components are the same up to order and sign, as it is and times the length of the wave vector, so
 * that axes are exchanged only where the cell makes them alike; and the volume's cube root, Å. Open
 * axes have n = 0.
 */
function structureFactor({ species, positions, cell, pbc }: Frame): number[] {
  const inverse = invertCell(cell);
  const groups = new Map<string, [number, number]>();
  const size = Math.cbrt(cellVolume(cell));
  const most = pbc.map((periodic) => (periodic ? PERIODS : 0));
  const total = species.reduce((sum, z) => sum + z, 0);
  const [x, y, z] = [0, 1, 2].map((k) => phases(species.length, positions, inverse, k));
  const weights = Float64Array.from(
    { length: 2 * species.length },
    (_, i) => i % 2 ? 0 : Math.sqrt(species[i >> 1]),
  );
  for (let a = 0; a <= most[0]; a++) {
    const alongX = times(weights, x, a);
    for (let b = -most[1]; b <= most[1]; b++) {
      const inPlane = times(alongX, y, b);
      for (let c = -most[2]; c <= most[2]; c++) {
        // Of n and -n, one.
        if (a === 0 && (b < 0 || (b === 0 && c <= 0))) continue;
        const value = squaredSum(inPlane, z, c) / total;
        const q = Math.hypot(
          inverse[0] * a + inverse[1] * b + inverse[2] * c,
          inverse[3] * a + inverse[4] * b + inverse[5] * c,
          inverse[6] * a + inverse[7] * b + inverse[8] * c,
        );
        const name = [a, Math.abs(b), Math.abs(c)].sort().join("");
        const [sum, weighted] = groups.get(name) ?? [0, 0];
        groups.set(name, [sum + value, weighted + size * q * value]);
      }
    }
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, sums]) => sums);
  return [...sorted, size];
}

/** cos and sin of 2π s_i along axis k for 1 … PERIODS periods, one array of shape (n, 2) each. */
function phases(n: number, positions: Float64Array, inverse: Float64Array, k: number) {
  const out = Array.from({ length: PERIODS + 1 }, () => new Float64Array(2 * n));
  for (let i = 0; i < n; i++) {
    let s = 0;
    for (let x = 0; x < 3; x++) s += positions[3 * i + x] * inverse[3 * x + k];
    const angle = 2 * Math.PI * (s - Math.floor(s));
    for (let p = 1; p <= PERIODS; p++) {
      out[p][2 * i] = Math.cos(p * angle);
      out[p][2 * i + 1] = Math.sin(p * angle);
    }
  }
  return out;
}

/** Complex numbers times the waves of n periods, shape (n_atoms, 2). */
function times(a: Float64Array, waves: readonly Float64Array[], n: number): Float64Array {
  if (n === 0) return a;
  const wave = waves[Math.abs(n)];
  const sign = Math.sign(n);
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i += 2) {
    const sin = sign * wave[i + 1];
    out[i] = a[i] * wave[i] - a[i + 1] * sin;
    out[i + 1] = a[i] * sin + a[i + 1] * wave[i];
  }
  return out;
}

/** |Σ a_i wave_i|² for the waves of n periods. */
function squaredSum(a: Float64Array, waves: readonly Float64Array[], n: number): number {
  const wave = waves[Math.abs(n)];
  const sign = Math.sign(n);
  let [re, im] = [0, 0];
  for (let i = 0; i < a.length; i += 2) {
    const cos = n === 0 ? 1 : wave[i];
    const sin = n === 0 ? 0 : sign * wave[i + 1];
    re += a[i] * cos - a[i + 1] * sin;
    im += a[i] * sin + a[i + 1] * cos;
  }
  return re * re + im * im;
}

/** Lengths, Å, made of the invariants of the second moments about the centre, weighted by √Z. */
function inertia({ species, positions }: Frame): number[] {
  const weights = Array.from(species, Math.sqrt);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const centre = [0, 1, 2].map((k) =>
    weights.reduce((sum, w, i) => sum + w * positions[3 * i + k], 0) / total
  );
  const moment = (a: number, b: number) =>
    weights.reduce(
      (sum, w, i) =>
        sum + w * (positions[3 * i + a] - centre[a]) * (positions[3 * i + b] - centre[b]),
      0,
    ) / total;
  const [xx, yy, zz] = [moment(0, 0), moment(1, 1), moment(2, 2)];
  const [yz, xz, xy] = [moment(1, 2), moment(0, 2), moment(0, 1)];
  const minors = xx * yy + yy * zz + zz * xx - xy * xy - yz * yz - xz * xz;
  return [Math.sqrt(xx + yy + zz), Math.max(minors, 0) ** 0.25];
}

function countBonds({ nAtoms, firstEdge, sender, vectors, species }: Graph): string {
  const radii = Float64Array.from({ length: 256 }, (_, z) => (z > 0 ? covalentRadius(z) : 0));
  const counts = new Map<number, number>();
  for (let n = 0; n < nAtoms; n++) {
    const a = species[n];
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const b = species[sender[e]];
      if (a > b) continue;
      const [x, y, z] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
      const limit = BONDED * (radii[a] + radii[b]);
      if (x * x + y * y + z * z > limit * limit) continue;
      counts.set(256 * a + b, (counts.get(256 * a + b) ?? 0) + (a === b ? 0.5 : 1));
    }
  }
  return [...counts].sort(([a], [b]) => a - b)
    .map(([pair, n]) => `${chemicalSymbol(pair >> 8)}-${chemicalSymbol(pair & 255)} ${n}`)
    .join(" ");
}
