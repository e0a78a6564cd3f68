import { UsageError } from "../../errors.ts";
import { flagsOf, integer, readFlags, species, text } from "./option_values.ts";

export interface JobsCommand {
  readonly inputs: readonly string[];
  readonly template: string;
  readonly output: string;
  /** Shell command that runs a job; null for that of the template's program. */
  readonly command: string | null;
  /** Jobs of one task of the Slurm array. */
  readonly chunk: number;
  readonly species: readonly string[] | null;
  readonly strict: boolean;
  readonly quiet: boolean;
}

export interface CollectCommand {
  readonly folders: readonly string[];
  readonly output: string;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Options of `cpd jobs`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseJobs(args: readonly string[]): JobsCommand {
  const { values, positionals } = readFlags(args, flagsOf("jobs"));
  if (positionals.length === 0) throw new UsageError("Cannot make jobs: no INPUT was given");
  const template = text(values, "template");
  if (template === null) {
    throw new UsageError("Cannot make jobs: --template, a real input, is missing");
  }
  return {
    ...{ inputs: positionals, template },
    output: text(values, "output") ?? "cpd-jobs",
    command: text(values, "command"),
    chunk: integer(values, "chunk", 1, 1),
    species: species(values),
    strict: values.strict === true,
    quiet: values.quiet === true,
  };
}

/** Options of `cpd collect`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseCollect(args: readonly string[]): CollectCommand {
  const { values, positionals } = readFlags(args, flagsOf("collect"));
  if (positionals.length === 0) {
    throw new UsageError("Cannot collect: no DIR of cpd jobs was given");
  }
  const output = text(values, "output");
  if (output === null) {
    throw new UsageError("Cannot collect: -o F.xyz, the file to write, is missing");
  }
  return {
    ...{ folders: positionals, output },
    force: values.force === true,
    quiet: values.quiet === true,
  };
}
