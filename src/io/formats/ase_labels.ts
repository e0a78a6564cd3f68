import { atomicMass } from "../../atomic_mass.ts";
import { ACCELERATION } from "../../units.ts";

/** One Å in ASE's unit of time, Å/fs. */
const ASE_VELOCITY = Math.sqrt(ACCELERATION);

/** Velocities of ASE's momenta, Å/fs.
 * @param masses u; null for the standard ones */
export function velocitiesOf(
  momenta: ArrayLike<number>,
  masses: ArrayLike<number> | null,
  numbers: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(momenta, (p, i) => {
    const n = Math.floor(i / 3);
    return ASE_VELOCITY * p / (masses?.[n] ?? atomicMass(numbers[n]));
  });
}

/** A tensor of six numbers (xx yy zz yz xz xy) or nine. */
export function tensorOf(stress: ArrayLike<number>): Float64Array {
  if (stress.length === 9) return Float64Array.from(stress);
  const [xx, yy, zz, yz, xz, xy] = Array.from(stress);
  return Float64Array.of(xx, xy, xz, xy, yy, yz, xz, yz, zz);
}

/** JSON as Python writes it, whose NaN and infinities become null.
 * @throws {SyntaxError} if it is none */
export function parsePython(text: string): unknown {
  return JSON.parse(text.replace(/([[:,]\s*)-?(?:NaN|Infinity)(?=\s*[,\]}])/g, "$1null"));
}
