import { UsageError } from "../../errors.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import { flagsOf, labelKeys, readFlags, species, text } from "./option_values.ts";

export interface ConvertCommand {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly keys: LabelKeys;
  readonly species: readonly string[] | null;
  readonly where: string | null;
  readonly skipBad: boolean;
  readonly strict: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Options of `cpd convert`.
 * @throws {UsageError} naming the flag and the value that is wrong */
export function parseConvert(args: readonly string[]): ConvertCommand {
  const { values, positionals } = readFlags(args, flagsOf("convert"));
  if (positionals.length === 0) throw new UsageError("Cannot convert: no INPUT was given");
  const output = text(values, "output");
  if (output === null) {
    throw new UsageError("Cannot convert: -o F.xyz, the file to write, is missing");
  }
  return {
    inputs: positionals,
    output,
    keys: labelKeys(values),
    species: species(values),
    where: text(values, "where"),
    skipBad: values["skip-bad"] === true,
    strict: values.strict === true,
    force: values.force === true,
    quiet: values.quiet === true,
  };
}
