import { UsageError } from "../../errors.ts";
import {
  choice,
  flagsOf,
  integer,
  number,
  readFlags,
  type RunningOptions,
  runningOptions,
  text,
  type Values,
} from "./option_values.ts";

/** A density at which atoms move. */
export interface WantedDensity {
  /** Of its folder. */
  readonly name: string;
  readonly kind: "rs" | "density";
  /** Bohr, or g/cm³. */
  readonly value: number;
}

export interface MdCommand extends RunningOptions {
  readonly start: string;
  /** Check the potential instead of writing anything. */
  readonly check: boolean;
  readonly model: string;
  readonly head: string | null;
  readonly ensemble: "nvt" | "nve";
  /** K. */
  readonly temperature: number | null;
  /** fs. */
  readonly tau: number;
  readonly timestep: number;
  readonly steps: number;
  readonly seed: bigint;
  /** Null for those of the file where it has them. */
  readonly velocities: "file" | "draw" | null;
  /** None to keep the cell as it is. */
  readonly densities: readonly WantedDensity[];
  readonly every: number;
  readonly thermo: number;
  readonly restart: number;
  readonly equilibrate: number;
  /** Frames of the trajectories to label next, chosen at the end; null for none. */
  readonly collect: number | null;
  /** Existing training set that they are chosen against, or null. */
  readonly reference: string | null;
}

/** Steps of each run of a check, and relaxation time, fs: forty independent samples of hydrogen. */
const [CHECK_STEPS, CHECK_TAU] = [5000, 10];
/** More are a slip of the keyboard. */
const MOST_DENSITIES = 1000;

/** Options of `cpd md`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseMd(args: readonly string[]): MdCommand {
  const { values, positionals } = readFlags(args, flagsOf("md"));
  if (positionals.length !== 1) {
    throw new UsageError(
      `Cannot start: expected one START file or frame, got ${positionals.length}`,
    );
  }
  const check = values.check === true;
  for (const flag of ["model", "timestep", ...(check ? [] : ["steps"])]) {
    if (values[flag] === undefined) throw new UsageError(`Cannot start: --${flag} is missing`);
  }
  const ensemble = choice(values, "ensemble", ["nvt", "nve"], "nvt");
  const velocities = values.velocities === undefined
    ? null
    : choice(values, "velocities", ["file", "draw"], "file");
  if (values.temperature === undefined && (check || ensemble === "nvt" || velocities === "draw")) {
    throw new UsageError("Cannot start: --temperature is missing");
  }
  if (ensemble === "nve" && values.tau !== undefined) {
    throw new UsageError("Cannot use --tau with --ensemble nve: it has no thermostat");
  }
  if (check && (values.rs !== undefined || values.density !== undefined)) {
    throw new UsageError("Cannot use --rs or --density with --check: it takes the cell of START");
  }
  const steps = integer(values, "steps", CHECK_STEPS, 1);
  const equilibrate = integer(values, "equilibrate", 0, 0);
  if (equilibrate >= steps) {
    throw new UsageError(`Cannot use --equilibrate ${equilibrate}: expected fewer than --steps`);
  }
  if (values.reference !== undefined && values.collect === undefined) {
    throw new UsageError("Cannot use --reference without --collect: nothing is chosen");
  }
  return {
    ...runningOptions(values, "cpd-md"),
    ...{ start: positionals[0], check },
    model: text(values, "model")!,
    head: text(values, "head"),
    ensemble,
    temperature: values.temperature === undefined
      ? null
      : number(values, "temperature", 0, 1e-3, 1e7),
    tau: number(values, "tau", check ? CHECK_TAU : 50, 0, 1e9),
    timestep: number(values, "timestep", 0, 1e-6, 1e3),
    ...{ steps, equilibrate, velocities },
    seed: BigInt(integer(values, "seed", 0, 0)),
    densities: densitiesOf(values),
    every: integer(values, "every", 100, 1),
    thermo: integer(values, "thermo", 10, 1),
    restart: integer(values, "restart", 1000, 1),
    collect: values.collect === undefined ? null : integer(values, "collect", 0, 1),
    reference: text(values, "reference"),
  };
}

function densitiesOf(values: Values): WantedDensity[] {
  if (values.rs !== undefined && values.density !== undefined) {
    throw new UsageError("Cannot use --rs with --density: expected one of them");
  }
  const kind = values.density === undefined ? "rs" : "density";
  const given = text(values, kind);
  if (given === null) return [];
  const refuse = () =>
    new UsageError(
      `Cannot use --${kind} "${given}": expected numbers above 0 with commas, or FROM:TO:STEP`,
    );
  const read = (word: string) => {
    const value = word.trim() === "" ? NaN : Number(word);
    if (!(value > 0 && value < Infinity)) throw refuse();
    return value;
  };
  const parts = given.split(":");
  let numbers: number[];
  if (parts.length === 1) {
    numbers = given.split(",").map(read);
  } else {
    if (parts.length !== 3) throw refuse();
    const [from, to, step] = parts.map(read);
    const n = Math.floor((to - from) / step + 1e-9) + 1;
    if (!(n >= 1 && n <= MOST_DENSITIES)) throw refuse();
    // 1.24 + 3 · 0.02 is meant to be 1.3.
    numbers = Array.from({ length: n }, (_, i) => Number((from + i * step).toPrecision(12)));
  }
  if (new Set(numbers).size < numbers.length) throw refuse();
  return numbers.map((value) => ({ name: `${kind}${value}`, kind, value }));
}
