/**
 * Central-Peripheral Distillation (arXiv 2604.03027) of atomic configurations, as typed functions: the
 * steps of `cpd distill` without files and without a console.
 *
 * @example Choose 3 of 40 rows of features
 * ```ts
 * import { distill, referenceBackend } from "./mod.ts";
 *
 * const features = { rows: 40, cols: 2, data: new Float64Array(80) };
 * for (let i = 0; i < 80; i++) features.data[i] = Math.sin(i * i);
 * const frames = Array.from({ length: 40 }, (_, index) => ({ file: "md.xyz", index }));
 * const result = await distill(
 *   { frames, features, strata: null, keep: [], reference: null },
 *   {
 *     method: "cpd",
 *     compat: false,
 *     select: 3,
 *     standardization: "zscore",
 *     components: { kind: "auto" },
 *     radius: null,
 *     objective: "log-variance",
 *     isolationWeight: 1,
 *     central: null,
 *     peripheral: null,
 *     centralShare: 0.5,
 *     densityWeight: 1,
 *     seed: 0n,
 *   },
 *   referenceBackend,
 * );
 * console.assert(result.rank.filter((rank) => rank > 0).length === 3);
 * ```
 *
 * @module
 */
export { type Backend, type BackendName, type Describer, referenceBackend } from "./src/backend.ts";
export type { Frame, Graph } from "./src/frame.ts";
export type { Matrix } from "./src/matrix.ts";
export { matrix } from "./src/matrix.ts";
export { readCheckpoint } from "./src/checkpoint/load.ts";
export type { Checkpoint, CheckpointConfig } from "./src/checkpoint/checkpoint.ts";
export type { Dtype, Tensor } from "./src/checkpoint/tensors.ts";
export { maceModel } from "./src/checkpoint/mace_checkpoint.ts";
export { exportWeights } from "./src/checkpoint/export.ts";
export { formatWeights, readWeights } from "./src/checkpoint/weights.ts";
export type {
  AgnesiTransform,
  Contraction,
  MaceLayer,
  MaceModel,
  Path,
  RadialModel,
  Readout,
  ZblModel,
} from "./src/model/mace_model.ts";
export { descriptors, equivariantFeatures, nodeEnergies } from "./src/model/mace.ts";
export { neighborList } from "./src/graph/neighbor_list.ts";
export { poolAtoms, type Pooling } from "./src/model/pooling.ts";
export {
  type ComponentChoice,
  type LeadingSubspace,
  type PrincipalComponents,
  principalComponents,
} from "./src/linalg/pca.ts";
export type { Scaling, Standardization } from "./src/linalg/standardize.ts";
export { type CountPairs, neighborCount, type PairHistogram } from "./src/select/neighbor_count.ts";
export { type RadiusOptions, type RadiusSearch, searchRadius } from "./src/select/cutoff_radius.ts";
export type { RadiusObjective } from "./src/select/radius_sweep.ts";
export type { Pool, PoolOptions } from "./src/select/central_peripheral.ts";
export {
  distill,
  type Distillation,
  type DistillInput,
  type DistillOptions,
  type FrameKey,
} from "./src/pipeline.ts";
export { openCpuBackend } from "./src/cpu/backend.ts";
export { openGpuBackend } from "./src/gpu/backend.ts";
