import { RequestError } from "../errors.ts";
import type { Matrix } from "../matrix.ts";
import {
  type CentralPeripheral,
  centralPeripheral,
  type Pool,
  type PoolOptions,
} from "./central_peripheral.ts";
import type { CloseCalls } from "./close_calls.ts";
import type { RadiusSearch } from "./cutoff_radius.ts";
import { frameIds, type FrameKey } from "./frame_key.ts";
import { type Cloud, isDistilling, type Method, type RivalOptions, RIVALS } from "./method.ts";
import { spreadPools } from "./spread_pools.ts";
import { membersOf, strataQuotas } from "./strata.ts";

/** Unique frames to choose from; points and frames are counted alike. */
export interface Choice {
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

/** What decides a choice, besides the frames. */
export interface ChoiceOptions extends PoolOptions, RivalOptions {
  /** How frames are chosen. */
  readonly method: Method;
  /** Number of frames to choose, exactly. */
  readonly select: number;
}

export interface Chosen {
  /** Points in order of choice. */
  readonly picks: readonly number[];
  /** Pool of every point. */
  readonly pool: readonly Pool[];
  readonly sizes: { readonly central: number; readonly peripheral: number };
}

/** What is chosen beside the kept frames, stratum after stratum. */
export function choose(
  choice: Choice,
  search: RadiusSearch,
  options: ChoiceOptions,
  calls: CloseCalls,
): Chosen {
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
    const cloud: Cloud = { ...choice, ids, calls, chosen: already };
    const picks = parts.map(({ members, quota }) => RIVALS[method](cloud, members, quota, options));
    return { picks: picks.flat(), pool, sizes: { central: 0, peripheral: 0 } };
  }
  const candidates = { ...search, nRadii: search.radii.length, ids, calls };
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

/** @throws {RequestError} if more frames are wanted than may be chosen */
export function checkRequest(
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
