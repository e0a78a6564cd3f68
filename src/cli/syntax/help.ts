import { COMMANDS, findCommand } from "./commands.ts";
import type { CommandSpec, OptionSpec } from "./option_specs.ts";
import { TOPICS } from "./topics.ts";

const WIDTH = 98;
/** Column at which the help of an option starts. */
const INDENT = 26;

/** Help of a command or a topic, or of the program; null where there is no such thing. */
export function helpText(name: string | null): string | null {
  if (name === null) return overview();
  const command = findCommand(name);
  if (command) return commandHelp(command);
  return TOPICS[name]?.trimEnd() ?? null;
}

function overview(): string {
  const examples = COMMANDS.slice(0, 6).map(({ examples: [first] }) => `  ${first}`);
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`);
  return [
    "cpd: central-peripheral distillation of atomic configurations",
    "",
    "Examples:",
    ...examples,
    "",
    "Commands:",
    ...commands,
    "",
    "cpd COMMAND --help shows the options of a command; cpd --version the version.",
    `cpd help TOPIC explains: ${Object.keys(TOPICS).join(", ")}.`,
  ].join("\n");
}

function commandHelp({ usage, description, examples, groups }: CommandSpec): string {
  const lines = usage.map((line, k) => `${k === 0 ? "Usage: " : "       "}${line}`);
  lines.push("", "Examples:", ...examples.map((example) => `  ${example}`), "");
  lines.push(...description.split("\n").flatMap((text) => wrap(text, 0)));
  for (const { title, options } of groups) {
    lines.push("", `${title}:`, ...options.flatMap(optionHelp));
  }
  return lines.join("\n");
}

function optionHelp(option: OptionSpec): string[] {
  const [first, ...rest] = wrap(option.help, INDENT);
  const name = `  ${optionName(option)}`;
  // A long name has a line of its own.
  if (name.length >= INDENT) return [name, first, ...rest];
  return [name.padEnd(INDENT) + first.trimStart(), ...rest];
}

/** `-n, --select N`. */
export function optionName({ flag, short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ""}--${flag}${value ? ` ${value}` : ""}`;
}

/** Text in lines of at most 98 columns, each indented. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line].map((each) => " ".repeat(each === "" ? 0 : indent) + each);
}
