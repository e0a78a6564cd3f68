import { setTimeout } from "node:timers/promises";
import { type BaselineInput, baselines, rms, rmsWithin } from "./baselines.ts";
import type { FineTuning, TrainedErrors } from "./fine_tuning.ts";
import { type Coverage, kernelWidth, type Leakage, leakage, measureCoverage } from "./coverage.ts";
import { type Fit, kernelRidge, type Regressor } from "./kernel_ridge.ts";
import { type ReadoutForces, unscaled } from "./linear_readout.ts";
import type { Backend } from "../backend.ts";
import { RequestError } from "../errors.ts";
import { columnScaling, standardize } from "../linalg/standardize.ts";
import { projectRows } from "../linalg/pca.ts";
import { type Matrix, matrix, takeRows } from "../matrix.ts";
import {
  type DistillOptions,
  frameScores,
  type MeasuredPool,
  measurePool,
  selectFrames,
} from "../pipeline.ts";
import { hashName, uniformStream } from "../rng.ts";
import { representatives } from "../select/duplicates.ts";
import { canonicalOrder, frameIds, type FrameKey } from "../select/frame_key.ts";
import { type Method, NESTED } from "../select/method.ts";
import { membersOf } from "../select/strata.ts";
import { uniformDraw } from "../select/uniform_draw.ts";

/** What is compared on: features once, labels where the files have them. */
export interface ComparePool extends Omit<BaselineInput, "energy"> {
  readonly frames: readonly FrameKey[];
  /** Shape (n_frames, d). */
  readonly features: Matrix;
  /** Energy per atom, eV, or null. */
  readonly energy: Float64Array | null;
  /** Group of every frame; a group is never divided between pool and test set. */
  readonly groups: readonly string[];
}

export interface CompareOptions extends Omit<DistillOptions, "select" | "method"> {
  readonly methods: readonly Method[];
  /** Ascending. */
  readonly sizes: readonly number[];
  /** Whether every stratum has its budget; strata always serve to judge errors within them. */
  readonly stratified: boolean;
  /** Selections per split for methods that draw. */
  readonly seeds: number;
  readonly splits: number;
  /** Share of the frames that is held out. */
  readonly testShare: number;
  /** Frames of a pool, drawn from those not held out; null for all of them. */
  readonly poolSize: number | null;
}

/** Errors of energies per atom on the held-out frames, eV. */
export interface Errors {
  readonly rmse: number;
  /** After the mean error of every stratum is taken off. */
  readonly within: number;
}

/** One selection and what it is worth. */
export interface Trial {
  readonly split: number;
  readonly seed: number;
  readonly method: Method;
  readonly size: number;
  readonly coverage: Coverage;
  /** How near the chosen frames come to the held-out ones; null where none are held out. */
  readonly leakage: Leakage | null;
  readonly errors: Readonly<Record<Regressor, Errors>> | null;
  /** Of the forces of the ridge regression's readout, eV/Å; null where it is not asked for. */
  readonly readoutForces: number | null;
  /** Of a model fine-tuned on the chosen frames; null where none is. */
  readonly trained: TrainedErrors | null;
}

/** What judges selections besides the regressors of energies. */
export interface Judges {
  /** Trains a model on every selection and on every pool. */
  readonly fineTuning: FineTuning | null;
  readonly readoutForces: ReadoutForces | null;
}

/** One division of the frames, and the errors that need no selection. */
export interface Split {
  readonly pool: readonly number[];
  readonly test: readonly number[];
  /** Baselines fitted to the whole pool, and regressors to it or to `MOST_FITTED` drawn frames of it. */
  readonly fromPool: Readonly<Record<string, Errors | null>>;
  /** Of the model that selections are trained from, and of the same trained on the whole pool. */
  readonly trained: { readonly before: TrainedErrors; readonly pool: TrainedErrors } | null;
}

export interface Comparison {
  readonly trials: readonly Trial[];
  readonly splits: readonly Split[];
  /** The chosen frames of the first split and seed at the largest size, by method, on two components. */
  readonly panels: readonly Panel[];
}

/** A selection to be drawn. */
export interface Panel {
  readonly method: Method;
  readonly size: number;
  /** First two principal components of the pool, shape (n_pool, 2). */
  readonly points: Matrix;
  /** Places of the chosen frames in the pool. */
  readonly chosen: readonly number[];
}

/** Regressors are fitted to at most this many frames of a pool: the cost is its cube. */
export const MOST_FITTED = 1000;
/** Fewer frames leave nothing to choose hyper-parameters by. */
const FEWEST_FITTED = 3;
const STREAM_SPLIT = 301n;
/** Methods whose choice does not depend on the seed. */
const FIXED: readonly Method[] = ["direct", "fps"];

/**
 * Runs every method at every size on every split and measures what it chose: coverage of the pool, and
 * where there are energies the errors of cheap regressors that were fitted to the chosen frames alone.
 *
 * @param report told the number of finished selections
 * @throws {RequestError} where a split leaves too few frames
 */
