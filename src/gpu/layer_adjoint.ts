import { mix, mixDegrees, type Run } from "./batch.ts";
import { fold } from "./kernel.ts";
import { contract, type LayerStages, pathFields, placeEdges } from "./layer.ts";
import type { PathKernels } from "./path_kernels.ts";
import type { LayerBuffers } from "./weights.ts";

/** Adjoints of a layer's stages, in their shapes. */
export interface LayerAdjoints {
  /** Of the features that leave. */
  readonly features: GPUBuffer;
  readonly product: GPUBuffer;
  /** Normalised where messages have a learned normaliser. */
  readonly message: GPUBuffer;
  /** Null where what enters is constant, as it is in the first layer. */
  readonly up: GPUBuffer | null;
  /** Of the features that enter; null as `up`. */
  readonly h: GPUBuffer | null;
}

/**
 * Adjoint of `runLayer`: what a change of the features that leave it means for those that enter it and,
 * in `bar`, for the edges.
 *
 * @param featuresBar adjoint of the features that leave
 * @param bar adjoints of the edges, shape (n_edges, 16): place in the tables, harmonics; added to
 * @param keep whether the sums of the stages stay; else they are overwritten by their adjoint
 */
export function runLayerAdjoint(
  run: Run,
  t: number,
  buffers: LayerBuffers,
  kernels: PathKernels,
  stages: LayerStages,
  featuresBar: GPUBuffer,
  bar: GPUBuffer,
  keep: boolean,
): LayerAdjoints {
  const { stage, model, batch: { nAtoms } } = run;
  const { layer } = buffers;
  const adjoint = buffers.adjoint!;
  const [d, dIn, dOut] = [(model.lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const room = (label: string, components: number) =>
    stage.buffer(`layer ${t} adjoint of ${label}`, nAtoms * components * model.padded);
  const productBar = room("product", dOut);
  mixDegrees(run, featuresBar, adjoint.product, productBar, layer.lOut);
  const messageBar = room("message", d);
  layer.contractions.forEach((_, i) =>
    contract(run, buffers, i, stage.kernels.product_basis_adjoint, stages.message, [
      ...[productBar, messageBar],
    ])
  );
  // The normalisers are those of the layer that was run last.
  placeEdges(run, buffers);
  if (layer.densityWeight) densityAdjoint(run, buffers, stages.message, messageBar, bar);
  const upBar = t > 0 ? room("up", dIn) : null;
  const sums = keep
    ? stage.buffer(
      `layer ${t} adjoint of sums`,
      nAtoms * layer.nComponents * layer.groups * layer.width,
    )
    : stages.sums;
  pullNeighbors(run, buffers, kernels, { ...stages, sums }, messageBar, upBar, bar);
  const found = { features: featuresBar, product: productBar, message: messageBar, up: upBar };
  if (!upBar) return { ...found, h: null };
  const hBar = room("features", dIn);
  leadToInput(run, buffers, upBar, featuresBar, hBar);
  return { ...found, h: hBar };
}

/** Adjoint of linear_up and of the residual for the features that enter. It is linear: it leads adjoints back, and
 * their tangents. */
export function leadToInput(
  run: Run,
  { layer: { lIn, lOut, nSkip }, adjoint }: LayerBuffers,
  upBar: GPUBuffer,
  featuresBar: GPUBuffer,
  hBar: GPUBuffer,
): void {
  mixDegrees(run, upBar, adjoint!.up!, hBar, lIn);
  const square = run.model.padded ** 2;
  for (let l = 0; adjoint!.skip && l < nSkip; l++) {
    mix(run, featuresBar, adjoint!.skip, hBar, {
      ...{ dIn: (lOut + 1) ** 2, first: l * l, dOut: (lIn + 1) ** 2, target: l * l, l },
      ...{ weight: l * square, elementStride: nSkip * square, accumulate: true },
    });
  }
}

/** Adjoint of the normaliser; leaves the message's adjoint normalised. */
function densityAdjoint(
  { stage, model: { padded, lMax }, batch }: Run,
  { densityTable }: LayerBuffers,
  message: GPUBuffer,
  messageBar: GPUBuffer,
  bar: GPUBuffer,
): void {
  const { nAtoms, atoms, edges, geometry } = batch;
  const { x, y } = fold(nAtoms);
  const fields = [nAtoms, (lMax + 1) ** 2 * padded, x];
  const params = stage.params(
    "edge_density_adjoint",
    fields.map((value) => ["u32", value]),
  );
  const tensors = [atoms, edges, geometry, densityTable, message, messageBar, bar];
  stage.dispatch(stage.kernels.edge_density_adjoint, [params, ...tensors], x, y);
}

/** The adjoint of the message of each degree, path by path, led back to the edges and the senders. */
function pullNeighbors(
  run: Run,
  buffers: LayerBuffers,
  kernels: PathKernels,
  { senders, sums }: LayerStages,
  messageBar: GPUBuffer,
  upBar: GPUBuffer | null,
  bar: GPUBuffer,
): void {
  const { stage, model, batch: { nAtoms, atoms, edges, geometry } } = run;
  const { layer, table } = buffers;
  const width = layer.groups * layer.width;
  const { x, y } = fold(nAtoms);
  const send = (label: string, fields: readonly number[]) =>
    stage.params(label, fields.map((value) => ["u32", value]));
  layer.degrees.forEach((l, p) => {
    const [l1, l2, first] = layer.paths.subarray(5 * p, 5 * p + 3);
    const size = width * model.padded;
    mix(run, messageBar, buffers.adjoint!.message, sums, {
      ...{ dIn: (model.lMax + 1) ** 2, first: l * l, dOut: layer.nComponents, target: first, l },
      ...{ nOut: width, weight: p * size },
      elementStride: layer.messagePerElement ? layer.nPaths * size : 0,
    });
    const params = send("atomic_basis_adjoint", [...pathFields(run, buffers, p), l2 * l2, x]);
    const tensors = [atoms, edges, geometry, table, senders, sums, bar];
    stage.dispatch(kernels.adjoint[p], [params, ...tensors], x, y, layer.groups);
    if (!upBar) return;
    // Sums and senders change places.
    const [nAll, channels, nRadials, radial, harmonics] = pathFields(run, buffers, p);
    const back = send("atomic_basis", [
      ...[nAll, channels, nRadials, radial, harmonics],
      ...[layer.nComponents * width, first * width, (layer.lIn + 1) ** 2, l1 * l1, 1, x],
    ]);
    const backTensors = [atoms, edges, geometry, table, sums, upBar];
    stage.dispatch(kernels.back[p], [back, ...backTensors], x, y);
  });
}
