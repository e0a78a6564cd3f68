import { type Matrix, matrix } from "../matrix.ts";
import type { CloseCalls } from "./close_calls.ts";
import { direct } from "./direct.ts";
import { farthestPoints } from "./farthest_points.ts";
import { kMedoids } from "./k_medoids.ts";
import { randomNetwork } from "./random_network.ts";
import { uniformDraw } from "./uniform_draw.ts";

/** Ways to choose that look at the points alone, without densities. */
export type Rival = "direct" | "rnd" | "fps" | "kmedoids" | "random";
/** Central-peripheral distillation: spread over the pools, or the paper's weighted draws from them. */
export type Distilling = "cpd-spread" | "cpd";
/** Every way to choose. */
export type Method = Distilling | Rival;
export const METHODS: readonly Method[] = [
  "cpd-spread",
  "cpd",
  "direct",
  "rnd",
  "fps",
  "kmedoids",
  "random",
];
/** Methods that know what an existing training set covers. */
export const KNOW_REFERENCE: readonly Method[] = ["cpd-spread", "cpd", "rnd", "fps"];
/** Methods whose choice of fewer points is the beginning of their choice of more. */
export const NESTED: readonly Method[] = ["rnd", "fps", "random"];

export function isDistilling(method: Method): method is Distilling {
  return method === "cpd-spread" || method === "cpd";
}

/** What the rivals may be told. */
export interface RivalOptions {
  /** Seed of the draws and networks. */
  readonly seed: bigint;
  /** DIRECT with the quirks of maml. */
  readonly compat: boolean;
}

/** What a rival chooses from. */
export interface Cloud {
  /** Principal components, shape (n, K), rows in canonical order. */
  readonly points: Matrix;
  /** DIRECT's own components, shape (n, K'); empty for other methods. */
  readonly directPoints: Matrix;
  readonly ids: BigUint64Array;
  /** Told of decisions that were close. */
  readonly calls: CloseCalls;
  /** Points that count as chosen already. */
  readonly chosen: readonly number[];
}

type Choose = (
  cloud: Cloud,
  members: readonly number[],
  budget: number,
  options: RivalOptions,
) => number[];

/** Every rival: `budget` of the members in order of choice. */
export const RIVALS: Readonly<Record<Rival, Choose>> = {
  direct: ({ directPoints }, members, budget, { compat }) =>
    direct(directPoints, members, budget, compat),
  rnd: ({ points, chosen }, members, budget, { seed }) =>
    randomNetwork(unitVariance(points), members, budget, chosen, seed),
  fps: ({ points, chosen, calls }, members, budget) =>
    farthestPoints(points, members, budget, chosen, calls),
  kmedoids: ({ points, ids, calls }, members, budget, { seed }) =>
    kMedoids(points, ids, members, budget, seed, calls),
  random: ({ ids }, members, budget, { seed }) => uniformDraw(ids, members, budget, seed),
};

/** Centred columns of variance 1; constant columns stay zero. */
function unitVariance({ data, rows, cols }: Matrix): Matrix {
  const out = matrix(rows, cols);
  for (let k = 0; k < cols; k++) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < rows; i++) mean += data[i * cols + k] / rows;
    for (let i = 0; i < rows; i++) variance += (data[i * cols + k] - mean) ** 2 / rows;
    const factor = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    for (let i = 0; i < rows; i++) out.data[i * cols + k] = (data[i * cols + k] - mean) * factor;
  }
  return out;
}