export async function compare(
  everything: ComparePool,
  options: CompareOptions,
  backend: Backend,
  report: (done: number) => void,
  judges: Judges = { fineTuning: null, readoutForces: null },
): Promise<Comparison> {
  checkSizes(everything, options);
  const input = uniqueFrames(everything);
  const trials: Trial[] = [];
  const splits: Split[] = [];
  const panels: Panel[] = [];
  const tuned = judges.fineTuning !== null;
  for (let split = 0; split < splitsOf(everything, options); split++) {
    const opened = await openSplit(input, options, backend, judges, split);
    splits.push(opened.facts);
    for (const method of options.methods) {
      for (let seed = 0; seed < seedsOf(method, options.seeds, tuned); seed++) {
        const drawn = options.seed + BigInt(split * options.seeds + seed);
        for (const chosen of selections(opened.measured, { ...options, method, seed: drawn })) {
          const size = chosen.length;
          trials.push({ split, seed, method, size, ...await opened.judge(chosen, drawn) });
          report(trials.length);
          await setTimeout(1); // lets Ctrl-C in; a turn without waiting does not always
          if (split === 0 && seed === 0 && size === options.sizes.at(-1)) {
            panels.push({ method, size, points: firstTwo(opened.scores), chosen });
          }
        }
      }
    }
  }
  return { trials, splits, panels };
}

/** A division, ready to choose from and to judge what is chosen. */
interface OpenedSplit {
  readonly facts: Split;
  readonly measured: MeasuredPool;
  readonly scores: Matrix;
  /** What a selection is worth.
   * @param chosen places in the pool */
  judge(chosen: readonly number[], seed: bigint): Promise<Judgement>;
}

type Judgement = Pick<Trial, "coverage" | "leakage" | "errors" | "readoutForces" | "trained">;

async function openSplit(
  input: ComparePool,
  options: CompareOptions,
  backend: Backend,
  { fineTuning, readoutForces }: Judges,
  split: number,
): Promise<OpenedSplit> {
  const { pool, test } = divide(input, options, split);
  const features = takeRows(input.features, pool);
  const scaling = columnScaling(features, "zscore");
  const scaled = standardize(input.features, scaling);
  const errorsOf = regress(input, scaled, test);
  const keys = (rows: readonly number[]) => rows.map((row) => input.frames[row]);
  const [poolKeys, testKeys] = [keys(pool), keys(test)];
  const strata = options.stratified ? pool.map((row) => input.strata[row]) : null;
  const own = { frames: poolKeys, features, strata, keep: [], reference: null };
  const measured = await measurePool(own, options, backend);
  const scores = frameScores(measured);
  const cover = measureCoverage(scores, kernelWidth(scores));
  const heldOut = projectRows(takeRows(input.features, test), measured.components);
  return {
    ...{ measured, scores },
    facts: {
      ...{ pool, test, fromPool: errorsFromPool(input, errorsOf, pool, test) },
      trained: fineTuning && {
        before: await fineTuning.untrained(poolKeys, testKeys),
        pool: await fineTuning.trained(poolKeys, testKeys, options.seed),
      },
    },
    async judge(chosen, seed) {
      const rows = chosen.map((i) => pool[i]);
      const found = errorsOf && errorsOf(rows);
      return {
        coverage: cover(chosen),
        leakage: test.length > 0 ? leakage(scores, chosen, heldOut) : null,
        errors: found && found.errors,
        readoutForces: found && readoutForces &&
          await readoutForces.rmse(unscaled(found.readout, scaling), testKeys),
        trained: fineTuning && await fineTuning.trained(keys(rows), testKeys, seed),
      };
    },
  };
}

/** Unique frames in canonical order: splits must not see the order of the input, and no frame may stand
 * both in a pool and among the frames that are held out from it. */
function uniqueFrames(input: ComparePool): ComparePool {
  const order = canonicalOrder(input.frames);
  const firstOf = representatives(takeRows(input.features, order));
  const rows = order.filter((_, row) => firstOf[row] === row);
  return {
    frames: rows.map((row) => input.frames[row]),
    features: takeRows(input.features, rows),
    energy: input.energy && Float64Array.from(rows, (row) => input.energy![row]),
    volume: Float64Array.from(rows, (row) => input.volume[row]),
    strata: rows.map((row) => input.strata[row]),
    groups: rows.map((row) => input.groups[row]),
  };
}

/** @throws {RequestError} where regressors would have nothing to learn from */
function checkSizes({ energy }: ComparePool, { sizes }: CompareOptions): void {
  if (energy === null || sizes[0] >= FEWEST_FITTED) return;
  throw new RequestError(
    `Cannot fit energies to ${sizes[0]} frames, expected at least ${FEWEST_FITTED}; raise -n`,
  );
}

