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
 *     method: "cpd-spread",
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
 * @example Describe a frame with MACE and pool its atoms
 * ```ts
 * import { type Frame, openCpuBackend, readModel } from "./mod.ts";
 *
 * const model = readModel(Deno.readFileSync("data/hydrogen-small.safetensors"));
 * const frame: Frame = {
 *   id: "h2@0",
 *   file: "h2",
 *   index: 0,
 *   line: 1,
 *   species: Uint8Array.of(1, 1),
 *   positions: Float64Array.of(0, 0, 0, 0.74, 0, 0),
 *   cell: new Float64Array(9),
 *   pbc: [false, false, false],
 *   info: new Map(),
 * };
 * const backend = await openCpuBackend(2);
 * const describer = await backend.openDescriber(model, model.layers.length, [1]);
 * const [row] = await describer.pool([frame], "mean");
 * console.assert(row.length === describer.width);
 * await backend.close();
 * ```
 *
 * @example Ten steps of dynamics at 300 K
 * ```ts
 * import {
 *   drawsOf,
 *   drawVelocities,
 *   type Frame,
 *   kineticEnergy,
 *   openCpuBackend,
 *   openPotential,
 *   readModel,
 *   rescaleVelocities,
 *   stateOf,
 *   verletStep,
 * } from "./mod.ts";
 *
 * const model = readModel(Deno.readFileSync("data/hydrogen-small.safetensors"));
 * const frame: Frame = {
 *   id: "h2@0",
 *   file: "h2",
 *   index: 0,
 *   line: 1,
 *   species: Uint8Array.of(1, 1),
 *   positions: Float64Array.of(0, 0, 0, 0.74, 0, 0),
 *   cell: Float64Array.of(4, 0, 0, 0, 4, 0, 0, 0, 4),
 *   pbc: [true, true, true],
 *   info: new Map(),
 * };
 * const backend = await openCpuBackend(1);
 * const potential = await openPotential(model, backend);
 * const state = stateOf(frame);
 * drawVelocities(state, 300, drawsOf(0n, 1n, 0));
 * const forcesAt = async () =>
 *   (await potential.predict([{ ...frame, positions: state.positions.slice() }]))[0];
 * let now = await forcesAt();
 * for (let step = 1; step <= 10; step++) {
 *   now = await verletStep(state, now, 0.2, forcesAt);
 *   rescaleVelocities(state, { temperature: 300, tau: 50 }, 0.2, drawsOf(0n, 1n, step));
 * }
 * console.assert(state.step === 10 && kineticEnergy(state) > 0);
 * await potential.close();
 * await backend.close();
 * ```
 *
 * @example Energy, forces and stress of a frame
 * ```ts
 * import { type Frame, openCpuBackend, openPotential, readModel, stressOf } from "./mod.ts";
 *
 * const model = readModel(Deno.readFileSync("data/hydrogen-small.safetensors"));
 * const frame: Frame = {
 *   id: "h2@0",
 *   file: "h2",
 *   index: 0,
 *   line: 1,
 *   species: Uint8Array.of(1, 1),
 *   positions: Float64Array.of(0, 0, 0, 0.74, 0, 0),
 *   cell: Float64Array.of(4, 0, 0, 0, 4, 0, 0, 0, 4),
 *   pbc: [true, true, true],
 *   info: new Map(),
 * };
 * const backend = await openCpuBackend(1);
 * const potential = await openPotential(model, backend);
 * const [prediction] = await potential.predict([frame]);
 * console.assert(prediction.energy < 0);
 * console.assert(Math.abs(prediction.forces[0] + prediction.forces[3]) < 1e-4);
 * console.assert(stressOf(prediction, frame)!.length === 9);
 * await potential.close();
 * await backend.close();
 * ```
 *
 * @example Measure a pool once and choose from it with several methods
 * ```ts
 * import { measurePool, referenceBackend, selectFrames } from "./mod.ts";
 *
 * const features = { rows: 60, cols: 3, data: Float64Array.from({ length: 180 }, (_, i) => Math.sin(i * i)) };
 * const frames = Array.from({ length: 60 }, (_, index) => ({ file: "md.xyz", index }));
 * const options = {
 *   standardization: "zscore",
 *   components: { kind: "count", count: 2 },
 *   radius: null,
 *   objective: "log-variance",
 *   isolationWeight: 1,
 *   central: null,
 *   peripheral: null,
 *   centralShare: 0.5,
 *   densityWeight: 1,
 *   compat: false,
 *   seed: 1n,
 * } as const;
 * const input = { frames, features, strata: null, keep: [], reference: null };
 * const pool = await measurePool(input, options, referenceBackend);
 * for (const method of ["cpd-spread", "fps", "random"] as const) {
 *   const { rank } = selectFrames(pool, { ...options, method, select: 12 });
 *   console.assert(rank.filter((order) => order > 0).length === 12);
 * }
 * ```
 *
 * @module
 */
