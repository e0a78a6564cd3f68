import type { Arena } from "./arena.ts";
import type { Edges } from "./edges.ts";
import type { Kernels } from "./memory.ts";
import type { StoredModel } from "./weights.ts";

/** One frame on its way through the kernels. */
export interface Run {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly model: StoredModel;
  readonly edges: Edges;
}

/** Atoms by rank from `first` to `last`. */
export type Range = readonly [first: number, last: number];

/** Where the components of one degree lie among the `d` of an atom, and the numbers of each. */
export interface Place {
  readonly d: number;
  readonly first: number;
  readonly width: number;
}

/** Calls `f` for the atoms of every element that occurs. */
export function forElements(
  { edges: { starts } }: Run,
  f: (atoms: Range, element: number) => void,
): void {
  for (let z = 0; z + 1 < starts.length; z++) {
    if (starts[z + 1] > starts[z]) f([starts[z], starts[z + 1]], z);
  }
}

/** Mixes the channels of degree l of some atoms, x into out. */
export function mix(
  run: Run,
  x: number,
  weight: number,
  out: number,
  atoms: Range,
  from: Place,
  to: Place,
  l: number,
  accumulate: boolean,
): void {
  const { kernels, arena } = run;
  const mark = arena.mark();
  const n = (atoms[1] - atoms[0]) * (2 * l + 1);
  kernels.channel_mix(
    ...[x, weight, out, listRows(arena, atoms, from, l), listRows(arena, atoms, to, l)],
    ...[n, from.width, to.width, Number(accumulate)],
  );
  arena.release(mark);
}

/** Linear layer of all degrees up to `lMax`, each with its own weights; x and out have `d` components. */
export function mixDegrees(
  run: Run,
  x: number,
  weights: number,
  out: number,
  lMax: number,
): void {
  const { model: { padded }, edges: { nAtoms } } = run;
  const d = (lMax + 1) ** 2;
  for (let l = 0; l <= lMax; l++) {
    const at = { d, first: l * l, width: padded };
    mix(run, x, weights + 4 * l * padded ** 2, out, [0, nAtoms], at, at, l, false);
  }
}

/** Linear layer of degrees l < nDegrees with weights per element (n_elements, n_degrees, padded²), added. */
export function mixElements(
  run: Run,
  x: number,
  weights: number,
  out: number,
  nDegrees: number,
  dIn: number,
  dOut: number,
): void {
  const { model: { padded } } = run;
  for (let l = 0; l < nDegrees; l++) {
    const at = { first: l * l, width: padded };
    forElements(run, (atoms, z) => {
      const weight = weights + 4 * (z * nDegrees + l) * padded ** 2;
      mix(run, x, weight, out, atoms, { ...at, d: dIn }, { ...at, d: dOut }, l, true);
    });
  }
}

/** Element offsets of the rows of some atoms, padded to a multiple of 4. */
export function listRows(arena: Arena, [first, last]: Range, place: Place, l: number): number {
  const count = 2 * l + 1;
  const n = (last - first) * count;
  const rows = new Uint32Array(Math.ceil(n / 4) * 4);
  for (let r = 0; r < rows.length; r++) {
    // The last row is repeated: it is computed again, from the same numbers, into the same place.
    const row = Math.min(r, n - 1);
    const [atom, m] = [first + Math.floor(row / count), row % count];
    rows[r] = (atom * place.d + place.first + m) * place.width;
  }
  return arena.put(rows);
}

/** Address of a copy of every atom's element features, shape (n_atoms, padded). */
export function embed({ arena, model, edges: { nAtoms, starts } }: Run): number {
  const { padded, embedding } = model;
  const h = arena.take(4 * nAtoms * padded);
  const rows = new Float32Array(arena.memory.buffer, h, nAtoms * padded);
  for (let z = 0; z + 1 < starts.length; z++) {
    const row = embedding.subarray(z * padded, (z + 1) * padded);
    for (let n = starts[z]; n < starts[z + 1]; n++) rows.set(row, n * padded);
  }
  return h;
}
