import { UsageError } from "../../errors.ts";
import { flagsOf, number, readFlags, species, text } from "./option_values.ts";

export interface AnalyzeCommand {
  readonly inputs: readonly string[];
  /** Comment-line key whose values are told apart, or null. */
  readonly groupBy: string | null;
  /** Reach of the pair distributions, Å. */
  readonly rMax: number;
  /** Time between frames, fs; null where they are no trajectory. */
  readonly timestep: number | null;
  /** File of points to draw beside the means, or null. */
  readonly overlay: string | null;
  readonly stressKey: string | null;
  readonly where: string | null;
  readonly skipBad: boolean;
  readonly strict: boolean;
  /** Symbols of the types 1, 2, … of LAMMPS, or null. */
  readonly species: readonly string[] | null;
  readonly output: string;
  readonly force: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Options of `cpd analyze`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseAnalyze(args: readonly string[]): AnalyzeCommand {
  const { values, positionals } = readFlags(args, flagsOf("analyze"));
  if (positionals.length === 0) throw new UsageError("Cannot analyze: no INPUT file was given");
  return {
    inputs: positionals,
    groupBy: text(values, "group-by"),
    rMax: number(values, "r-max", 6, 1.2, 30),
    timestep: values.timestep === undefined ? null : number(values, "timestep", 0, 1e-6, 1e9),
    overlay: text(values, "overlay"),
    stressKey: text(values, "stress-key"),
    where: text(values, "where"),
    skipBad: values["skip-bad"] === true,
    strict: values.strict === true,
    species: species(values),
    output: text(values, "output") ?? "cpd-analyze",
    force: values.force === true,
    json: values.json === true,
    quiet: values.quiet === true,
  };
}
