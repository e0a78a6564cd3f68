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
import { hashName, stableId } from "./rng.ts";
import {
  type CentralPeripheral,
  centralPeripheral,
  type Pool,
  type PoolOptions,
} from "./select/central_peripheral.ts";
import { type RadiusOptions, type RadiusSearch, searchRadius } from "./select/cutoff_radius.ts";
import { representatives } from "./select/duplicates.ts";
import {
  type Cloud,
  isDistilling,
  type Method,
  type RivalOptions,
  RIVALS,
} from "./select/method.ts";
import { spreadPools } from "./select/spread_pools.ts";
import { membersOf, strataQuotas } from "./select/strata.ts";

/** Which frame a row of features belongs to. */
export interface FrameKey {
  /** Name of the file, for people. */
  readonly file: string;
  /** 0-based place in the file. */
  readonly index: number;
  /** What tells files apart, such as a hash of the content; their names if not given. Order and seeded
   * numbers depend on it. */
  readonly fileKey?: string;
}

/** Everything that decides a choice, besides the frames. */
export interface DistillOptions extends PoolOptions, RadiusOptions, RivalOptions {
  /** How frames are chosen. */
  readonly method: Method;
  /** Number of frames to choose, exactly. */
  readonly select: number;
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
  const chosen = choose(choice, search, options);
  return {
    ...perFrame(pool, uniqueOf, chosen),
    components,
    reference,
    search,
    nKnown: known.size,
    poolSizes: chosen.sizes,
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

/** Frames sorted by file and index: sums, ties and draws must not see the order of the input. */
export function canonicalOrder(frames: readonly FrameKey[]): number[] {
  return frames.map((_, i) => i).sort((i, j) => {
    const [a, b] = [keyOf(frames[i]), keyOf(frames[j])];
    return a < b ? -1 : a > b ? 1 : frames[i].index - frames[j].index;
  });
}

/** @throws {RequestError} if more frames are wanted than may be chosen */
function checkRequest(
  { keep, known, nKept, frames }: Choice,
  nFrames: number,
  select: number,
): void {
  if (select > nFrames) {
    throw new RequestError(`Cannot choose ${select} frames: there are only ${nFrames}; lower -n`);
  }
  const most = frames.length - new Set([...keep, ...known]).size + nKept;
  if (select > most) {
    const others = known.size > 0 ? " and not in the reference set" : "";
    throw new RequestError(
      `Cannot choose ${select} frames: of ${nFrames} only ${most} are unique${others}; lower -n`,
    );
  }
  if (nKept > select) {
    throw new RequestError(`Cannot keep ${nKept} frames in a selection of ${select}; raise -n`);
  }
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

interface Choice {
  readonly frames: readonly FrameKey[];
  readonly strata: readonly string[] | null;
  /** Frames that are kept, and the rows that they stand for. */
  readonly nKept: number;
  readonly keep: readonly number[];
  readonly known: ReadonlySet<number>;
  /** Points that may not enter a sparse pool. */
  readonly barred: ReadonlySet<number>;
  /** Principal components, the rows of a reference set after those of the frames. */
  readonly points: Matrix;
  readonly directPoints: Matrix;
}

/** What is chosen beside the kept frames, stratum after stratum. */
function choose(
  choice: Choice,
  search: RadiusSearch,
  options: Omit<DistillOptions, "standardization" | "components">,
) {
  const { frames, keep, nKept, barred, points } = choice;
  const { method } = options;
  const parts = divide(choice, options.select - nKept);
  const ids = frameIds(frames);
  const reference = Array.from(
    { length: points.rows - frames.length },
    (_, i) => frames.length + i,
  );
  const already = [...keep, ...reference];
  const pool: Pool[] = frames.map(() => "none");
  if (!isDistilling(method)) {
    const cloud: Cloud = { ...choice, ids, chosen: already };
    const picks = parts.map(({ members, quota }) => RIVALS[method](cloud, members, quota, options));
    return { picks: picks.flat(), pool, sizes: { central: 0, peripheral: 0 } };
  }
  const candidates = { ...search, nRadii: search.radii.length, ids };
  const chosen = parts.map(({ members, quota }) =>
    method === "cpd"
      ? centralPeripheral(candidates, members, barred, quota, options)
      : spreadPools(points, candidates, members, barred, already, quota, options)
  );
  const gather = (name: keyof CentralPeripheral) => chosen.flatMap((part) => part[name]);
  const [centralPool, peripheralPool] = [gather("centralPool"), gather("peripheralPool")];
  centralPool.forEach((u) => pool[u] = "central");
  peripheralPool.forEach((u) => pool[u] = "peripheral");
  return {
    picks: [...gather("central"), ...gather("peripheral")],
    pool,
    sizes: { central: centralPool.length, peripheral: peripheralPool.length },
  };
}

/** Strata by name, or all points as one, without those that are kept or known; and their budgets. */
function divide({ frames, strata, keep, known }: Choice, budget: number) {
  const kept = new Set([...keep, ...known]);
  const groups = membersOf(strata ?? frames.map(() => ""));
  const wanted = new Set(keep);
  const parts = [...groups.keys()].sort().map((name) => groups.get(name)!)
    .map((all) => ({
      members: all.filter((u) => !kept.has(u)),
      // A kept frame stands for its stratum.
      least: all.some((u) => wanted.has(u)) ? 0 : 1,
    }))
    .filter(({ members }) => members.length > 0);
  const members = parts.map((part) => part.members);
  const quotas = strata && budget > 0
    ? strataQuotas(members.map((group) => group.length), budget, parts.map(({ least }) => least))
    : members.map(() => budget);
  return members.map((group, s) => ({ members: group, quota: quotas[s] }));
}

/** Stable ids: functions of the content of the file and the place in it. */
export function frameIds(frames: readonly FrameKey[]): BigUint64Array {
  const hashes = new Map<string, bigint>();
  const hashOf = (file: string) => {
    if (!hashes.has(file)) hashes.set(file, hashName(file));
    return hashes.get(file)!;
  };
  return BigUint64Array.from(frames, (frame) => stableId(hashOf(keyOf(frame)), frame.index));
}

function keyOf({ file, fileKey }: FrameKey): string {
  return fileKey ?? file;
}
