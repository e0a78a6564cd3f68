import { type Backend, referenceBackend } from "../backend.ts";
import type { Frame } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";
import { covariance } from "../linalg/covariance.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import type { MaceModel } from "../model/mace_model.ts";
import { descriptors } from "../model/mace.ts";
import { predict } from "../model/potential.ts";
import { neighborCount } from "../select/neighbor_count.ts";
import { gradientError, largestError, rowError } from "./errors.ts";
import { denseHydrogen } from "./inputs.ts";
import { mediumModel } from "./medium_model.ts";
import { clusteredPoints, decayingColumns, onePercentRadius } from "./points.ts";

/** Something to be timed, with its error against the definition. */
export interface SpeedCase {
  readonly name: string;
  readonly error: number;
  readonly allowed: number;
  /** Work of one call, in this unit. */
  readonly amount: number;
  readonly unit: "edges" | "pairs" | "numbers";
  run(): Promise<unknown>;
  close(): Promise<void>;
}

/** How much is timed. */
export interface SpeedSize {
  /** Frames of one call, and atoms of each. */
  readonly frames: number;
  readonly atoms: number;
  /** Points whose neighbors are counted. */
  readonly points: number;
}

/** Wigner-Seitz radius of the hydrogen, Bohr, and the cutoff of the model, Å. */
const RS = 1.3;
const R_MAX = 5;
/** Atoms of the frame on which errors are measured. */
const SMALL = 16;
const CHANNELS = 128;
/** Frames of a training step, and atoms of the one on which its error is measured. */
const BATCH = 2;
const FEW = 2;

/** Cases of one backend, one after the other, so that each has the machine for itself. */
export async function* speedCases(
  backend: Backend,
  { frames, atoms, points }: SpeedSize,
): AsyncGenerator<SpeedCase> {
  const model = mediumModel({ elements: [1], rMax: R_MAX, channels: CHANNELS });
  const pool = Array.from({ length: frames }, (_, i) => denseHydrogen(atoms, RS, i + 1));
  yield await describing(backend, model, pool);
  yield await predicting(backend, model, pool);
  yield await training(backend, model, pool.slice(0, BATCH));
  yield await counting(backend, points);
  yield await findingComponents(backend);
}

function edgesOf(pool: readonly Frame[]): number {
  return pool.reduce((sum, frame) => sum + neighborList(frame, R_MAX).nEdges, 0);
}

/** Descriptors of dense hydrogen, medium architecture. */
async function describing(
  backend: Backend,
  model: MaceModel,
  pool: readonly Frame[],
): Promise<SpeedCase> {
  const describer = await backend.openDescriber(model, model.layers.length, [1]);
  const small = denseHydrogen(SMALL, RS);
  const exact = descriptors(model, neighborList(small, R_MAX));
  const [rows] = await describer.describe([small]);
  const error = rowError(rows, exact, describer.width);
  return {
    ...{ name: "descriptors", error, allowed: 5e-6, amount: edgesOf(pool), unit: "edges" },
    run: () => describer.describe(pool),
    close: () => describer.close(),
  };
}

/** Energies and forces of the same. */
async function predicting(
  backend: Backend,
  model: MaceModel,
  pool: readonly Frame[],
): Promise<SpeedCase> {
  const potential = await backend.openPotential(model, [1], 0);
  const small = denseHydrogen(SMALL, RS);
  const { forces: exact } = predict(model, neighborList(small, R_MAX));
  const [{ forces }] = await potential.predict([small]);
  const error = largestError(forces, exact);
  return {
    ...{ name: "energies, forces", error, allowed: 2e-5, amount: edgesOf(pool), unit: "edges" },
    run: () => potential.predict(pool),
    close: () => potential.close(),
  };
}

/** The gradient of a loss of energies and forces: a training step but for Adam. */
async function training(
  backend: Backend,
  model: MaceModel,
  pool: readonly Frame[],
): Promise<SpeedCase> {
  const options = {
    ...{ kind: "weighted", energyWeight: 10, forcesWeight: 1, stressWeight: 0, delta: 1 } as const,
  };
  const labelled = (frame: Frame) => {
    const forces = Float64Array.from(frame.positions, (_, i) => Math.sin(i));
    return { frame, labels: { energy: 0, forces, stress: null, weight: 1 } };
  };
  const few = [labelled(denseHydrogen(FEW, RS))];
  const trainer = await backend.openTrainer(model, [1], 0);
  const definition = await referenceBackend.openTrainer(model, [1], 0);
  const [own, exact] = await Promise.all(
    [trainer, definition].map((each) => each.gradient(model, few, options)),
  );
  const batch = pool.map(labelled);
  return {
    ...{ name: "training step", error: gradientError(own.gradient, exact.gradient) },
    ...{ allowed: 1e-4, amount: edgesOf(pool), unit: "edges" },
    run: () => trainer.gradient(model, batch, options),
    close: () => trainer.close(),
  };
}

/** Neighbors of points in 16 dimensions within one radius; the error is the number of wrong counts. */
async function counting(backend: Backend, n: number): Promise<SpeedCase> {
  const points = clusteredPoints(n, 16);
  const radii = Float64Array.of(onePercentRadius(points));
  const run = () => backend.countNeighbors(points, radii);
  const { counts } = await run();
  const exact = neighborCount(points, radii);
  const error = exact.reduce((wrong, count, i) => wrong + Number(count !== counts[i]), 0);
  return {
    ...{ name: "neighbor counts", error, allowed: 0, amount: n * n, unit: "pairs", run },
    close: () => Promise.resolve(),
  };
}

/** The leading subspace of 10,000 rows of 64 columns; the error is the share of the first eigenvector that
 * is outside of it, before the finish in float64. */
async function findingComponents(backend: Backend): Promise<SpeedCase> {
  const [rows, cols, wanted] = [10_000, 64, 16];
  const x = decayingColumns(rows, cols);
  const run = () => backend.leadingSubspace(x, wanted);
  const { start } = await run();
  const exact = symmetricEigen(covariance(x)).vectors;
  let inside = 0;
  for (let j = 0; j < start.cols; j++) {
    let [dot, norm] = [0, 0];
    for (let i = 0; i < cols; i++) {
      dot += start.data[i * start.cols + j] * exact.data[i * cols];
      norm += start.data[i * start.cols + j] ** 2;
    }
    inside += dot * dot / norm;
  }
  return {
    ...{ name: "leading subspace", error: Math.abs(1 - inside), allowed: 1e-3 },
    ...{ amount: rows * cols, unit: "numbers", run, close: () => Promise.resolve() },
  };
}
