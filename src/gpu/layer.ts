import { mix, mixDegrees, type Run } from "./batch.ts";
import { fold, type Kernel } from "./kernel.ts";
import type { LayerBuffers } from "./weights.ts";

/** What one layer computes; `LayerStages` of `src/model/mace_layer.ts`. */
export interface LayerStages {
  /** Features that enter, shape (n_atoms, (lIn + 1)², padded). */
  readonly h: GPUBuffer;
  /** Features that leave, shape (n_atoms, (lOut + 1)², padded). */
  readonly features: GPUBuffer;
  /** Features after linear_up, shape (n_atoms, (lIn + 1)², padded), or ones in the first layer. */
  readonly senders: GPUBuffer;
  /** Atomic basis of all paths, shape (n_atoms, n_components, groups, width). */
  readonly sums: GPUBuffer;
  /** Input of the product basis, shape (n_atoms, (lMax + 1)², padded). */
  readonly message: GPUBuffer;
  /** Output of the product basis, shape (n_atoms, (lOut + 1)², padded). */
  readonly product: GPUBuffer;
}

/** One interaction and product basis, from the features h. */
export function runLayer(
  run: Run,
  t: number,
  buffers: LayerBuffers,
  kernels: readonly Kernel[],
  h: GPUBuffer,
): LayerStages {
  const { stage, model, batch: { nAtoms } } = run;
  const { layer } = buffers;
  const { padded } = model;
  const dOut = (layer.lOut + 1) ** 2;
  const room = (label: string, components: number) =>
    stage.buffer(`layer ${t} ${label}`, nAtoms * components * padded);
  const senders = buffers.up
    ? room("up", (layer.lIn + 1) ** 2)
    : stage.upload("ones", new Float32Array(layer.width).fill(1));
  if (buffers.up) mixDegrees(run, h, buffers.up, senders, layer.lIn);
  placeEdges(run, buffers);
  const width = layer.groups * layer.width;
  const sums = stage.buffer(`layer ${t} sums`, nAtoms * layer.nComponents * width);
  sumNeighbors(run, buffers, kernels, senders, sums);
  const message = room("message", (model.lMax + 1) ** 2);
  mixPaths(run, buffers, sums, message);
  const product = room("product", dOut);
  layer.contractions.forEach((_, i) =>
    contract(run, buffers, i, stage.kernels.product_basis, message, [product])
  );
  const features = room("features", dOut);
  for (let l = 0; l <= layer.lOut; l++) {
    finish(run, buffers, product, h, features, l, dOut, l * l);
  }
  return { h, features, senders, sums, message, product };
}

/** Places the edges in the radial tables of a layer, and its normalisers into the atoms. */
export function placeEdges({ stage, model, batch }: Run, { layer, densityTable }: LayerBuffers) {
  const { nAtoms, vectors, atoms, edges, geometry } = batch;
  stage.rows(
    stage.kernels.radial_basis,
    nAtoms,
    [
      ["u32", nAtoms],
      ["u32", model.nIntervals],
      ["f32", model.rMax],
      ["u32", layer.densityWeight ? 1 : 0],
    ],
    [vectors, densityTable, atoms, edges, geometry],
  );
}

/** Features of degree l that leave, the linear layer behind the product basis and the residual, written
 * to components `target` … of `out`, which has `dTarget`. */
export function finish(
  run: Run,
  { layer, product: weights, skip }: LayerBuffers,
  product: GPUBuffer,
  h: GPUBuffer,
  out: GPUBuffer,
  l: number,
  dTarget: number,
  target: number,
): void {
  const square = run.model.padded ** 2;
  const at = { dOut: dTarget, target, first: l * l, l, weight: l * square };
  mix(run, product, weights, out, { ...at, dIn: (layer.lOut + 1) ** 2 });
  if (!skip || l >= layer.nSkip) return;
  const elementStride = layer.nSkip * square;
  mix(run, h, skip, out, { ...at, dIn: (layer.lIn + 1) ** 2, elementStride, accumulate: true });
}

/** Where path p lies among the senders and the sums, as `atomic_basis` and its adjoint are told. */
export function pathFields(
  { batch: { nAtoms } }: Run,
  { layer, up }: LayerBuffers,
  p: number,
): number[] {
  const { width, groups, nRadials, nComponents, lIn } = layer;
  const [l1, l2, first] = layer.paths.subarray(5 * p, 5 * p + 3);
  const stride = up ? (lIn + 1) ** 2 * width : 0;
  return [
    ...[nAtoms, width, nRadials, Math.min(p, nRadials - 1), 2 * l2],
    ...[stride, l1 * l1 * width, nComponents, first, groups],
  ];
}

function sumNeighbors(
  run: Run,
  buffers: LayerBuffers,
  kernels: readonly Kernel[],
  senders: GPUBuffer,
  sums: GPUBuffer,
): void {
  const { stage, batch: { nAtoms, atoms, edges, geometry } } = run;
  const { x, y } = fold(nAtoms);
  kernels.forEach((kernel, p) => {
    const fields = [...pathFields(run, buffers, p), x];
    const params = stage.params("atomic_basis", fields.map((value) => ["u32", value]));
    const tensors = [atoms, edges, geometry, buffers.table, senders, sums];
    stage.dispatch(kernel, [params, ...tensors], x, y, buffers.layer.groups);
  });
}

/** The sums of every path, mixed into the message of its degree. */
export function mixPaths(
  run: Run,
  buffers: LayerBuffers,
  sums: GPUBuffer,
  message: GPUBuffer,
): void {
  const { model: { padded, lMax } } = run;
  const { layer } = buffers;
  const width = layer.groups * layer.width;
  layer.degrees.forEach((l, p) => {
    mix(run, sums, buffers.message, message, {
      dIn: layer.nComponents,
      first: layer.paths[5 * p + 2],
      dOut: (lMax + 1) ** 2,
      target: l * l,
      l,
      nIn: width,
      weight: p * width * padded,
      elementStride: layer.messagePerElement ? layer.nPaths * width * padded : 0,
      accumulate: layer.degrees.indexOf(l) < p,
    });
  });
}

/** Runs a kernel of the contraction of one degree: `product_basis` or its adjoint. */
export function contract(
  { stage, model: { padded, lMax }, batch: { nAtoms, atoms } }: Run,
  { layer, contractions }: LayerBuffers,
  i: number,
  kernel: Kernel,
  x: GPUBuffer,
  others: readonly GPUBuffer[],
): void {
  const { l, nTerms } = layer.contractions[i];
  const { terms, coefficients } = contractions[i];
  const fields = [nAtoms, padded, (lMax + 1) ** 2, (layer.lOut + 1) ** 2, l * l, nTerms];
  stage.rows(
    kernel,
    nAtoms * padded,
    fields.map((value) => ["u32", value]),
    [x, coefficients, terms, atoms, ...others],
  );
}
