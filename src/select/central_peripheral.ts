import { RequestError } from "../errors.ts";
import { uniformStream } from "../rng.ts";
import { type CloseCalls, NO_CLOSE_CALLS } from "./close_calls.ts";

/** Dense, sparse, or neither. */
export type Pool = "central" | "peripheral" | "none";

/** Sizes of the pools, and how they are drawn from. */
export interface PoolOptions {
  /** Fraction of the points in the dense pool; null: what the method makes of it. */
  readonly central: number | null;
  /** The same for the sparse pool. */
  readonly peripheral: number | null;
  /** Share of the budget drawn from the dense pool. */
  readonly centralShare: number;
  /** Exponent γ of the weights (ρ + 1)^±γ inside the pools. */
  readonly densityWeight: number;
  /** Seed of the draws. */
  readonly seed: bigint;
}

/** Points to choose from: their neighbor counts and stable ids. */
export interface Candidates {
  /** Neighbors within each radius, shape (n, n_radii). */
  readonly counts: Uint32Array;
  readonly nRadii: number;
  /** Place of r_c among the radii. */
  readonly chosen: number;
  /** Stable ids, which seed the draws and break ties, shape (n). */
  readonly ids: BigUint64Array;
  /** Told of decisions that were close. */
  readonly calls?: CloseCalls;
}

export interface CentralPeripheral {
  /** Chosen points in order of choice: central ones first. */
  readonly central: number[];
  readonly peripheral: number[];
  readonly centralPool: number[];
  readonly peripheralPool: number[];
}

/** The densest and the sparsest of some points, and how many are to be chosen from each. */
export interface DensityPools {
  readonly centralPool: number[];
  readonly peripheralPool: number[];
  readonly nCentral: number;
  readonly nPeripheral: number;
}

/** Points of a pool per point chosen from it. */
export const OVERSAMPLE = 1.5;
const STREAM_CENTRAL = 1n;
const STREAM_PERIPHERAL = 2n;

/**
 * Central-peripheral selection (CPD §II): the densest and the sparsest points form two pools, and the
 * budget is drawn from them without replacement with weights (ρ + 1)^γ and (ρ + 1)^-γ.
 *
 * @param members points that may be chosen, indices into the candidates
 * @param barred points that may not enter the peripheral pool
 * @param budget number of points to choose
 * @throws {RequestError} if the pools hold fewer points than the budget
 */
export function centralPeripheral(
  candidates: Candidates,
  members: readonly number[],
  barred: ReadonlySet<number>,
  budget: number,
  options: PoolOptions,
): CentralPeripheral {
  const pools = densityPools(candidates, members, barred, budget, options);
  const { centralPool, peripheralPool, nCentral, nPeripheral } = pools;
  const { seed, densityWeight } = options;
  const drawn = (pool: number[], k: number, exponent: number, stream: bigint) =>
    draw(candidates, pool, k, exponent, seed, stream);
  return {
    centralPool,
    peripheralPool,
    central: drawn(centralPool, nCentral, densityWeight, STREAM_CENTRAL),
    peripheral: drawn(peripheralPool, nPeripheral, -densityWeight, STREAM_PERIPHERAL),
  };
}

/**
 * The pools of a budget: the densest points, and the sparsest of the others that are not barred.
 *
 * @throws {RequestError} if the pools hold fewer points than the budget
 */
