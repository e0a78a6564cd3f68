import { createHash } from "node:crypto";
import { ParseError } from "../errors.ts";
import { cellVolume, type Frame, invertCell } from "../frame.ts";
import { covalentRadius } from "./covalent_radii.ts";
import { neighborList } from "../graph/neighbor_list.ts";

/** Positions that differ by less are the same, Å. */
const RESOLUTION = 1e-6;
/** Neighbors within this, Å, or this many covalent radii of the largest element, enter the fingerprint. */
const REACH = 3;
const REACH_RADII = 3.2;
/** Widths of the radial sums, as shares of the reach. */
const WIDTHS = [0.25, 0.4, 0.6, 0.85];

/** Hash of species, periodicity, cell and wrapped positions in file order: equal for the same geometry. */
export function geometryKey({ species, positions, cell, pbc }: Frame): string {
  const hash = createHash("sha1").update(species).update(pbc.join());
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

/**
 * Sums over pairs that do not change with rotation, translation or the order of atoms, with reach R:
 * f_k = Σ √(Z_i Z_j) exp(-(r / w_k R)²) (1 - (r/R)²)² / n_atoms. Frames with the same numbers are alike.
 *
 * @returns empty where no two atoms are neighbors, or the graph cannot be had
 */
export function radialFingerprint(frame: Frame): Float64Array {
  const radius = Math.max(...new Set(frame.species).values().map(covalentRadius));
  const reach = Math.max(REACH, REACH_RADII * radius);
  let graph;
  try {
    graph = neighborList(frame, reach);
  } catch (error) {
    if (error instanceof ParseError) return new Float64Array(0);
    throw error;
  }
  const { nAtoms, nEdges, firstEdge, sender, vectors, species } = graph;
  if (nEdges === 0) return new Float64Array(0);
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
