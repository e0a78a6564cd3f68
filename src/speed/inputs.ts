/** Inputs that every benchmark shares: seeded numbers and dense hydrogen of any size. */
import type { Frame } from "../frame.ts";
import { uniformStream } from "../rng.ts";
import { BOHR } from "../units.ts";

/** Standard normal numbers by Box and Muller. */
export function normalNumbers(seed: number, n: number): Float64Array {
  const uniform = uniformStream(BigInt(seed), 0n);
  return Float64Array.from({ length: n }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(uniform(BigInt(2 * i))));
    return radius * Math.cos(2 * Math.PI * uniform(BigInt(2 * i + 1)));
  });
}

/**
 * Hydrogen at the density of r_s: H2 molecules (0.74 Å) with random orientations on a jittered cubic
 * lattice, so that no two atoms are closer than a molecule's.
 *
 * @param nAtoms even
 * @param rs Wigner-Seitz radius in Bohr; the volume per atom is 4/3 π r_s³
 */
export function denseHydrogen(nAtoms: number, rs: number, seed = 1): Frame {
  const side = Math.cbrt(nAtoms * 4 / 3 * Math.PI * (rs * BOHR) ** 3);
  const cells = Math.ceil(Math.cbrt(nAtoms / 2));
  const spacing = side / cells;
  const noise = normalNumbers(seed, 6 * cells ** 3);
  const positions = new Float64Array(3 * nAtoms);
  for (let m = 0; m < nAtoms / 2; m++) {
    const site = Math.floor(m * cells ** 3 / (nAtoms / 2));
    const at = [Math.floor(site / cells ** 2), Math.floor(site / cells) % cells, site % cells];
    const axis = noise.subarray(6 * m, 6 * m + 3);
    const norm = Math.hypot(...axis);
    for (let k = 0; k < 3; k++) {
      const jitter = 0.08 * noise[6 * m + 3 + k];
      const centre = (at[k] + 0.5) * spacing + Math.max(-0.16, Math.min(0.16, jitter));
      positions[6 * m + k] = centre + 0.37 * axis[k] / norm;
      positions[6 * m + 3 + k] = centre - 0.37 * axis[k] / norm;
    }
  }
  return {
    id: `hydrogen@${seed}`,
    file: "hydrogen",
    index: seed,
    line: 1,
    species: new Uint8Array(nAtoms).fill(1),
    positions,
    cell: Float64Array.of(side, 0, 0, 0, side, 0, 0, 0, side),
    pbc: [true, true, true],
    info: new Map(),
  };
}
