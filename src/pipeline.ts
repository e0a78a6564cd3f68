import type { Backend } from "./backend.ts";
import { RequestError } from "./errors.ts";
import {
  type ComponentChoice,
  type PrincipalComponents,
  principalComponents,
  projectRows,
} from "./linalg/pca.ts";
import type { Standardization } from "./linalg/standardize.ts";
import { kaiserScores } from "./linalg/kaiser.ts";
import { type Matrix, matrix, squaredDistance, takeRows } from "./matrix.ts";
import type { Pool } from "./select/central_peripheral.ts";
import { checkRequest, type Choice, type ChoiceOptions, choose } from "./select/choose.ts";
import { type CloseCall, listenForCloseCalls } from "./select/close_calls.ts";
import { type RadiusOptions, type RadiusSearch, searchRadius } from "./select/cutoff_radius.ts";
import { representatives } from "./select/duplicates.ts";
import { canonicalOrder, type FrameKey } from "./select/frame_key.ts";

/** Everything that decides a choice, besides the frames. */
export interface DistillOptions extends ChoiceOptions, RadiusOptions {
  /** What is done to the features before PCA. */
  readonly standardization: Standardization;
  /** How many principal components are kept. */
  readonly components: ComponentChoice;
}

/** What to distil: one row of features per frame, and what is known about them. */
export interface DistillInput {
  /** One key per row of the features. */
  readonly frames: readonly FrameKey[];
  /** Features, shape (n_frames, d). */
  readonly features: Matrix;
  /** Stratum of each frame, or null. */
  readonly strata: readonly string[] | null;
  /** Places of frames that must be chosen. */
  readonly keep: readonly number[];
  /** Features of an existing training set, shape (n, d), or null. */
  readonly reference: Matrix | null;
}

/** A distilled pool; every array is in the order of the input frames. */
export interface Distillation {
  /** Order of choice from 1; 0 if not chosen. */
  readonly rank: Uint32Array;
  /** Pool that each frame belongs to. */
  readonly pool: readonly Pool[];
  /** Neighbors within r_c, self excluded. */
  readonly density: Uint32Array;
  /** Coordinates along the principal components, shape (n_frames, K). */
  readonly scores: Matrix;
  /** The components themselves. */
  readonly components: PrincipalComponents;
  /** Coordinates of the reference set, shape (n_reference, K), or null. */
  readonly reference: Matrix | null;
  /** The search for r_c. */
  readonly search: RadiusSearch;
  /** Place of the frame that each frame duplicates; its own place if it is unique. */
  readonly representative: Uint32Array;
  /** Unique frames that the reference set holds already. */
  readonly nKnown: number;
  /** Frames in the dense and in the sparse pool. */
  readonly poolSizes: { readonly central: number; readonly peripheral: number };
  /** Decisions that were close, the closest first; `point` is the place of the frame. */
  readonly closeCalls: readonly CloseCall[];
}

/** A pool with its principal components and densities, to choose from as often as one likes. */
export interface MeasuredPool {
  /** What was measured. */
  readonly input: DistillInput;
  /** Frames in canonical order; rows below count in it. */
  readonly order: readonly number[];
  /** Row that each row duplicates; its own if it is unique. */
  readonly firstOf: Uint32Array;
  /** Unique rows; what is chosen from counts in them. */
  readonly unique: readonly number[];
  /** Their principal components. */
  readonly components: PrincipalComponents;
  /** Coordinates of the reference set, shape (n_reference, K), or null. */
  readonly reference: Matrix | null;
  /** Unique rows that the reference set holds already: they are not chosen. */
  readonly known: ReadonlySet<number>;
  /** Principal components of the unique rows, those of the reference set behind them. */
  readonly cloud: Matrix;
  /** The search for r_c. */
  readonly search: RadiusSearch;
  /** DIRECT's own components of the unique rows. */
  directPoints(): Matrix;
}

/**
 * Central-peripheral distillation (arXiv 2604.03027): features → principal components → density →
 * selection; or the selection of another method on the same features. The result depends on the
 * frames, options and seed alone, not on the order of the frames or on the backend.
 *
 * @throws {RequestError} if the wanted number of frames cannot be chosen
 */
export async function distill(
  input: DistillInput,
  options: DistillOptions,
  backend: Backend,
): Promise<Distillation> {
  return selectFrames(await measurePool(input, options, backend), options);
}

function tooFew(
  select: number | "auto" | undefined,
  nUnique: number,
  nFrames: number,
): string {
  const cannot = `Cannot choose ${typeof select === "number" ? `${select} frames` : "frames"}`;
  if (nUnique === nFrames) return `${cannot} from ${nFrames}, expected at least 3`;
  const same = nUnique === 1
    ? `all ${nFrames} are the same (one descriptor)`
    : `of ${nFrames} only ${nUnique} differ, expected at least 3`;
  return `${cannot}: ${same}; run cpd scan`;
}

/**
 * Features → principal components → density.
 *
 * @throws {RequestError} if fewer than three frames are unique
 */
