/** Values of flags, read and checked. */
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { BackendName } from "../../backend.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import { UsageError } from "../../errors.ts";
import { atomicNumber } from "../../frame.ts";
import { findCommand, optionsOf } from "./commands.ts";

type Spec = Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean }>;
export type Values = Record<string, string | boolean | undefined>;

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

/** Items of a list with commas. */
export function listed(values: Values, flag: string, fallback: string): string[] {
  return String(values[flag] ?? fallback).split(",").map((item) => item.trim()).filter(Boolean);
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

export function text(values: Values, flag: string): string | null {
  const value = values[flag];
  if (value === "") throw new UsageError(`Cannot use --${flag}: its value is empty`);
  return typeof value === "string" ? value : null;
}

export function choice<T extends string>(
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

export function number(
  values: Values,
  flag: string,
  fallback: number,
  low: number,
  high: number,
): number {
  const given = values[flag];
  if (given === undefined) return fallback;
  const value = typeof given === "string" && given.trim() !== "" ? Number(given) : NaN;
  if (!(value >= low && value <= high) || value === Infinity) {
    const range = high === Infinity ? "a positive number" : `a number from ${low} to ${high}`;
    throw new UsageError(`Cannot use --${flag} "${given}": expected ${range}`);
  }
  return value;
}

export function optional(values: Values, flag: string): number | null {
  return values[flag] === undefined || values[flag] === "auto"
    ? null
    : number(values, flag, 0, 0, 1);
}

export function integer(values: Values, flag: string, fallback: number, low: number): number {
  const given = values[flag];
  if (given === undefined) return fallback;
  const value = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : NaN;
  if (!(value >= low && value <= Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(`Cannot use --${flag} "${given}": expected a whole number from ${low}`);
  }
  return value;
}

/** Options that every command which runs a model shares. */
export interface RunningOptions {
  readonly backend: BackendName | "auto";
  readonly allowSoftware: boolean;
  readonly threads: number;
  readonly output: string;
  readonly force: boolean;
  /** A truncated last frame is an error. */
  readonly strict: boolean;
  /** Symbols of the types 1, 2, … of LAMMPS, or null. */
  readonly species: readonly string[] | null;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Options of running. */
export function runningOptions(values: Values, output: string): RunningOptions {
  return {
    backend: choice(values, "backend", ["auto", "gpu", "cpu", "reference"], "auto"),
    allowSoftware: values["allow-software"] === true,
    threads: parseThreads(values),
    output: text(values, "output") ?? output,
    force: values.force === true,
    strict: values.strict === true,
    species: species(values),
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

/** Elements of the types of LAMMPS.
 * @throws {UsageError} if one of them is none */
export function species(values: Values): readonly string[] | null {
  if (values.species === undefined) return null;
  const symbols = listed(values, "species", "");
  const wrong = symbols.find((symbol) => atomicNumber(symbol) === 0);
  if (wrong === undefined && symbols.length > 0) return symbols;
  throw new UsageError(
    `Cannot use --species "${values.species}": expected elements of types 1, 2, ... such as H,O`,
  );
}

/** Names that the user gives for labels. */
export function labelKeys(values: Values): LabelKeys {
  return {
    energy: text(values, "energy-key"),
    forces: text(values, "forces-key"),
    stress: text(values, "stress-key"),
  };
}