/** Places of the chosen frames at every size, in order of choice. */
function selections(
  pool: MeasuredPool,
  options: CompareOptions & { method: Method },
): number[][] {
  const { method, sizes, stratified } = options;
  const select = (size: number) => {
    const { rank } = selectFrames(pool, { ...options, select: size });
    const chosen = new Array<number>(size);
    rank.forEach((order, i) => {
      if (order > 0) chosen[order - 1] = i;
    });
    return chosen;
  };
  if (!NESTED.includes(method) || stratified) return sizes.map(select);
  const largest = select(sizes[sizes.length - 1]);
  return sizes.map((size) => largest.slice(0, size));
}

function firstTwo({ data, rows, cols }: Matrix): Matrix {
  const out = matrix(rows, 2);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < Math.min(2, cols); k++) out.data[2 * i + k] = data[i * cols + k];
  }
  return out;
}

/** Divisions that differ: one where nothing is held out and every frame is in the pool. */
function splitsOf(
  { energy }: Pick<ComparePool, "energy">,
  { splits, poolSize }: Pick<CompareOptions, "splits" | "poolSize">,
): number {
  return energy === null && poolSize === null ? 1 : splits;
}

/** Trials per split: one where the seed changes nothing. It always changes the order of the steps of a training. */
export function seedsOf(method: Method, seeds: number, tuned: boolean): number {
  return FIXED.includes(method) && !tuned ? 1 : seeds;
}

/** Number of selections that `compare` will make. */
export function countTrials(
  input: Pick<ComparePool, "energy">,
  options: Pick<CompareOptions, "methods" | "sizes" | "seeds" | "splits" | "poolSize">,
  tuned: boolean,
): number {
  const { methods, sizes, seeds } = options;
  const perSize = methods.reduce((sum, method) => sum + seedsOf(method, seeds, tuned), 0);
  return perSize * sizes.length * splitsOf(input, options);
}

/** Whole groups in seeded order are held out until they hold the test share; the rest is the pool. */
function divide(
  { frames, groups, energy }: ComparePool,
  { testShare, poolSize, seed, sizes }: CompareOptions,
  split: number,
) {
  const rows = frames.map((_, i) => i);
  const uniform = uniformStream(seed + BigInt(split), STREAM_SPLIT);
  const key = new Map([...new Set(groups)].map((name) => [name, uniform(hashName(name))]));
  const order = [...key.keys()].sort((a, b) => key.get(a)! - key.get(b)!);
  const held = new Set<string>();
  const wanted = energy ? testShare * rows.length : 0;
  const members = membersOf(groups);
  let nHeld = 0;
  for (const name of order) {
    if (nHeld >= wanted) break;
    held.add(name);
    nHeld += members.get(name)!.length;
  }
  const rest = rows.filter((i) => !held.has(groups[i]));
  const pool = uniformDraw(frameIds(frames), rest, poolSize ?? rest.length, seed + BigInt(split))
    .sort((a, b) => a - b);
  const largest = Math.max(...sizes);
  if (pool.length < Math.max(largest, poolSize ?? 0)) {
    const wish = pool.length < largest
      ? `choose ${largest} frames from a pool of ${pool.length}`
      : `draw pools of ${poolSize} from ${pool.length} frames`;
    throw new RequestError(
      `Cannot ${wish}: ${nHeld} of ${rows.length} unique frames are held out in ${held.size} of ` +
        `${order.length} groups; ask for fewer, or hold out less`,
    );
  }
  return { pool, test: rows.filter((i) => held.has(groups[i])) };
}

/** Errors on the test frames of regressors fitted to given frames, and the readout of the linear one; null without
 * energies. */
function regress({ energy, strata }: ComparePool, scaled: Matrix, test: readonly number[]) {
  if (!energy) return null;
  return (train: readonly number[]) => {
    const fit = (kind: Regressor) => kernelRidge(kind, scaled, energy, train, test);
    const errors = ({ predicted }: Fit) => errorsAt(predicted, energy, strata, test);
    const ridge = fit("ridge");
    return {
      errors: { ridge: errors(ridge), krr: errors(fit("krr")) },
      readout: ridge.readout!,
    };
  };
}

function errorsAt(
  predicted: Float64Array,
  energy: Float64Array,
  strata: readonly string[],
  test: readonly number[],
): Errors {
  const errors = predicted.map((value, i) => value - energy[test[i]]);
  return { rmse: rms(errors), within: rmsWithin(errors, test.map((i) => strata[i])) };
}

function errorsFromPool(
  input: ComparePool,
  errorsOf: ReturnType<typeof regress>,
  pool: readonly number[],
  test: readonly number[],
): Record<string, Errors | null> {
  const { energy, strata } = input;
  if (!energy || !errorsOf) return {};
  const known = Object.entries(baselines({ ...input, energy }, pool, test)).map((
    [name, predicted],
  ) => [name, predicted && errorsAt(predicted, energy, strata, test)]);
  const ids = BigUint64Array.from(pool, BigInt);
  const places = pool.map((_, i) => i);
  const fitted = pool.length > MOST_FITTED
    ? uniformDraw(ids, places, MOST_FITTED, 0n).map((i) => pool[i])
    : pool;
  return { ...Object.fromEntries(known), ...errorsOf(fitted).errors };
}