export async function measurePool(
  input: DistillInput,
  options:
    & Pick<DistillOptions, "standardization" | "components" | keyof RadiusOptions>
    & { readonly select?: number | "auto" },
  backend: Backend,
): Promise<MeasuredPool> {
  const order = canonicalOrder(input.frames);
  const features = takeRows(input.features, order);
  const firstOf = representatives(features);
  const unique = order.flatMap((_, row) => (firstOf[row] === row ? [row] : []));
  if (unique.length < 3) {
    throw new RequestError(tooFew(options.select, unique.length, order.length));
  }
  const points = takeRows(features, unique);
  const components = await principalComponents(
    points,
    options.standardization,
    options.components,
    (centred, m) => backend.leadingSubspace(centred, m),
  );
  const reference = input.reference ? projectRows(input.reference, components) : null;
  const known = new Set(input.reference ? rowsIn(input.reference, points) : []);
  const cloud = reference ? stack(components.scores, reference) : components.scores;
  const search = await searchRadius(cloud, options, (p, r) => backend.countNeighbors(p, r));
  let directPoints: Matrix | null = null;
  return {
    ...{ input, order, firstOf, unique, components, reference, known, cloud, search },
    directPoints: () => directPoints ??= kaiserScores(points),
  };
}

/**
 * Density → selection.
 *
 * @throws {RequestError} if the wanted number of frames cannot be chosen
 */
export function selectFrames(
  pool: MeasuredPool,
  options: Omit<DistillOptions, "standardization" | "components">,
): Distillation {
  const { input, order, unique, components, reference, known, cloud, search } = pool;
  const uniqueOf = uniqueRows(pool);
  const place = new Map(order.map((frame, row) => [frame, row]));
  const choice: Choice = {
    frames: unique.map((row) => input.frames[order[row]]),
    strata: input.strata && unique.map((row) => input.strata![order[row]]),
    nKept: new Set(input.keep).size,
    keep: [...new Set(input.keep.map((frame) => uniqueOf[place.get(frame)!]))],
    known,
    barred: reference ? nearReference(cloud, unique.length, search) : new Set(),
    points: cloud,
    directPoints: options.method === "direct" ? pool.directPoints() : matrix(0, 0),
  };
  checkRequest(choice, order.length, options.select);
  const calls = listenForCloseCalls();
  const chosen = choose(choice, search, options, calls);
  return {
    ...perFrame(pool, uniqueOf, chosen),
    components,
    reference,
    search,
    nKnown: known.size,
    poolSizes: chosen.sizes,
    closeCalls: calls.found().map((call) => ({ ...call, point: order[unique[call.point]] })),
  };
}

/** Row among the unique ones that each row stands for. */
function uniqueRows({ firstOf, unique }: MeasuredPool): number[] {
  const rowOf = new Map(unique.map((row, u) => [row, u]));
  return Array.from(firstOf, (row) => rowOf.get(row)!);
}

/** Principal components of every frame, in the order of the input, shape (n_frames, K). */
export function frameScores(pool: MeasuredPool): Matrix {
  const { order, components: { scores } } = pool;
  const out = matrix(order.length, scores.cols);
  const uniqueOf = uniqueRows(pool);
  order.forEach((frame, row) => {
    const from = uniqueOf[row] * scores.cols;
    out.data.set(scores.data.subarray(from, from + scores.cols), frame * scores.cols);
  });
  return out;
}

/** Results of the unique rows, brought back to every frame in the order of the input. */
function perFrame(
  measured: MeasuredPool,
  uniqueOf: readonly number[],
  chosen: { picks: readonly number[]; pool: readonly Pool[] },
) {
  const { input, order, firstOf, unique, search } = measured;
  const n = order.length;
  const rank = new Uint32Array(n);
  const density = new Uint32Array(n);
  const representative = new Uint32Array(n);
  const pool: Pool[] = new Array(n).fill("none");
  order.forEach((frame, row) => {
    const u = uniqueOf[row];
    density[frame] = search.counts[u * search.radii.length + search.chosen];
    representative[frame] = order[firstOf[row]];
    if (firstOf[row] === row) pool[frame] = chosen.pool[u];
  });
  // What is kept is that very frame, even where it duplicates another one.
  const chosenFrames = [...new Set(input.keep), ...chosen.picks.map((u) => order[unique[u]])];
  chosenFrames.forEach((frame, i) => rank[frame] = i + 1);
  return { rank, pool, density, scores: frameScores(measured), representative };
}

function stack(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows + b.rows, a.cols);
  out.data.set(a.data);
  out.data.set(b.data, a.data.length);
  return out;
}

/** Rows that coincide with one of the reference set. */
function rowsIn(reference: Matrix, rows: Matrix): number[] {
  const firstOf = representatives(stack(reference, rows));
  return [...firstOf.subarray(reference.rows).keys()]
    .filter((i) => firstOf[reference.rows + i] < reference.rows);
}

/** Points with a reference point within r_c: the reference set covers them already. */
function nearReference(cloud: Matrix, nPoints: number, search: RadiusSearch): Set<number> {
  const radius = search.radii[search.chosen];
  const near = new Set<number>();
  for (let i = 0; i < nPoints; i++) {
    for (let j = nPoints; j < cloud.rows && !near.has(i); j++) {
      if (squaredDistance(cloud, i, cloud, j) <= radius * radius) near.add(i);
    }
  }
  return near;
}
