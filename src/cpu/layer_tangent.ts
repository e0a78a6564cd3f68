import { mixDegrees, mixElements, type Run } from "./frame_run.ts";
import {
  keepStages,
  type KeptStages,
  type LayerStages,
  pathArguments,
  pathBytes,
  sumNeighbors,
} from "./layer.ts";
import type { StoredLayer } from "./weights.ts";

/** A frame whose edges change. */
export interface TangentRun extends Run {
  /** Tangents of the records of degree l. */
  readonly dots: readonly number[];
}

/** Addresses of how a layer's stages change, in their shapes. */
export interface LayerTangents extends KeptStages {
  readonly features: number;
  /** 0 in the first layer, whose features are constants. */
  readonly up: number;
  /** Relative change of the normaliser, shape (n_atoms), or 0 where it is 1. */
  readonly nu: number;
  readonly message: number;
  /** That of the atomic basis at a fixed normaliser. */
  readonly sums: readonly number[];
}

/** Tangent of `runLayer`; all of it stays on the arena.
 * @param hDot address of that of the features that enter; 0 for constants */
export function runLayerTangent(
  run: TangentRun,
  layer: StoredLayer,
  { up, norm, message }: LayerStages,
  hDot: number,
): LayerTangents {
  const { kernels, arena, model, edges: { nAtoms, elements }, dots } = run;
  const { padded } = model;
  const [d, dIn, dOut] = [(model.lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const room = (components: number) => arena.take(4 * nAtoms * components * padded);
  const kept = keepStages(run, layer);
  const dot = { features: room(dOut), up: hDot ? room(dIn) : 0, message: room(d), ...kept };
  const nu = layer.densityTable ? normaliserTangent(run, layer, norm) : 0;
  if (hDot) mixDegrees(run, hDot, layer.up, dot.up, layer.lIn);
  sumNeighbors(run, layer, dot.message, kept, (p, sums) => {
    const { l1, l2 } = layer.paths[p];
    const first = dot.up && dot.up + 4 * l1 * l1 * padded;
    const scratch = arena.take(pathBytes(run, layer, p, 2));
    kernels.atomic_basis_tangent(
      ...[...pathArguments(run, layer, p, up, norm), dots[l2], first, sums, scratch],
    );
  });
  if (nu) addRows(run, nu, message, dot.message, d * padded);
  for (const { l, nTerms, terms, coefficients } of layer.contractions) {
    kernels.product_basis_tangent(
      ...[message, dot.message, coefficients, terms, elements, kept.product],
      ...[nAtoms, d, padded, nTerms, dOut, l],
    );
  }
  mixDegrees(run, kept.product, layer.product, dot.features, layer.lOut);
  if (hDot) mixElements(run, hDot, layer.skip, dot.features, layer.nSkip, dIn, dOut);
  return { ...dot, nu };
}

function normaliserTangent(
  { kernels, arena, edges, dots }: TangentRun,
  layer: StoredLayer,
  norm: number,
): number {
  const { nAtoms, blocks, nBlocks, segments, entries, pairs, rows, records } = edges;
  const nu = arena.take(4 * nAtoms);
  const mark = arena.mark();
  kernels.edge_density_tangent(
    ...[blocks, nBlocks, segments, entries, pairs, rows, records[0], layer.densityTable, norm],
    ...[nAtoms, dots[0], nu, arena.take(8 * nAtoms)],
  );
  arena.release(mark);
  return nu;
}

/** Adds rows of `width` numbers, each times the factor of its atom: to += factor · from. */
export function addRows(
  { arena, edges: { nAtoms } }: Run,
  factors: number,
  from: number,
  to: number,
  width: number,
): void {
  const { buffer } = arena.memory;
  const scale = new Float32Array(buffer, factors, nAtoms);
  const x = new Float32Array(buffer, from, nAtoms * width);
  const out = new Float32Array(buffer, to, nAtoms * width);
  for (let n = 0; n < nAtoms; n++) {
    for (let i = n * width; i < (n + 1) * width; i++) out[i] += scale[n] * x[i];
  }
}
