import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { BackendName } from "../../backend.ts";
import { UsageError } from "../../errors.ts";
import { findCommand, optionsOf } from "./commands.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { ComponentChoice } from "../../linalg/pca.ts";
import type { Standardization } from "../../linalg/standardize.ts";
import type { Pooling } from "../../model/pooling.ts";
import { type Method, METHODS } from "../../select/method.ts";
import type { RadiusObjective } from "../../select/radius_sweep.ts";
import { refuseUnproposed, refuseUnused } from "./unused_options.ts";

/** Options that every command which computes descriptors shares. */
export interface DescriptorOptions {
  readonly inputs: readonly string[];
  readonly model: string | null;
  /** Layers whose descriptors are used; null for all. */
  readonly layers: number | null;
  readonly pooling: Pooling;
  readonly backend: BackendName | "auto";
  readonly allowSoftware: boolean;
  readonly threads: number;
  readonly output: string;
  readonly force: boolean;
  readonly strict: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
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
}

export interface ScanCommand {
  readonly inputs: readonly string[];
  readonly keys: LabelKeys;
  readonly where: string | null;
  /** Exit with 6 where there is a problem. */
  readonly strict: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

export interface FeaturesCommand extends DescriptorOptions {
  readonly perAtom: boolean;
  readonly dtype: "<f4" | "<f8";
}

/** The central-peripheral rule that did best in `bench/selection`. */
const DEFAULT_METHOD: Method = "cpd-spread";

type Spec = Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean }>;
type Values = Record<string, string | boolean | undefined>;

/** What parseArgs has to know of a command's options. */
export function flagsOf(name: string): Spec {
  const command = findCommand(name)!;
  return Object.fromEntries(
    optionsOf(command).map(({ flag, short, value }) => [
      flag,
      { type: value === undefined ? "boolean" : "string", ...(short && { short }) },
    ]),
  );
}

/** Splits arguments into flags and positionals.
 * @throws {UsageError} on an unknown flag or a missing value */
export function readFlags(args: readonly string[], options: Spec) {
  // `-@::2`, a slice of standard input, looks like an option.
  const slices = args.filter((arg) => arg.startsWith("-@"));
  const others = args.filter((arg) => !slices.includes(arg));
  let parsed;
  try {
    // A lone "-" is standard input; parseArgs takes it for a positional already.
    parsed = parseArgs({
      args: [...joinNegative(others, options), ...(slices.length > 0 ? ["--", ...slices] : [])],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    const message = (error as Error).message.split(". ")[0].split("\n")[0];
    throw new UsageError(`${message}; see --help`);
  }
  const names = parsed.tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new UsageError(`Cannot use --${twice} twice: expected it once`);
  }
  return { values: parsed.values as Values, positionals: parsed.positionals };
}

/** `--flag -3` and `-f -3` → `--flag=-3`, which parseArgs would take for another flag. */
function joinNegative(args: readonly string[], options: Spec): string[] {
  const out: string[] = [];
  for (const arg of args) {
    const last = out[out.length - 1] ?? "";
    const letter = Object.entries(options).find(([, { short }]) => last === `-${short}`)?.[0];
    const flag = letter ?? last.match(/^--([a-z-]+)$/)?.[1];
    if (flag && options[flag]?.type === "string" && /^-[\d.]/.test(arg)) {
      out[out.length - 1] = `--${flag}=${arg}`;
    } else {
      out.push(arg);
    }
  }
  return out;
}

/** Flags of one of the actions of `cpd model`. */
export function modelFlags(args: readonly string[], ...known: readonly string[]) {
  const all = flagsOf("model");
  return readFlags(args, Object.fromEntries(known.map((flag) => [flag, all[flag]])));
}

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
  };
}

function listed(values: Values, flag: string, fallback: string): string[] {
  return String(values[flag] ?? fallback).split(",").map((item) => item.trim()).filter(Boolean);
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
    keys: {
      energy: text(values, "energy-key"),
      forces: text(values, "forces-key"),
      stress: text(values, "stress-key"),
    },
    where: text(values, "where"),
    strict: values.strict === true,
    json: values.json === true,
    quiet: values.quiet === true,
  };
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
    inputs,
    model: text(values, "model"),
    layers: values.layers === undefined ? null : integer(values, "layers", 1, 1),
    pooling: choice(values, "pool", ["mean", "per-element-mean", "mean-std"], "mean"),
    backend: choice(values, "backend", ["auto", "gpu", "cpu", "reference"], "auto"),
    allowSoftware: values["allow-software"] === true,
    threads: parseThreads(values),
    output: text(values, "output") ?? output,
    force: values.force === true,
    strict: values.strict === true,
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

/** Threads beyond this many per core are a slip of the keyboard. */
const MOST_PER_CORE = 8;

/** Value of `--threads`. */
export function parseThreads(values: Values): number {
  const threads = integer(values, "threads", defaultThreads(), 1);
  const most = MOST_PER_CORE * availableParallelism();
  if (values.threads !== undefined && threads > most) {
    throw new UsageError(
      `Cannot use --threads ${threads}: this machine has ${availableParallelism()} cores, expected ` +
        `no more than ${most}`,
    );
  }
  return threads;
}

/** What the batch system grants, or every core. */
export function defaultThreads(): number {
  const granted = Number(process.env.SLURM_CPUS_PER_TASK);
  return Number.isInteger(granted) && granted > 0 ? granted : availableParallelism();
}

function text(values: Values, flag: string): string | null {
  const value = values[flag];
  if (value === "") throw new UsageError(`Cannot use --${flag}: its value is empty`);
  return typeof value === "string" ? value : null;
}

function choice<T extends string>(
  values: Values,
  flag: string,
  allowed: readonly T[],
  fallback: T,
): T {
  const value = values[flag] ?? fallback;
  if (!allowed.includes(value as T)) {
    throw new UsageError(`Cannot use --${flag} "${value}": expected ${allowed.join(", ")}`);
  }
  return value as T;
}

function number(values: Values, flag: string, fallback: number, low: number, high: number): number {
  const given = values[flag];
  if (given === undefined) return fallback;
  const value = typeof given === "string" && given.trim() !== "" ? Number(given) : NaN;
  if (!(value >= low && value <= high) || value === Infinity) {
    const range = high === Infinity ? "a positive number" : `a number from ${low} to ${high}`;
    throw new UsageError(`Cannot use --${flag} "${given}": expected ${range}`);
  }
  return value;
}

function optional(values: Values, flag: string): number | null {
  return values[flag] === undefined || values[flag] === "auto"
    ? null
    : number(values, flag, 0, 0, 1);
}

function integer(values: Values, flag: string, fallback: number, low: number): number {
  const given = values[flag];
  if (given === undefined) return fallback;
  const value = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : NaN;
  if (!(value >= low && value <= Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(`Cannot use --${flag} "${given}": expected a whole number from ${low}`);
  }
  return value;
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
