import { mix, mixDegrees, type Run } from "./batch.ts";
import { fold } from "./kernel.ts";
import { contract, finish, type LayerStages, mixPaths, pathFields, placeEdges } from "./layer.ts";
import type { TrainingKernels } from "./path_kernels.ts";
import type { LayerBuffers } from "./weights.ts";

/** A batch whose edges change. */
export interface TangentRun extends Run {
  /** Tangents of the geometry. */
  readonly dots: GPUBuffer;
  /** Edges by the rows of the radial tables. */
  readonly listed: GPUBuffer;
}

/** How a layer's stages change, in their shapes. */
export interface LayerTangents {
  readonly features: GPUBuffer;
  /** Null in the first layer, whose features are constants. */
  readonly up: GPUBuffer | null;
  /** Relative change of the normaliser, shape (n_atoms), or null where it is 1. */
  readonly nu: GPUBuffer | null;
  /** At a fixed normaliser. */
  readonly sums: GPUBuffer;
  readonly message: GPUBuffer;
  readonly product: GPUBuffer;
}

/** Tangent of `runLayer`.
 * @param hDot that of the features that enter; null for constants */
export function runLayerTangent(
  run: TangentRun,
  t: number,
  buffers: LayerBuffers,
  kernels: TrainingKernels,
  { senders, message }: LayerStages,
  hDot: GPUBuffer | null,
): LayerTangents {
  const { stage, model, batch: { nAtoms } } = run;
  const { layer } = buffers;
  const [d, dIn, dOut] = [(model.lMax + 1) ** 2, (layer.lIn + 1) ** 2, (layer.lOut + 1) ** 2];
  const room = (label: string, components: number) =>
    stage.buffer(`layer ${t} tangent of ${label}`, nAtoms * components * model.padded);
  const up = hDot && room("up", dIn);
  if (hDot) mixDegrees(run, hDot, buffers.up!, up!, layer.lIn);
  // The normalisers are those of the layer that was run last.
  placeEdges(run, buffers);
  const width = layer.groups * layer.width;
  const sums = stage.buffer(`layer ${t} tangent of sums`, nAtoms * layer.nComponents * width);
  sumTangents(run, buffers, kernels, senders, up, sums);
  const messageDot = room("message", d);
  mixPaths(run, buffers, sums, messageDot);
  const nu = layer.densityWeight ? normaliserTangent(run, buffers, message, messageDot) : null;
  const product = room("product", dOut);
  layer.contractions.forEach((_, i) => {
    const kernel = stage.kernels.product_basis_tangent;
    contract(run, buffers, i, kernel, message, [messageDot, product]);
  });
  const features = room("features", dOut);
  for (let l = 0; l <= layer.lOut; l++) {
    if (hDot) finish(run, buffers, product, hDot, features, l, dOut, l * l);
    else {
      const at = { dIn: dOut, first: l * l, dOut, target: l * l, l };
      mix(run, product, buffers.product, features, { ...at, weight: l * model.padded ** 2 });
    }
  }
  return { features, up, nu, sums, message: messageDot, product };
}

function sumTangents(
  run: TangentRun,
  buffers: LayerBuffers,
  kernels: TrainingKernels,
  senders: GPUBuffer,
  up: GPUBuffer | null,
  sums: GPUBuffer,
): void {
  const { stage, dots, batch: { nAtoms, atoms, edges, geometry } } = run;
  const { x, y } = fold(nAtoms);
  kernels.tangent.forEach((kernel, p) => {
    const own = pathFields(run, buffers, p);
    const fields = [...own, own[6], up ? 1 : 0, x];
    const params = stage.params(
      "atomic_basis_tangent",
      fields.map((value) => ["u32", value]),
    );
    const tensors = [atoms, edges, geometry, dots, buffers.table, senders, up ?? senders, sums];
    stage.dispatch(kernel, [params, ...tensors], x, y, buffers.layer.groups);
  });
}

/** Relative tangent of the normaliser; what it does to the message is added to that of the message. */
function normaliserTangent(
  { stage, model: { padded, lMax }, dots, batch }: TangentRun,
  { densityTable }: LayerBuffers,
  message: GPUBuffer,
  messageDot: GPUBuffer,
): GPUBuffer {
  const { nAtoms, atoms, edges, geometry } = batch;
  const { x, y } = fold(nAtoms);
  const nu = stage.buffer("nu", nAtoms);
  const params = stage.params(
    "edge_density_tangent",
    [nAtoms, (lMax + 1) ** 2 * padded, x].map((value) => ["u32", value]),
  );
  const tensors = [atoms, edges, geometry, dots, densityTable, message, messageDot, nu];
  stage.dispatch(stage.kernels.edge_density_tangent, [params, ...tensors], x, y);
  return nu;
}
