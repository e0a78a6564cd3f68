import type { StoredLayerGradient } from "./gradient.ts";
import {
  forElements,
  listRows,
  mix,
  mixDegrees,
  mixElements,
  type Place,
  type Range,
} from "./frame_run.ts";
import { forMessageWeights, type LayerStages, pathArguments, pathBytes } from "./layer.ts";
import { type LayerAdjoints, zeros } from "./layer_adjoint.ts";
import { addRows, type LayerTangents, type TangentRun } from "./layer_tangent.ts";
import type { StoredLayer } from "./weights.ts";

/** What is known of a layer, all of it addresses. */
export interface LayerRecord {
  readonly layer: StoredLayer;
  readonly stages: LayerStages;
  readonly dot: LayerTangents;
  readonly bar: LayerAdjoints;
  /** Tangent of the features that enter; 0 where they are constants. */
  readonly hDot: number;
  readonly gradient: StoredLayerGradient;
}

/**
 * Tangent of `runLayerAdjoint`, and the gradient of the layer's weights: of every product of what entered a
 * stage and the adjoint of what left it, each factor in turn.
 *
 * @param featuresBarDot address of the tangent of the adjoint of the features that leave
 * @returns that of the features that enter; 0 in a factorised first layer
 */
export function runLayerWeights(
  run: TangentRun,
  record: LayerRecord,
  featuresBarDot: number,
): number {
  const { kernels, arena, model: { padded, lMax }, edges: { nAtoms, elements } } = run;
  const { layer, stages, dot, bar, hDot, gradient } = record;
  const adjoint = layer.adjoint!;
  const [d, dIn, dOut] = [(lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const hBarDot = layer.up ? arena.take(4 * nAtoms * dIn * padded) : 0;
  const mark = arena.mark();
  const degrees = (x: number, outBar: number, weightBar: number, l: number) =>
    x && outBar && degreeWeights(run, x, outBar, weightBar, l);
  degrees(stages.kept!.product, featuresBarDot, gradient.product, layer.lOut);
  degrees(dot.product, bar.features, gradient.product, layer.lOut);
  skipWeights(run, record, stages.h, featuresBarDot);
  if (hDot) skipWeights(run, record, hDot, bar.features);
  const productBarDot = arena.take(4 * nAtoms * dOut * padded);
  mixDegrees(run, featuresBarDot, adjoint.product, productBarDot, layer.lOut);
  const messageBarDot = zeros(run, d * padded);
  layer.contractions.forEach(({ l, nTerms, terms, coefficients }, i) => {
    kernels.product_basis_weights(
      ...[stages.message, dot.message, coefficients, terms, elements, bar.product, productBarDot],
      ...[messageBarDot, gradient.coefficients[i], nAtoms, d, padded, nTerms, dOut, l],
    );
  });
  if (dot.nu) densityWeights(run, record, messageBarDot, d * padded);
  const upBarDot = layer.up ? zeros(run, dIn * padded) : 0;
  pathWeights(run, record, messageBarDot, upBarDot);
  if (layer.up) {
    degrees(stages.h, upBarDot, gradient.up, layer.lIn);
    degrees(hDot, bar.up, gradient.up, layer.lIn);
    mixDegrees(run, upBarDot, adjoint.up, hBarDot, layer.lIn);
    mixElements(run, featuresBarDot, adjoint.skip, hBarDot, layer.nSkip, dOut, dIn);
  }
  arena.release(mark);
  return hBarDot;
}

/** The table of the normaliser; then ν times the adjoint of the message is added to its tangent, which makes
 * it that of a fixed normaliser. */
function densityWeights(
  run: TangentRun,
  { layer, stages, dot, bar, gradient }: LayerRecord,
  messageBarDot: number,
  width: number,
): void {
  const { kernels, arena, edges, dots } = run;
  const { nAtoms, blocks, nBlocks, segments, entries, pairs, rows, records } = edges;
  if (!layer.densityTable) return;
  const mark = arena.mark();
  kernels.edge_density_weights(
    ...[blocks, nBlocks, segments, entries, pairs, rows, records[0], stages.norm, nAtoms],
    ...[dots[0], dot.nu, stages.message, dot.message, bar.message, messageBarDot, width],
    ...[gradient.densityTable, arena.take(16 * nAtoms)],
  );
  arena.release(mark);
  addRows(run, dot.nu, bar.message, messageBarDot, width);
}

/** Message weights and radial tables, path by path; the tangent of linear_up's adjoint is added up. */
function pathWeights(
  run: TangentRun,
  { layer, stages, dot, bar, gradient }: LayerRecord,
  messageBarDot: number,
  upBarDot: number,
): void {
  const { kernels, arena, model: { padded, lMax }, edges: { nAtoms }, dots } = run;
  const width = layer.groups * layer.width;
  layer.paths.forEach(({ l1, l2, l3 }, p) => {
    const mark = arena.mark();
    const sums = { d: 2 * l3 + 1, first: 0, width };
    const message = { d: (lMax + 1) ** 2, first: l3 * l3, width: padded };
    forMessageWeights(run, layer, gradient.message, p, (atoms, weight) => {
      mixWeights(run, stages.kept!.sums[p], messageBarDot, weight, atoms, sums, message, l3);
      mixWeights(run, dot.sums[p], bar.message, weight, atoms, sums, message, l3);
    });
    const [sumsBar, sumsBarDot] = [bar.message, messageBarDot].map((from) => {
      const to = arena.take(4 * nAtoms * (2 * l3 + 1) * width);
      forMessageWeights(run, layer, layer.adjoint!.message, p, (atoms, weight) => {
        mix(run, from, weight, to, atoms, message, sums, l3, false);
      });
      return to;
    });
    const component = 4 * l1 * l1 * padded;
    kernels.atomic_basis_weights(
      ...pathArguments(run, layer, p, stages.up, stages.norm),
      ...[dots[l2], dot.up && dot.up + component, sumsBar, sumsBarDot],
      ...[upBarDot && upBarDot + component, gradient.tables[Math.min(p, layer.tables.length - 1)]],
      arena.take(pathBytes(run, layer, p, 4, 2)),
    );
    arena.release(mark);
  });
}

/** Adjoint of `mix` for its weights, added to the matrix at `weightBar`. */
function mixWeights(
  { kernels, arena }: TangentRun,
  x: number,
  outBar: number,
  weightBar: number,
  atoms: Range,
  from: Place,
  to: Place,
  l: number,
): void {
  const mark = arena.mark();
  const n = (atoms[1] - atoms[0]) * (2 * l + 1);
  kernels.channel_mix_weights(
    ...[x, outBar, weightBar, listRows(arena, atoms, from, l), listRows(arena, atoms, to, l)],
    ...[n, from.width, to.width],
  );
  arena.release(mark);
}

/** Adjoint of `mixDegrees` for its weights. */
function degreeWeights(
  run: TangentRun,
  x: number,
  outBar: number,
  weightsBar: number,
  lMax: number,
): void {
  const { model: { padded }, edges: { nAtoms } } = run;
  for (let l = 0; l <= lMax; l++) {
    const at = { d: (lMax + 1) ** 2, first: l * l, width: padded };
    mixWeights(run, x, outBar, weightsBar + 4 * l * padded ** 2, [0, nAtoms], at, at, l);
  }
}

/** Adjoint of `mixElements` for the skip weights. */
function skipWeights(
  run: TangentRun,
  { layer: { lIn, lOut, nSkip }, gradient }: LayerRecord,
  h: number,
  featuresBar: number,
): void {
  const width = run.model.padded;
  for (let l = 0; l < nSkip; l++) {
    const from = { d: (lIn + 1) ** 2, first: l * l, width };
    const to = { d: (lOut + 1) ** 2, first: l * l, width };
    forElements(run, (atoms, z) => {
      const weightBar = gradient.skip + 4 * (z * nSkip + l) * width ** 2;
      mixWeights(run, h, featuresBar, weightBar, atoms, from, to, l);
    });
  }
}
