import process from "node:process";
import { UsageError } from "../../errors.ts";
import { COMMANDS, optionsOf } from "./commands.ts";
import { optionName } from "./help.ts";
import type { CommandSpec, OptionSpec } from "./option_specs.ts";
import { TOPICS } from "./topics.ts";
import { VERSION } from "./version.ts";

/** `cpd completions bash|zsh|fish|man`. */
export function runCompletions(args: readonly string[]): void {
  const writers: Record<string, () => string> = {
    bash: bashCompletions,
    zsh: zshCompletions,
    fish: fishCompletions,
    man: manPage,
  };
  const writer = args.length === 1 ? writers[args[0]] : undefined;
  if (!writer) {
    throw new UsageError(`Cannot print "${args.join(" ")}": expected bash, zsh, fish or man`);
  }
  process.stdout.write(writer());
}

const names = () => [...COMMANDS.map(({ name }) => name), "help"];

/** Words that may follow a command, besides files. */
function wordsOf({ words }: CommandSpec): string[] {
  return [...(words ?? [])];
}

function bashCompletions(): string {
  const commands = COMMANDS.map((command) => {
    const flags = optionsOf(command).flatMap(({ flag, short }) => [
      `--${flag}`,
      ...(short ? [`-${short}`] : []),
    ]);
    const words = [...wordsOf(command), ...flags, "--help"].join(" ");
    return `    ${command.name}) words="${words}" ;;`;
  });
  const choices = new Map<string, readonly string[]>();
  for (const command of COMMANDS) {
    for (const { flag, choices: own } of optionsOf(command)) if (own) choices.set(flag, own);
  }
  const values = [...choices].map(([flag, own]) =>
    `    --${flag}) COMPREPLY=($(compgen -W "${own.join(" ")}" -- "$current")); return ;;`
  );
  return `# cpd ${VERSION}: completions for bash
_cpd() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names().join(" ")} --help --version" -- "$current"))
    return
  fi
  case "$before" in
${values.join("\n")}
  esac
  case "\${COMP_WORDS[1]}" in
${commands.join("\n")}
    help) words="${[...COMMANDS.map(({ name }) => name), ...Object.keys(TOPICS)].join(" ")}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ "$current" != -* ]]; then
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _cpd cpd
`;
}

/** Text inside single quotes of a shell. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function zshCompletions(): string {
  const commands = COMMANDS.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`);
  const cases = COMMANDS.map((command) => {
    const options = optionsOf(command).flatMap(zshOptions);
    const words = wordsOf(command);
    const rest = words.length > 0
      ? `'1:word:(${words.join(" ")})' '*:file:_files'`
      : "'*:file:_files'";
    return `    ${command.name}) _arguments ${[...options, rest].join(" \\\n      ")} ;;`;
  });
  return `#compdef cpd
# cpd ${VERSION}: completions for zsh
_cpd() {
  local -a commands
  commands=(
${commands.join("\n")}
    'help:explain a command or a topic'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
    help) _arguments '1:topic:(${Object.keys(TOPICS).join(" ")})' ;;
  esac
}
_cpd "$@"
`;
}

function zshOptions({ flag, short, value, help, choices, path }: OptionSpec): string[] {
  const text = quoted(help.replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:"));
  const action = choices ? `(${choices.join(" ")})` : path ? "_files" : "";
  const argument = value ? `:${value.replaceAll(":", "")}:${action}` : "";
  return [`--${flag}`, ...(short ? [`-${short}`] : [])].map((name) =>
    `'${name}[${text}]${argument}'`
  );
}

function fishCompletions(): string {
  const lines = COMMANDS.flatMap((command) => {
    const { name, summary } = command;
    const on = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c cpd -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
      ...wordsOf(command).map((word) => `complete -c cpd ${on} -a ${word}`),
      ...optionsOf(command).map(({ flag, short, value, help, choices, path }) =>
        [
          `complete -c cpd ${on} -l ${flag}`,
          ...(short ? [`-s ${short}`] : []),
          ...(value ? [path ? "-r" : "-x"] : []),
          ...(choices ? [`-a '${choices.join(" ")}'`] : []),
          `-d '${quoted(help)}'`,
        ].join(" ")
      ),
    ];
  });
  const topics = Object.keys(TOPICS).map((topic) =>
    `complete -c cpd -n '__fish_seen_subcommand_from help' -a ${topic}`
  );
  const help = "complete -c cpd -n __fish_use_subcommand -a help -d 'explain a command or a topic'";
  return [`# cpd ${VERSION}: completions for fish`, ...lines, help, ...topics, ""].join("\n");
}

/** Text for roff: backslashes, hyphens and leading dots have a meaning there. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^([.'])/gm, "\\&$1");
}

function manPage(): string {
  const commands = COMMANDS.flatMap((command) => [
    `.SS ${command.name}`,
    ...command.usage.flatMap((line) => [".B", roff(line), ".br"]),
    ".PP",
    roff(command.description.replaceAll("\n\n", "\n.PP\n")).replaceAll("\\&.PP", ".PP"),
    ...optionsOf(command).flatMap((option) => [
      ".TP",
      `.B ${roff(optionName(option))}`,
      roff(option.help),
    ]),
    ".PP",
    "Examples:",
    ".nf",
    ...command.examples.map((example) => `  ${roff(example)}`),
    ".fi",
  ]);
  const topics = Object.entries(TOPICS).flatMap(([name, text]) => [
    `.SH ${name.toUpperCase()}`,
    ".nf",
    roff(text),
    ".fi",
  ]);
  return [
    `.TH CPD 1 "" "cpd ${VERSION}" "User Commands"`,
    ".SH NAME",
    "cpd \\- central\\-peripheral distillation of atomic configurations",
    ".SH SYNOPSIS",
    ".B cpd",
    ".I COMMAND",
    "[INPUT...] [OPTION...]",
    ".SH COMMANDS",
    ...commands,
    ".SH EXIT STATUS",
    "0 done, 1 a bug, 2 usage, 3 bad input, 4 the request cannot be met, 5 model or hardware not " +
    "available, 6 a check did not hold, 130 interrupted",
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, text]) => [".TP", `.B ${name}`, roff(text)]),
    ...topics,
    "",
  ].join("\n");
}

const ENVIRONMENT = [
  ["CPD_CACHE_DIR", "folder of the cache of descriptors (default: ~/.cache/cpd)"],
  ["CPD_MODEL_DIR", "folder of pulled models (default: models in the cache folder)"],
  ["CPD_OFFLINE", "1 forbids cpd model pull"],
  ["SLURM_CPUS_PER_TASK", "number of threads, where a batch system sets it"],
] as const;
