import { mix, mixDegrees, mixWeights } from "./batch.ts";
import { fold } from "./kernel.ts";
import { contract, type LayerStages, pathFields, placeEdges } from "./layer.ts";
import { type LayerAdjoints, leadToInput } from "./layer_adjoint.ts";
import type { LayerTangents, TangentRun } from "./layer_tangent.ts";
import type { TrainingKernels } from "./path_kernels.ts";
import type { LayerBuffers } from "./weights.ts";

/** The gradient of one layer on the device: shaped as in `BakedLayer`, tables as in `LayerBuffers`. */
export interface LayerGradient {
  /** Null in a factorised first layer. */
  readonly up: GPUBuffer | null;
  readonly message: GPUBuffer;
  readonly skip: GPUBuffer | null;
  readonly product: GPUBuffer;
  readonly coefficients: readonly GPUBuffer[];
  readonly table: GPUBuffer;
  /** Null where messages have no learned normaliser. */
  readonly densityTable: GPUBuffer | null;
}

/** What is known of a layer. */
export interface LayerRecord {
  readonly buffers: LayerBuffers;
  readonly kernels: TrainingKernels;
  readonly stages: LayerStages;
  readonly dot: LayerTangents;
  readonly bar: LayerAdjoints;
  /** Tangent of the features that enter; null where they are constants. */
  readonly hDot: GPUBuffer | null;
  readonly gradient: LayerGradient;
}

/**
 * Tangent of `runLayerAdjoint`, and the gradient of the layer's weights: of every product of what entered a
 * stage and the adjoint of what left it, each factor in turn.
 *
 * @param featuresBarDot tangent of the adjoint of the features that leave
 * @returns that of the features that enter; null in a factorised first layer
 */
