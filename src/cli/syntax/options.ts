import { UsageError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import {
  choice,
  flagsOf,
  integer,
  labelKeys,
  listed,
  number,
  optional,
  readFlags,
  type RunningOptions,
  runningOptions,
  species,
  text,
  type Values,
} from "./option_values.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { ComponentChoice } from "../../linalg/pca.ts";
import type { Standardization } from "../../linalg/standardize.ts";
import type { Pooling } from "../../model/pooling.ts";
import { type Method, METHODS } from "../../select/method.ts";
import type { RadiusObjective } from "../../select/radius_sweep.ts";
import { refuseUnproposed, refuseUnused } from "./unused_options.ts";

/** Options that every command which computes descriptors shares. */
export interface DescriptorOptions extends RunningOptions {
  readonly inputs: readonly string[];
  readonly model: string | null;
  /** Layers whose descriptors are used; null for all. */
  readonly layers: number | null;
  readonly pooling: Pooling;
}

export interface DistillCommand extends DescriptorOptions {
  readonly method: Method;
  readonly compat: boolean;
  /** Number of frames to choose, or to be proposed from the data. */
  readonly select: number | "auto";
  /** With `auto`: allowed error above that of the whole pool, eV/atom. */
  readonly margin: number;
  /** With `auto`: divisions into pool and held-out frames. */
  readonly splits: number;
  /** Comment-line key whose values are never divided by a split; null for blocks of frames. */
  readonly groupBy: string | null;
  /** Comment-line key of the energy; null to look for one. */
  readonly energyKey: string | null;
  readonly features: string | null;
  readonly standardization: Standardization;
  readonly components: ComponentChoice;
  readonly radius: number | null;
  readonly objective: RadiusObjective;
  readonly isolationWeight: number;
  readonly central: number | null;
  readonly peripheral: number | null;
  readonly centralShare: number;
  readonly densityWeight: number;
  readonly stratify: string | null;
  readonly reference: string | null;
  readonly keep: readonly string[];
  /** Leave out frames that cannot be read or are useless, and say which. */
  readonly skipBad: boolean;
  /** Expression that frames have to fulfil, or null. */
  readonly where: string | null;
  readonly seed: bigint;
}

export interface CompareCommand extends Omit<DistillCommand, "select" | "method" | "margin"> {
  readonly methods: readonly Method[];
  readonly sizes: readonly number[];
  readonly seeds: number;
  readonly testShare: number;
  readonly poolSize: number | null;
  /** How a model is trained on every selection; null where none is. */
  readonly tuning: FineTuningOptions | null;
  /** Whether the readout of the ridge regression is judged by its forces. */
  readonly readoutForces: boolean;
  /** Name of the forces, or null. */
  readonly forcesKey: string | null;
}

export interface FineTuningOptions {
  /** The model to start from. */
  readonly model: string;
  readonly head: string | null;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
}

export interface ScanCommand {
  readonly inputs: readonly string[];
  readonly species: readonly string[] | null;
  readonly keys: LabelKeys;
  readonly where: string | null;
  /** Exit with 6 where there is a problem. */
  readonly strict: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

export interface EvaluateCommand extends RunningOptions {
  readonly inputs: readonly string[];
  readonly model: string;
  readonly head: string | null;
  readonly keys: LabelKeys;
  /** Comment-line key whose values are told apart; null for `config_type` where there is one. */
  readonly groupBy: string | null;
  /** Constants to add to the model's energies, eV per atom: fitted, or per element (0: all atoms). */
  readonly energyShift: "auto" | ReadonlyMap<number, number>;
  readonly prefix: string;
  readonly where: string | null;
  readonly skipBad: boolean;
}

export interface FeaturesCommand extends DescriptorOptions {
  readonly perAtom: boolean;
  readonly dtype: "<f4" | "<f8";
}

/** The central-peripheral rule that did best in `bench/selection`. */
const DEFAULT_METHOD: Method = "cpd-spread";

/** Options of `cpd compare`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseCompare(args: readonly string[]): CompareCommand {
  const { values, positionals } = readFlags(args, flagsOf("compare"));
  const sizes = listed(values, "select", "")
    .map((size) => integer({ select: size }, "select", 0, 1));
  if (sizes.length === 0) {
    throw new UsageError("Cannot compare: -n N,N,..., the numbers of frames to choose, is missing");
  }
  const methods = listed(values, "methods", METHODS.join())
    .map((name) => choice({ methods: name }, "methods", METHODS, DEFAULT_METHOD));
  if (methods.length === 0) {
    throw new UsageError(
      `Cannot use --methods "${values.methods}": expected ${METHODS.join(", ")}`,
    );
  }
  refuseUnused(values, methods);
  const { select: _select, method: _method, margin: _margin, ...shared } = parseDistillValues(
    { ...values, select: "1" },
    positionals,
    "cpd-compare",
  );
  return {
    ...shared,
    methods: [...new Set(methods)],
    sizes: [...new Set(sizes)].sort((a, b) => a - b),
    seeds: integer(values, "seeds", 3, 1),
    testShare: number(values, "test", 0.25, 0.01, 0.9),
    poolSize: values["pool-size"] === undefined ? null : integer(values, "pool-size", 0, 3),
    tuning: fineTuning(values),
    readoutForces: readoutForces(values, shared.pooling),
    forcesKey: text(values, "forces-key"),
  };
}

/** @throws {UsageError} where the descriptors are not those of a model's atoms alone */
function readoutForces(values: Values, pooling: Pooling): boolean {
  if (values["readout-forces"] === undefined) return false;
  if (values.features !== undefined || pooling !== "mean") {
    throw new UsageError(
      "Cannot use --readout-forces with --features or another --pool than mean: forces are derivatives of the " +
        "mean descriptors of a model",
    );
  }
  return true;
}

/** Options that only fine-tuning heeds. */
const TUNING = ["train-model", "head", "epochs", "batch", "learning-rate"];

function fineTuning(values: Values): FineTuningOptions | null {
  if (values.train === undefined) {
    const others = values["readout-forces"] === undefined ? ["forces-key"] : [];
    const idle = [...TUNING, ...others].find((flag) => values[flag] !== undefined);
    if (idle) throw new UsageError(`Cannot use --${idle} without --train`);
    return null;
  }
  const model = text(values, "train-model") ?? text(values, "model");
  if (model === null) {
    throw new UsageError(
      "Cannot use --train: the model to start from, --model or --train-model, is missing",
    );
  }
  return {
    model,
    head: text(values, "head"),
    epochs: integer(values, "epochs", 20, 1),
    batch: integer(values, "batch", 2, 1),
    learningRate: number(values, "learning-rate", 0.003, Number.MIN_VALUE, Infinity),
  };
}

/** Options of `cpd distill`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseDistill(args: readonly string[]): DistillCommand {
  const { values, positionals } = readFlags(args, flagsOf("distill"));
  refuseUnused(values, [choice(values, "method", METHODS, DEFAULT_METHOD)]);
  refuseUnproposed(values);
  return parseDistillValues(values, positionals, "cpd-out");
}

function parseDistillValues(
  values: Values,
  positionals: readonly string[],
  output: string,
): DistillCommand {
  const method = choice(values, "method", METHODS, DEFAULT_METHOD);
  if (values.select === undefined) {
    throw new UsageError(
      "Cannot distil: -n N, the number of frames to choose (or auto), is missing",
    );
  }
  const radius = values.radius === "auto" ? undefined : values.radius;
  return {
    ...descriptorOptions(values, positionals, output),
    method,
    compat: values.compat !== undefined && choice(values, "compat", ["maml"], "maml") === "maml",
    select: values.select === "auto" ? "auto" : integer(values, "select", 0, 1),
    margin: number(values, "margin", 1, 1e-6, 1e6) / 1000,
    splits: integer(values, "splits", 10, 2),
    groupBy: text(values, "group-by"),
    energyKey: text(values, "energy-key"),
    features: text(values, "features"),
    standardization: choice(values, "standardize", ["zscore", "global", "none"], "zscore"),
    components: componentChoice(values.components),
    radius: radius === undefined ? null : number({ radius }, "radius", 0, 1e-300, Infinity),
    objective: choice(
      values,
      "radius-objective",
      ["log-variance", "variance", "fano"],
      "log-variance",
    ),
    isolationWeight: number(values, "isolation-weight", 1, 0, 1e6),
    central: optional(values, "central"),
    peripheral: optional(values, "peripheral"),
    centralShare: number(values, "central-share", 0.5, 0, 1),
    densityWeight: number(values, "density-weight", 1, 0, 100),
    stratify: text(values, "stratify"),
    reference: text(values, "reference"),
    keep: text(values, "keep")?.split(",").map((id) => id.trim()).filter(Boolean) ?? [],
    skipBad: values["skip-bad"] === true,
    where: text(values, "where"),
    seed: BigInt(integer(values, "seed", 0, 0)),
  };
}

/** Options of `cpd scan`. */
export function parseScan(args: readonly string[]): ScanCommand {
  const { values, positionals } = readFlags(args, flagsOf("scan"));
  if (positionals.length === 0) throw new UsageError("Cannot scan: no INPUT file was given");
  return {
    inputs: positionals,
    species: species(values),
    keys: labelKeys(values),
    where: text(values, "where"),
    strict: values.strict === true,
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

/** Options of `cpd evaluate`. */
export function parseEvaluate(args: readonly string[]): EvaluateCommand {
  const { values, positionals } = readFlags(args, flagsOf("evaluate"));
  if (positionals.length === 0) throw new UsageError("Cannot evaluate: no INPUT file was given");
  const model = text(values, "model");
  if (model === null) throw new UsageError("Cannot evaluate: --model, the potential, is missing");
  const prefix = text(values, "prefix") ?? "MACE_";
  if (!/^[A-Za-z_][\w-]*$/.test(prefix)) {
    throw new UsageError(`Cannot use --prefix "${prefix}": expected letters, digits and _`);
  }
  return {
    ...runningOptions(values, "cpd-evaluate"),
    inputs: positionals,
    ...{ model, prefix },
    head: text(values, "head"),
    keys: labelKeys(values),
    groupBy: text(values, "group-by"),
    energyShift: energyShift(text(values, "energy-shift") ?? "none"),
    where: text(values, "where"),
    skipBad: values["skip-bad"] === true,
  };
}

/** `auto`, `none`, a number for all atoms (element 0), or `H:E,O:E`. */
function energyShift(given: string): "auto" | ReadonlyMap<number, number> {
  if (given === "auto") return "auto";
  if (given === "none") return new Map();
  const refuse = () =>
    new UsageError(
      `Cannot use --energy-shift "${given}": expected auto, none, eV per atom, or H:E,O:E`,
    );
  const energyOf = (text = "") => {
    const energy = text.trim() === "" ? NaN : Number(text);
    if (!Number.isFinite(energy)) throw refuse();
    return energy;
  };
  if (!given.includes(":")) return new Map([[0, energyOf(given)]]);
  const shift = new Map<number, number>();
  for (const item of given.split(",")) {
    const [symbol, text] = item.split(":");
    const z = atomicNumber(symbol.trim());
    if (z === 0 || shift.has(z)) throw refuse();
    shift.set(z, energyOf(text));
  }
  return shift;
}

/** Options of `cpd features`. */
export function parseFeatures(args: readonly string[]): FeaturesCommand {
  const { values, positionals } = readFlags(args, flagsOf("features"));
  if (values.output === undefined) {
    throw new UsageError("Cannot write features: -o FILE.npy is missing");
  }
  if (values["per-atom"] === true && values.pool !== undefined) {
    throw new UsageError("Cannot use --pool with --per-atom: expected one of them");
  }
  return {
    ...descriptorOptions(values, positionals, "features.npy"),
    perAtom: values["per-atom"] === true,
    dtype: choice(values, "dtype", ["f32", "f64"], "f32") === "f64" ? "<f8" : "<f4",
  };
}

function descriptorOptions(
  values: Values,
  inputs: readonly string[],
  output: string,
): DescriptorOptions {
  if (inputs.length === 0) throw new UsageError("Cannot start: no INPUT file was given");
  return {
    ...runningOptions(values, output),
    inputs,
    model: text(values, "model"),
    layers: values.layers === undefined ? null : integer(values, "layers", 1, 1),
    pooling: choice(values, "pool", ["mean", "per-element-mean", "mean-std"], "mean"),
  };
}

function componentChoice(given: string | boolean | undefined): ComponentChoice {
  if (given === undefined || given === "auto") return { kind: "auto" };
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= 1024) {
    return { kind: "count", count: value };
  }
  if (value > 0 && value < 1) return { kind: "variance", fraction: value };
  throw new UsageError(
    `Cannot use --components "${given}": expected auto, a number, or a fraction below 1`,
  );
}
