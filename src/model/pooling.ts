/** How descriptors of atoms become one row per frame. */
export type Pooling = "mean" | "per-element-mean" | "mean-std";

/** Columns of a pooled row. */
export function pooledLength(width: number, pooling: Pooling, nElements: number): number {
  if (pooling === "per-element-mean") return (width + 1) * nElements;
  return pooling === "mean-std" ? 2 * width : width;
}

/** Square roots of the fractions of atoms of each element, shape (n_elements). */
export function elementFractions(species: Uint8Array, elements: readonly number[]): Float64Array {
  return Float64Array.from(elements, (z) => {
    const members = species.reduce((n, other) => n + Number(other === z), 0);
    return Math.sqrt(members / species.length);
  });
}

/**
 * Pools the descriptors of one frame.
 *
 * @param descriptors shape (n_atoms, width)
 * @param species atomic numbers, shape (n_atoms)
 * @param elements atomic numbers of the whole pool, ascending; `per-element-mean` writes one block each,
 *   zeros for an element that the frame lacks, and then the square roots of the fractions of atoms
 * @returns shape (`pooledLength`)
 */
export function poolAtoms(
  descriptors: ArrayLike<number>,
  species: Uint8Array,
  width: number,
  pooling: Pooling,
  elements: readonly number[],
): Float64Array {
  const out = new Float64Array(pooledLength(width, pooling, elements.length));
  const nAtoms = species.length;
  if (pooling === "per-element-mean") {
    out.set(elementFractions(species, elements), elements.length * width);
    elements.forEach((z, block) => {
      const members = species.reduce((n, other) => n + Number(other === z), 0);
      for (let i = 0; i < nAtoms; i++) {
        if (species[i] !== z) continue;
        for (let j = 0; j < width; j++) {
          out[block * width + j] += descriptors[i * width + j] / members;
        }
      }
    });
    return out;
  }
  for (let i = 0; i < nAtoms; i++) {
    for (let j = 0; j < width; j++) out[j] += descriptors[i * width + j];
  }
  for (let j = 0; j < width; j++) out[j] /= nAtoms;
  if (pooling === "mean") return out;
  for (let i = 0; i < nAtoms; i++) {
    for (let j = 0; j < width; j++) out[width + j] += (descriptors[i * width + j] - out[j]) ** 2;
  }
  for (let j = width; j < 2 * width; j++) out[j] = Math.sqrt(out[j] / nAtoms);
  return out;
}