export function densityPools(
  candidates: Candidates,
  members: readonly number[],
  barred: ReadonlySet<number>,
  budget: number,
  options: Pick<PoolOptions, "central" | "peripheral" | "centralShare">,
): DensityPools {
  const n = members.length;
  if (budget > n) {
    throw new RequestError(`Cannot choose ${budget} frames: only ${n} can be chosen from`);
  }
  const [nCentral, nPeripheral] = shares(budget, options.centralShare);
  const sizes = poolSizes(n, budget, nCentral, nPeripheral, options);
  const dense = members.toSorted(denser(candidates));
  const centralPool = dense.slice(0, sizes.central);
  const taken = new Set(centralPool);
  const peripheralPool = members.filter((i) => !taken.has(i) && !barred.has(i))
    .sort(sparser(candidates)).slice(0, sizes.peripheral);
  if (peripheralPool.length < nPeripheral) {
    const near = members.filter((i) => !taken.has(i) && barred.has(i)).length;
    const why = near > 0 ? ` and ${near} lie within r_c of the reference set` : "";
    throw new RequestError(
      `Cannot choose ${nPeripheral} peripheral frames: the pool holds ${peripheralPool.length}${why}; ` +
        "lower -n or raise --central-share",
    );
  }
  return { centralPool, peripheralPool, nCentral, nPeripheral };
}

/** How many of a budget are central, and how many peripheral. */
export function shares(
  budget: number,
  centralShare: number,
): [central: number, peripheral: number] {
  const nCentral = Math.floor(centralShare * budget + 0.5);
  return [nCentral, budget - nCentral];
}

function poolSizes(
  n: number,
  budget: number,
  nCentral: number,
  nPeripheral: number,
  options: Pick<PoolOptions, "central" | "peripheral">,
) {
  const size = (fraction: number | null, share: number) =>
    Math.max(
      share,
      Math.ceil(
        fraction !== null
          ? fraction * n
          : Math.min(OVERSAMPLE * share, budget > 0 ? n * share / budget : 0),
      ),
    );
  let central = size(options.central, nCentral);
  let peripheral = size(options.peripheral, nPeripheral);
  if (central + peripheral > n) {
    // What was asked for alone is kept; of the others the larger gives way first.
    const alone = options.central !== null && options.peripheral === null;
    if (!alone && central >= peripheral) {
      central = Math.max(nCentral, Math.min(central, n - peripheral));
    }
    if (alone) peripheral = Math.max(nPeripheral, Math.min(peripheral, n - central));
    central = Math.min(central, n - nPeripheral);
    peripheral = Math.min(peripheral, n - central);
  }
  return { central, peripheral };
}

/** Densest first; ties by larger counts at the next smaller radii, then by id. */
function denser({ counts, nRadii, chosen, ids }: Candidates) {
  return (i: number, j: number): number => {
    for (let b = chosen; b >= 0; b--) {
      const difference = counts[j * nRadii + b] - counts[i * nRadii + b];
      if (difference !== 0) return difference;
    }
    return ids[i] < ids[j] ? -1 : ids[i] > ids[j] ? 1 : 0;
  };
}

/** Sparsest first; ties by smaller counts at the next larger radii, then by id. */
function sparser({ counts, nRadii, chosen, ids }: Candidates) {
  return (i: number, j: number): number => {
    for (let b = chosen; b < nRadii; b++) {
      const difference = counts[i * nRadii + b] - counts[j * nRadii + b];
      if (difference !== 0) return difference;
    }
    return ids[i] < ids[j] ? -1 : ids[i] > ids[j] ? 1 : 0;
  };
}

/**
 * Weighted draw without replacement: the k largest log w + Gumbel noise (Efraimidis and Spirakis 2006),
 * the noise a function of seed, stream and id alone.
 */
function draw(
  { counts, nRadii, chosen, ids, calls = NO_CLOSE_CALLS }: Candidates,
  pool: readonly number[],
  k: number,
  exponent: number,
  seed: bigint,
  stream: bigint,
): number[] {
  const uniform = uniformStream(seed, stream);
  const keys = new Map(pool.map((i) => {
    const logWeight = exponent * Math.log(counts[i * nRadii + chosen] + 1);
    return [i, logWeight - Math.log(-Math.log(uniform(ids[i])))];
  }));
  const order = pool.toSorted((i, j) => keys.get(j)! - keys.get(i)! || (ids[i] < ids[j] ? -1 : 1));
  if (k > 0 && k < order.length) {
    calls.note("draw", order[k - 1], keys.get(order[k - 1])! - keys.get(order[k])!);
  }
  return order.slice(0, k);
}