export function runLayerWeights(
  run: TangentRun,
  t: number,
  record: LayerRecord,
  featuresBarDot: GPUBuffer,
): GPUBuffer | null {
  const { stage, model, batch: { nAtoms } } = run;
  const { buffers, stages, dot, bar, hDot, gradient } = record;
  const { layer, adjoint } = buffers;
  const [d, dIn, dOut] = [(model.lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const room = (label: string, components: number) =>
    stage.buffer(
      `layer ${t} tangent of the adjoint of ${label}`,
      nAtoms * components * model.padded,
    );
  placeEdges(run, buffers);
  degreeWeights(run, stages.product, featuresBarDot, gradient.product, layer.lOut);
  degreeWeights(run, dot.product, bar.features, gradient.product, layer.lOut);
  skipWeights(run, record, stages.h, featuresBarDot);
  if (hDot) skipWeights(run, record, hDot, bar.features);
  const productBarDot = room("product", dOut);
  mixDegrees(run, featuresBarDot, adjoint!.product, productBarDot, layer.lOut);
  const messageBarDot = room("message", d);
  contractWeights(run, record, productBarDot, messageBarDot);
  if (dot.nu) densityWeights(run, record, messageBarDot);
  const upBarDot = layer.up ? room("up", dIn) : null;
  pathWeights(run, record, messageBarDot, upBarDot);
  if (!upBarDot) return null;
  degreeWeights(run, stages.h, upBarDot, gradient.up!, layer.lIn);
  if (hDot) degreeWeights(run, hDot, bar.up!, gradient.up!, layer.lIn);
  const hBarDot = room("features", dIn);
  leadToInput(run, buffers, upBarDot, featuresBarDot, hBarDot);
  return hBarDot;
}

/** Adjoint of `mixDegrees` for its weights. */
function degreeWeights(
  run: TangentRun,
  x: GPUBuffer,
  outBar: GPUBuffer,
  weightBar: GPUBuffer,
  lMax: number,
): void {
  const d = (lMax + 1) ** 2;
  for (let l = 0; l <= lMax; l++) {
    const place = { first: l * l, target: l * l, l, weight: l * run.model.padded ** 2 };
    mixWeights(run, x, outBar, weightBar, { dIn: d, dOut: d, ...place });
  }
}

/** Adjoint of the residual for its weights. */
function skipWeights(
  run: TangentRun,
  { buffers: { layer }, gradient }: LayerRecord,
  h: GPUBuffer,
  featuresBar: GPUBuffer,
): void {
  const square = run.model.padded ** 2;
  for (let l = 0; gradient.skip && l < layer.nSkip; l++) {
    mixWeights(run, h, featuresBar, gradient.skip, {
      ...{ dIn: (layer.lIn + 1) ** 2, first: l * l, dOut: (layer.lOut + 1) ** 2, target: l * l, l },
      ...{ weight: l * square, elementStride: layer.nSkip * square },
    });
  }
}

/** Contractions: tangent of their adjoint, and their coefficients. */
function contractWeights(
  run: TangentRun,
  { buffers, stages, dot, bar, gradient }: LayerRecord,
  productBarDot: GPUBuffer,
  messageBarDot: GPUBuffer,
): void {
  const { stage, model: { padded, lMax, nElements }, batch: { nAtoms, atoms } } = run;
  const { layer } = buffers;
  layer.contractions.forEach(({ l, nTerms }, i) => {
    contract(run, buffers, i, stage.kernels.product_basis_adjoint_tangent, stages.message, [
      ...[dot.message, bar.product, productBarDot, messageBarDot],
    ]);
    const fields = [
      ...[nAtoms, padded, (lMax + 1) ** 2, (layer.lOut + 1) ** 2, l * l, nTerms, nElements],
    ];
    stage.rows(
      stage.kernels.product_basis_weights,
      nElements * nTerms * padded,
      fields.map((value) => ["u32", value]),
      [
        ...[stages.message, dot.message, buffers.contractions[i].terms, atoms],
        ...[bar.product, productBarDot, gradient.coefficients[i]],
      ],
    );
  });
}

/** The table of the normaliser; leaves the tangent of the message's adjoint as for a fixed normaliser. */
function densityWeights(
  { stage, model: { padded, lMax, nIntervals }, dots, listed, batch }: TangentRun,
  { buffers, stages, dot, bar, gradient }: LayerRecord,
  messageBarDot: GPUBuffer,
): void {
  const { nAtoms, atoms, geometry } = batch;
  const { x, y } = fold(nAtoms);
  const rho = stage.buffer("adjoint of the densities", 2 * nAtoms);
  const params = stage.params(
    "edge_density_weights",
    [nAtoms, (lMax + 1) ** 2 * padded, x].map((value) => ["u32", value]),
  );
  const tensors = [atoms, stages.message, dot.message, bar.message, messageBarDot, dot.nu!, rho];
  stage.dispatch(stage.kernels.edge_density_weights, [params, ...tensors], x, y);
  const nRows = buffers.layer.radials.length * nIntervals;
  stage.rows(
    stage.kernels.density_weights,
    nRows,
    [["u32", nRows]],
    [listed, geometry, dots, rho, gradient.densityTable!],
  );
}

/** Message weights and radial tables, path by path; the tangent of linear_up's adjoint is added up. */
function pathWeights(
  run: TangentRun,
  record: LayerRecord,
  messageBarDot: GPUBuffer,
  upBarDot: GPUBuffer | null,
): void {
  const { stage, model: { lMax, padded }, batch: { nAtoms } } = run;
  const { buffers, stages, dot, bar, gradient } = record;
  const { layer, adjoint } = buffers;
  const { nComponents, nPaths } = layer;
  const width = layer.groups * layer.width;
  // Adjoints of the sums of all paths, then their tangents, atom by atom.
  const bars = stage.buffer(
    "adjoints of sums and their tangents",
    2 * nAtoms * nComponents * width,
  );
  layer.degrees.forEach((l, p) => {
    const first = layer.paths[5 * p + 2];
    const size = width * padded;
    const elementStride = layer.messagePerElement ? nPaths * size : 0;
    const message = { dIn: (lMax + 1) ** 2, first: l * l, l, nOut: width, elementStride };
    [[bar.message, first], [messageBarDot, nComponents + first] as const].forEach(([from, to]) => {
      const at = { ...message, dOut: 2 * nComponents, target: to as number, weight: p * size };
      mix(run, from as GPUBuffer, adjoint!.message, bars, at);
    });
    const at = {
      ...{ dIn: nComponents, first, dOut: (lMax + 1) ** 2, target: l * l, l, nIn: width },
      ...{ weight: p * size, elementStride, unnormalised: true },
    };
    mixWeights(run, stages.sums, messageBarDot, gradient.message, at);
    mixWeights(run, dot.sums, bar.message, gradient.message, at);
    if (upBarDot) backTangent(run, record, p, bars, upBarDot);
    tableWeights(run, record, p, bars);
  });
}

/** Tangent of what path p leads back to the senders. */
function backTangent(
  run: TangentRun,
  { buffers, kernels }: LayerRecord,
  p: number,
  bars: GPUBuffer,
  upBarDot: GPUBuffer,
): void {
  const { stage, dots, batch: { nAtoms, atoms, edges, geometry } } = run;
  const { layer, table } = buffers;
  const [l1, , first] = layer.paths.subarray(5 * p, 5 * p + 3);
  const { width, nComponents } = layer;
  const { x, y } = fold(nAtoms);
  const [nAll, channels, nRadials, radial, harmonics] = pathFields(run, buffers, p);
  const fields = [
    ...[nAll, channels, nRadials, radial, harmonics, 2 * nComponents * width, first * width],
    ...[(layer.lIn + 1) ** 2, l1 * l1, 1, (nComponents + first) * width, 1, x],
  ];
  const params = stage.params("atomic_basis_tangent", fields.map((value) => ["u32", value]));
  const tensors = [atoms, edges, geometry, dots, table, bars, bars, upBarDot];
  stage.dispatch(kernels.tangentBack[p], [params, ...tensors], x, y);
}

/** The radial table of path p. */
function tableWeights(
  run: TangentRun,
  { buffers, kernels, stages, dot, gradient }: LayerRecord,
  p: number,
  bars: GPUBuffer,
): void {
  const { stage, model: { nIntervals }, dots, listed, batch: { edges, geometry } } = run;
  const nRows = buffers.layer.radials.length * nIntervals;
  const { x, y } = fold(nRows);
  const [, ...fields] = pathFields(run, buffers, p);
  const params = stage.params(
    "atomic_basis_weights",
    [nRows, ...fields, dot.up ? 1 : 0, x].map((value) => ["u32", value]),
  );
  const { senders } = stages;
  const tensors = [listed, edges, geometry, dots, senders, dot.up ?? senders, bars, gradient.table];
  stage.dispatch(kernels.weights[p], [params, ...tensors], x, y);
}
