import { mix, mixDegrees, mixElements, type Run } from "./frame_run.ts";
import { forMessageWeights, type LayerStages, pathArguments, pathBytes } from "./layer.ts";
import type { StoredLayer } from "./weights.ts";

/** Addresses of the adjoints of a layer's stages, in their shapes. */
export interface LayerAdjoints {
  /** Of the features that leave. */
  readonly features: number;
  readonly product: number;
  readonly message: number;
  /** 0 where what enters is constant, as it is in the first layer. */
  readonly up: number;
  /** Of the features that enter; 0 as `up`. */
  readonly h: number;
}

/**
 * Adjoint of `runLayer`: what a change of the features that leave it means for those that enter it and,
 * in `recordsBar`, for the edges.
 *
 * @param featuresBar address of the adjoint of the features that leave
 * @param first whether this is the first layer, whose features are constants
 * @param keep whether the other adjoints stay on the arena, and the stages as they are
 */
export function runLayerAdjoint(
  run: Run,
  layer: StoredLayer,
  stages: LayerStages,
  featuresBar: number,
  recordsBar: readonly number[],
  { first, keep }: { readonly first: boolean; readonly keep: boolean },
): LayerAdjoints {
  const { kernels, arena, model, edges } = run;
  const { nAtoms } = edges;
  const { padded } = model;
  const [d, dIn, dOut] = [(model.lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const adjoint = layer.adjoint!;
  const room = (components: number) => arena.take(4 * nAtoms * components * padded);
  const hBar = first ? 0 : room(dIn);
  const mark = arena.mark();
  const messageBar = zeros(run, d * padded);
  // Its place is that of the adjoint of linear_up's features later.
  const later = arena.mark();
  const productBar = room(dOut);
  mixDegrees(run, featuresBar, adjoint.product, productBar, layer.lOut);
  for (const { l, nTerms, terms, coefficients } of layer.contractions) {
    kernels.product_basis_adjoint(
      ...[stages.message, coefficients, terms, edges.elements, productBar, messageBar, nAtoms],
      ...[d, padded, nTerms, dOut, l],
    );
  }
  if (layer.densityTable) {
    kernels.edge_density_adjoint(
      ...[edges.blocks, edges.nBlocks, edges.segments, edges.entries, edges.pairs, edges.rows],
      ...[edges.records[0], layer.densityTable, stages.norm, nAtoms],
      ...[stages.message, messageBar, d * padded, recordsBar[0], arena.take(8 * nAtoms)],
    );
  }
  if (!keep) arena.release(later);
  const upBar = first ? 0 : zeros(run, dIn * padded);
  pullNeighbors(run, layer, stages, messageBar, upBar, recordsBar, keep);
  if (!first) {
    mixDegrees(run, upBar, adjoint.up, hBar, layer.lIn);
    mixElements(run, featuresBar, adjoint.skip, hBar, layer.nSkip, dOut, dIn);
  }
  if (!keep) arena.release(mark);
  return { features: featuresBar, product: productBar, message: messageBar, up: upBar, h: hBar };
}

/** Address of zeros, `width` for every atom. */
export function zeros({ arena, edges: { nAtoms } }: Run, width: number): number {
  const at = arena.take(4 * nAtoms * width);
  new Float32Array(arena.memory.buffer, at, nAtoms * width).fill(0);
  return at;
}

/** The adjoint of the message of each degree, path by path, led back to the senders and the edges. */
function pullNeighbors(
  run: Run,
  layer: StoredLayer,
  { up, norm, message }: LayerStages,
  messageBar: number,
  upBar: number,
  recordsBar: readonly number[],
  keep: boolean,
): void {
  const { kernels, arena, model, edges: { nAtoms } } = run;
  const width = layer.groups * layer.width;
  const d = (model.lMax + 1) ** 2;
  layer.paths.forEach(({ l1, l2, l3 }, p) => {
    const mark = arena.mark();
    // A message that is not read any more gives its place to the sums' adjoint where that fits.
    const size = (2 * l3 + 1) * width;
    const free = !keep && size <= d * model.padded;
    const sumsBar = free ? message : arena.take(4 * nAtoms * size);
    const from = { d, first: l3 * l3, width: model.padded };
    const to = { d: 2 * l3 + 1, first: 0, width };
    forMessageWeights(run, layer, layer.adjoint!.message, p, (atoms, weight) => {
      mix(run, messageBar, weight, sumsBar, atoms, from, to, l3, false);
    });
    kernels.atomic_basis_adjoint(
      ...pathArguments(run, layer, p, up, norm),
      ...[sumsBar, upBar && upBar + 4 * l1 * l1 * model.padded, recordsBar[l2]],
      arena.take(pathBytes(run, layer, p, upBar ? 2 : 1)),
    );
    arena.release(mark);
  });
}
