import { GPA } from "../../units.ts";

/** One eV/Å³ in kB. */
const KILOBAR = 10 * GPA;

/** Said of steps of both kinds in one file. */
export const LEARNED = "steps of a machine-learned force field: they have no labels, and ml=T";

/** Stress of a matrix in kB: what VASP calls so is positive where the cell is compressed. */
export function stressOfMatrix(kilobar: ArrayLike<number>): Float64Array {
  return Float64Array.from(kilobar, (x) => -x / KILOBAR);
}

/** Stress of XX YY ZZ XY YZ ZX in kB. */
export function stressOfSix([xx, yy, zz, xy, yz, zx]: readonly number[]): Float64Array {
  return stressOfMatrix([xx, xy, zx, xy, yy, yz, zx, yz, zz]);
}
