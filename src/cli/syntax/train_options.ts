import { UsageError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { AtomicEnergyChoice } from "../../train/atomic_energies.ts";
import type { LossKind } from "../../train/loss.ts";
import {
  choice,
  flagsOf,
  integer,
  labelKeys,
  listed,
  number,
  readFlags,
  type RunningOptions,
  runningOptions,
  text,
  type Values,
} from "./option_values.ts";

export interface TrainCommand extends RunningOptions {
  readonly inputs: readonly string[];
  readonly model: string;
  readonly head: string | null;
  readonly keys: LabelKeys;
  /** File of frames to validate on, or the share of the training frames that is held out. */
  readonly valid: string | number;
  /** Comment-line key whose values are never divided by the split; null for single frames. */
  readonly groupBy: string | null;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly loss: LossKind;
  readonly energyWeight: number;
  readonly forcesWeight: number;
  readonly stressWeight: number;
  readonly delta: number;
  readonly clip: number;
  readonly ema: number | null;
  readonly weightDecay: number;
  readonly plateau: { readonly factor: number; readonly patience: number };
  readonly patience: number | null;
  readonly e0s: AtomicEnergyChoice;
  readonly elements: "seen" | "all";
  /** Patterns of the names of the tensors that move. */
  readonly train: readonly string[];
  /** File of ids in the order of the steps, or null. */
  readonly order: string | null;
  readonly replay: {
    readonly files: readonly string[];
    readonly n: number;
    readonly weight: number;
  } | null;
  readonly where: string | null;
  readonly skipBad: boolean;
  readonly seed: bigint;
}

/** Options of `cpd train`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseTrain(args: readonly string[]): TrainCommand {
  const { values, positionals } = readFlags(args, flagsOf("train"));
  refuseIdle(values);
  if (positionals.length === 0) throw new UsageError("Cannot train: no TRAIN file was given");
  const model = text(values, "model");
  if (model === null) throw new UsageError("Cannot train: --model, to start from, is missing");
  const positive = (flag: string, fallback: number) =>
    number(values, flag, fallback, Number.MIN_VALUE, Infinity);
  return {
    ...runningOptions(values, "cpd-train"),
    inputs: positionals,
    model,
    head: text(values, "head"),
    keys: labelKeys(values),
    valid: validation(values),
    groupBy: text(values, "group-by"),
    epochs: integer(values, "epochs", 500, 1),
    batch: integer(values, "batch", 2, 1),
    learningRate: positive("learning-rate", 0.01),
    loss: choice(values, "loss", ["weighted", "huber", "universal"], "weighted"),
    energyWeight: number(values, "energy-weight", 10000, 0, Infinity),
    forcesWeight: number(values, "forces-weight", 550, 0, Infinity),
    stressWeight: number(values, "stress-weight", 0, 0, Infinity),
    delta: positive("huber-delta", 0.01),
    clip: positive("clip", 10),
    ema: values.ema === undefined || values.ema === "off" ? null : number(values, "ema", 0, 0, 1),
    weightDecay: number(values, "weight-decay", 5e-7, 0, Infinity),
    plateau: plateau(text(values, "plateau") ?? "0.8,50"),
    patience: values.patience === undefined || values.patience === "off"
      ? null
      : integer(values, "patience", 1, 1),
    e0s: atomicEnergies(text(values, "e0s") ?? "model"),
    elements: choice(values, "elements", ["seen", "all"], "seen"),
    train: listed(values, "train", "all"),
    order: text(values, "order"),
    replay: replay(values),
    where: text(values, "where"),
    skipBad: values["skip-bad"] === true,
    seed: BigInt(integer(values, "seed", 0, 0)),
  };
}

/** @throws {UsageError} where an option would have no effect */
function refuseIdle(values: Values): void {
  const weight = (flag: string, fallback: number) => Number(values[flag] ?? fallback);
  if (values["huber-delta"] !== undefined && (values.loss ?? "weighted") === "weighted") {
    throw new UsageError("Cannot use --huber-delta with --loss weighted: it has no such bound");
  }
  const valid = values.valid;
  if (values["group-by"] !== undefined && typeof valid === "string" && !isShare(valid)) {
    throw new UsageError("Cannot use --group-by with --valid FILE: nothing is held out");
  }
  const sum = weight("energy-weight", 10000) + weight("forces-weight", 550) +
    weight("stress-weight", 0);
  if (sum === 0) throw new UsageError("Cannot train: all weights of the loss are 0");
}

function isShare(given: string): boolean {
  return /^[\d.][\d.eE+-]*$/.test(given);
}

/** A share between 0 and 1, or a file. */
function validation(values: Values): string | number {
  const given = text(values, "valid") ?? "0.1";
  return isShare(given) ? number({ valid: given }, "valid", 0.1, 1e-6, 0.9) : given;
}

function plateau(given: string): TrainCommand["plateau"] {
  const [factor, patience] = given.split(",").map((part) =>
    part.trim() === "" ? NaN : Number(part)
  );
  if (given.split(",").length !== 2 || !(factor > 0 && factor < 1) || !(patience >= 0)) {
    throw new UsageError(
      `Cannot use --plateau "${given}": expected a factor below 1 and epochs, such as 0.8,50`,
    );
  }
  return { factor, patience };
}

function atomicEnergies(given: string): AtomicEnergyChoice {
  const words = ["model", "average", "isolated", "estimated"] as const;
  const word = words.find((word) => word === given);
  if (word) return word;
  const energies = new Map<number, number>();
  for (const item of given.split(",")) {
    const [symbol, value = "", more] = item.split(":");
    const [z, energy] = [atomicNumber(symbol.trim()), Number(value)];
    if (
      more !== undefined || z === 0 || energies.has(z) || value.trim() === "" ||
      !Number.isFinite(energy)
    ) {
      throw new UsageError(`Cannot use --e0s "${given}": expected ${words.join(", ")}, or H:E,O:E`);
    }
    energies.set(z, energy);
  }
  return energies;
}

function replay(values: Values): TrainCommand["replay"] {
  if (values.replay === undefined) {
    const alone = ["replay-n", "replay-weight"].find((flag) => values[flag] !== undefined);
    if (alone) throw new UsageError(`Cannot use --${alone} without --replay FILES`);
    return null;
  }
  if (values["replay-n"] === undefined) {
    throw new UsageError(
      "Cannot use --replay: --replay-n N, how many frames to mix in, is missing",
    );
  }
  return {
    files: listed(values, "replay", ""),
    n: integer(values, "replay-n", 1, 1),
    weight: number(values, "replay-weight", 1, 0, Infinity),
  };
}
