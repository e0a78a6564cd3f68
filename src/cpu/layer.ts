import { forElements, mix, mixDegrees, mixElements, type Range, type Run } from "./frame_run.ts";
import type { StoredLayer } from "./weights.ts";

/** Addresses of what one layer computes, atoms by rank; `LayerStages` of `src/model/mace_layer.ts`. */
export interface LayerStages {
  /** Features that enter, shape (n_atoms, (lIn + 1)², padded). */
  readonly h: number;
  /** Features that leave, shape (n_atoms, (lOut + 1)², padded). */
  readonly features: number;
  /** Features after linear_up, shape (n_atoms, (lIn + 1)², padded); 0 where they are not needed. */
  readonly up: number;
  /** 1 / (1 + density), shape (n_atoms). */
  readonly norm: number;
  /** Input of the product basis, shape (n_atoms, (lMax + 1)², padded). */
  readonly message: number;
  /** What is kept for training alone, else null. */
  readonly kept: KeptStages | null;
}

/** Addresses of stages that only the gradients of the weights ask for. */
export interface KeptStages {
  /** Atomic basis of each path, shape (n_atoms, 2 l3 + 1, groups, width). */
  readonly sums: readonly number[];
  /** Product basis, shape (n_atoms, (lOut + 1)², padded). */
  readonly product: number;
}

/**
 * One interaction and product basis, from the features h into `features`; its other stages are left on
 * the arena.
 *
 * @param keep whether stages that only the gradients of the weights ask for are kept
 */
export function runLayer(
  run: Run,
  layer: StoredLayer,
  h: number,
  features: number,
  keep = false,
): LayerStages {
  const { arena, model, edges: { nAtoms } } = run;
  const dIn = (layer.lIn + 1) ** 2;
  const dOut = (layer.lOut + 1) ** 2;
  const room = (components: number) => arena.take(4 * nAtoms * components * model.padded);
  const message = room((model.lMax + 1) ** 2);
  const norm = arena.take(4 * nAtoms);
  const up = layer.up ? room(dIn) : 0;
  const kept = keep ? keepStages(run, layer) : null;
  const mark = arena.mark();
  if (layer.up) mixDegrees(run, h, layer.up, up, layer.lIn);
  normalise(run, layer, norm);
  sumNeighbors(run, layer, message, kept, (p, sums) => {
    const scratch = arena.take(pathBytes(run, layer, p, 1));
    run.kernels.atomic_basis(...pathArguments(run, layer, p, up, norm), sums, scratch);
  });
  const product = kept?.product ?? room(dOut);
  contract(run, layer, message, product);
  mixDegrees(run, product, layer.product, features, layer.lOut);
  mixElements(run, h, layer.skip, features, layer.nSkip, dIn, dOut);
  arena.release(mark);
  return { h, features, up, norm, message, kept };
}

/** Room for what is kept for training. */
export function keepStages(
  { arena, model, edges: { nAtoms } }: Run,
  { paths, groups, width, lOut }: StoredLayer,
): KeptStages {
  return {
    sums: paths.map(({ l3 }) => arena.take(4 * nAtoms * (2 * l3 + 1) * groups * width)),
    product: arena.take(4 * nAtoms * (lOut + 1) ** 2 * model.padded),
  };
}

function normalise({ kernels, arena, edges }: Run, layer: StoredLayer, norm: number): void {
  const { nAtoms, blocks, nBlocks, segments, entries, pairs, rows, records } = edges;
  const mark = arena.mark();
  kernels.edge_density(
    ...[blocks, nBlocks, segments, entries, pairs, rows, records[0]],
    ...[layer.densityTable, norm, nAtoms, arena.take(8 * nAtoms)],
  );
  arena.release(mark);
}

/** Arguments that `atomic_basis` and its adjoint share, from the number of atoms to the couplings. */
export function pathArguments(
  { model, edges }: Run,
  layer: StoredLayer,
  p: number,
  up: number,
  norm: number,
): number[] {
  const { l1, l2, l3, couplings, nCouplings } = layer.paths[p];
  const { nAtoms, blocks, nBlocks, segments, entries, pairs, rows, records } = edges;
  const table = layer.tables[Math.min(p, layer.tables.length - 1)];
  const component = 4 * l1 * l1 * model.padded;
  return [
    ...[nAtoms, blocks, nBlocks, edges.largest, segments, entries, pairs, rows, records[l2]],
    ...[table, model.nSlots * model.nIntervals],
    ...[up && up + component, (layer.lIn + 1) ** 2 * model.padded, layer.groups, norm],
    ...[layer.width, l1, l2, l3, couplings, nCouplings],
  ];
}

/** Scratch of `atomic_basis` and of its adjoint and tangents, which hold several copies of pairs and senders, or of
 * sums. */
export function pathBytes(
  { edges: { nAtoms, largest } }: Run,
  layer: StoredLayer,
  p: number,
  copies: number,
  sums = 1,
): number {
  const { l1, l2 } = layer.paths[p];
  const [a, b] = [2 * l1 + 1, 2 * l2 + 1];
  return 32 * (copies * (b * largest + a * nAtoms) + sums * a * b * nAtoms * layer.groups);
}

/** Calls `f` with the weights that lead from path p to the message, once or for every element. */
export function forMessageWeights(
  run: Run,
  layer: StoredLayer,
  weights: number,
  p: number,
  f: (atoms: Range, weight: number) => void,
): void {
  const size = 4 * layer.groups * layer.width * run.model.padded;
  if (!layer.messagePerElement) f([0, run.edges.nAtoms], weights + p * size);
  else forElements(run, (atoms, z) => f(atoms, weights + (z * layer.nPaths + p) * size));
}

/**
 * Atomic basis path by path, each mixed into the message of its degree.
 *
 * @param kept where the basis stays, or null
 * @param sum writes the basis of path p
 */
export function sumNeighbors(
  run: Run,
  layer: StoredLayer,
  message: number,
  kept: KeptStages | null,
  sum: (p: number, sums: number) => void,
): void {
  const { arena, model, edges: { nAtoms } } = run;
  const d = (model.lMax + 1) ** 2;
  const width = layer.groups * layer.width;
  layer.paths.forEach(({ l3 }, p) => {
    const mark = arena.mark();
    const sums = kept?.sums[p] ?? arena.take(4 * nAtoms * (2 * l3 + 1) * width);
    sum(p, sums);
    const from = { d: 2 * l3 + 1, first: 0, width };
    const to = { d, first: l3 * l3, width: model.padded };
    const accumulate = layer.degrees.indexOf(l3) < p;
    forMessageWeights(run, layer, layer.message, p, (atoms, weight) => {
      mix(run, sums, weight, message, atoms, from, to, l3, accumulate);
    });
    arena.release(mark);
  });
}

function contract(run: Run, layer: StoredLayer, message: number, product: number): void {
  const { model, edges } = run;
  for (const { l, nTerms, terms, coefficients } of layer.contractions) {
    run.kernels.product_basis(
      ...[message, coefficients, terms, edges.elements, product, edges.nAtoms],
      ...[(model.lMax + 1) ** 2, model.padded, nTerms, (layer.lOut + 1) ** 2, l],
    );
  }
}