export {
  type Backend,
  type BackendName,
  type Describer,
  type Potential,
  referenceBackend,
} from "./src/backend.ts";
export type { Frame, Graph } from "./src/frame.ts";
export type { Matrix } from "./src/matrix.ts";
export { matrix } from "./src/matrix.ts";
export { readCheckpoint, readModel } from "./src/checkpoint/load.ts";
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
export { descriptors, equivariantFeatures } from "./src/model/mace.ts";
export { nodeEnergies, predict } from "./src/model/potential.ts";
export { type Prediction, stressOf } from "./src/model/prediction.ts";
export { openPotential } from "./src/potential.ts";
export type { LayerWeights, ModelWeights } from "./src/model/model_weights.ts";
export type { ReadoutWeights } from "./src/model/readout.ts";
export type { LossKind, LossOptions, LossTerms, TrainLabels } from "./src/train/loss.ts";
export type { BatchGradient, LabelledFrame, Trainer } from "./src/train/trainer.ts";
export { type DynamicsState, stateOf } from "./src/dynamics/state.ts";
export { drawVelocities } from "./src/dynamics/draw_velocities.ts";
export { type Draws, drawsOf } from "./src/dynamics/draws.ts";
export { verletStep } from "./src/dynamics/verlet.ts";
export {
  rescaleVelocities,
  rescalingFactor,
  type Thermostat,
} from "./src/dynamics/velocity_rescaling.ts";
export {
  kineticEnergy,
  type Moving,
  pressureTensor,
  temperatureOf,
} from "./src/dynamics/kinetic.ts";
export { pairCounts, pairDistribution } from "./src/analyze/pair_distribution.ts";
export {
  MOLECULAR_REACH,
  molecularCoordination,
  molecularFraction,
} from "./src/analyze/molecular_fraction.ts";
export { meanSquaredDisplacement, velocityAutocorrelation } from "./src/analyze/correlation.ts";
export { type BlockAverage, blockAverage } from "./src/analyze/block_average.ts";
export { neighborList } from "./src/graph/neighbor_list.ts";
export { poolAtoms, type Pooling } from "./src/model/pooling.ts";
export type { DescriptorModel } from "./src/model/descriptor_model.ts";
export type { Dense, SchnetLayer, SchnetModel } from "./src/model/schnet_model.ts";
export { schnetFeatures } from "./src/model/schnet.ts";
export {
  type ComponentChoice,
  type FindSubspace,
  type LeadingSubspace,
  type PrincipalComponents,
  principalComponents,
} from "./src/linalg/pca.ts";
export type { Scaling, Standardization } from "./src/linalg/standardize.ts";
export {
  type CountNeighbors,
  neighborCount,
  type NeighborCounts,
} from "./src/select/neighbor_count.ts";
export { type RadiusOptions, type RadiusSearch, searchRadius } from "./src/select/cutoff_radius.ts";
export type { RadiusObjective } from "./src/select/radius_sweep.ts";
export type { Distilling, Method, Rival, RivalOptions } from "./src/select/method.ts";
export type { Pool, PoolOptions } from "./src/select/central_peripheral.ts";
export type { ChoiceOptions } from "./src/select/choose.ts";
export type { CallKind, CloseCall } from "./src/select/close_calls.ts";
export type { FrameKey } from "./src/select/frame_key.ts";
export {
  distill,
  type Distillation,
  type DistillInput,
  type DistillOptions,
  type MeasuredPool,
  measurePool,
  selectFrames,
} from "./src/pipeline.ts";
export { openCpuBackend } from "./src/cpu/backend.ts";
export { type GpuBackend, openGpuBackend } from "./src/gpu/backend.ts";
