/** Every command and option: help, completions, man page and the parser are made from this. */
import {
  type CommandSpec,
  ENERGY_KEY,
  FORCES_AND_STRESS_KEYS,
  HEAD,
  INPUT_AND_MODEL,
  type OptionSpec,
  outputFolder,
  POTENTIAL,
  READING,
  RUNNING,
  SEARCH,
  SKIP_BAD,
  SPLITTING,
  WHERE,
} from "./option_specs.ts";
import { ANALYZE } from "./analyze_spec.ts";
import { COMPARE } from "./compare_spec.ts";
import { CONVERT } from "./convert_spec.ts";
import { COLLECT, JOBS } from "./jobs_spec.ts";
import { MD } from "./md_spec.ts";
import { TRAIN } from "./train_spec.ts";
import { METHODS } from "../../select/method.ts";

const DISTILL: CommandSpec = {
  name: "distill",
  summary: "choose the configurations that are worth labelling or training on",
  usage: ["cpd distill INPUT... -n N [-o DIR]"],
  description:
    "Chooses N configurations, by default by central-peripheral distillation, and writes " +
    "selected.xyz, rest.xyz, selected.txt, frames.csv, radius.csv, report.json, report.html and " +
    "figures.\n\nWith --select auto the smallest N is taken whose error on held-out frames is above " +
    "that of the whole pool by no more than a margin, with the upper end of its 95 % band (energies " +
    "in every frame); without energies the smallest N at which 95 % of the frames have a chosen one " +
    "within r_c. Exit code 4 where the data do not allow an answer.",
  examples: [
    "cpd distill md.xyz -n 200 -o distilled",
    "cpd distill run*/traj.extxyz.gz -n 200 --model medium-0b2 --stratify auto",
    "cpd distill labelled.xyz --select auto --margin 2",
    "cpd distill pool.xyz@::10 -n 100 --reference train.xyz --keep pool.xyz@0",
  ],
  groups: [
    {
      title: "Selection",
      options: [
        {
          flag: "select",
          short: "n",
          value: "N",
          help: "configurations to choose, exactly; or auto (required)",
        },
        outputFolder("cpd-out"),
        {
          flag: "method",
          value: "NAME",
          choices: METHODS,
          help: "cpd-spread, cpd (the paper's), direct, rnd, fps, kmedoids or random (default: " +
            "cpd-spread)",
        },
        ...SEARCH,
        {
          flag: "reference",
          value: "FILE",
          path: true,
          help: "existing training set: counts as neighbors, is never chosen",
        },
        {
          flag: "keep",
          value: "IDS",
          path: true,
          help: "frames that must be in: ids with commas, or a file of ids",
        },
      ],
    },
    {
      title: "With --select auto",
      options: [
        {
          flag: "margin",
          value: "M",
          help: "allowed error above that of the whole pool, meV/atom (default: 1)",
        },
        ...SPLITTING,
      ],
    },
    INPUT_AND_MODEL,
    RUNNING,
  ],
};

const EVALUATE: CommandSpec = {
  name: "evaluate",
  summary: "energies, forces and stress of a model, and their errors against labels",
  usage: ["cpd evaluate INPUT... --model MODEL [-o DIR]"],
  description:
    "Predicts energy, forces and stress of every frame with a MACE model, compares them with the " +
    "labels that the frames have, and prints the errors: in total, per group, per element, and the " +
    "worst frames with a probable cause. Writes evaluate.xyz (the frames with the predictions), " +
    "evaluate.csv, evaluate.json, report.json, report.html and figures. Frames without labels are " +
    "predicted all the same.",
  examples: [
    "cpd evaluate test.xyz --model mace.model -o evaluation",
    "cpd evaluate test.xyz --model multihead.model --head dft --group-by config_type",
  ],
  groups: [
    {
      title: "Evaluation",
      options: [
        POTENTIAL,
        HEAD,
        outputFolder("cpd-evaluate"),
        ENERGY_KEY,
        ...FORCES_AND_STRESS_KEYS,
        {
          flag: "group-by",
          value: "KEY",
          help: "errors for each value of this key (default: config_type where a frame has it)",
        },
        {
          flag: "energy-shift",
          value: "E",
          help: "constant per atom that is added to the model's energies before errors are told: " +
            "auto (fitted, one per element), none, eV for all atoms, or H:E,O:E (default: none)",
        },
        {
          flag: "prefix",
          value: "P",
          help: "of the names in evaluate.xyz (default: MACE_)",
        },
        WHERE,
        SKIP_BAD,
        ...READING,
      ],
    },
    RUNNING,
  ],
};

const SCAN: CommandSpec = {
  name: "scan",
  summary: "what is in the files, and what is wrong with them",
  usage: ["cpd scan INPUT... [--strict] [--json]"],
  description:
    "Examines every frame: what is in the files, which labels are found and what they are " +
    "assumed to mean; frames that cannot be read, atoms too close, labels that are not numbers, " +
    "calculations that did not converge, duplicates, equal geometries with contradicting labels, " +
    "outliers, forces that do not add up to zero, stress whose sign contradicts the energies. " +
    "Problems first.",
  examples: ["cpd scan run*/traj.extxyz.gz", "cpd scan labelled.xyz --strict --json > scan.json"],
  groups: [{
    title: "Options",
    options: [
      ENERGY_KEY,
      ...FORCES_AND_STRESS_KEYS,
      WHERE,
      { flag: "strict", help: "exit with 6 where there is a problem" },
      READING[1],
      { flag: "json", help: "everything on stdout, with the frames of every problem" },
      { flag: "quiet", help: "no progress" },
      { flag: "no-color", help: "plain text; nothing is coloured as it is" },
    ],
  }],
};

const FEATURES: CommandSpec = {
  name: "features",
  summary: "write descriptors, one row per frame or per atom",
  usage: ["cpd features INPUT... -o F.npy"],
  description:
    "Writes MACE or SchNet descriptors: one row per frame, or per atom in file order, and " +
    "F.csv with their ids.",
  examples: ["cpd features md.xyz -o features.npy", "cpd features md.xyz -o atoms.npy --per-atom"],
  groups: [
    {
      title: "Features",
      options: [
        { flag: "output", short: "o", value: "F.npy", path: true, help: "output file (required)" },
        { flag: "per-atom", help: "one row per atom" },
        {
          flag: "dtype",
          value: "T",
          choices: ["f32", "f64"],
          help: "type of the numbers: f32 or f64 (default: f32)",
        },
      ],
    },
    INPUT_AND_MODEL,
    RUNNING,
  ],
};

const MODEL: CommandSpec = {
  name: "model",
  summary: "known models, what checkpoints hold, compact weights, downloads",
  usage: [
    "cpd model list [--json]",
    "cpd model info FILE|NAME [--json]",
    "cpd model export FILE|NAME -o OUT.safetensors [--elements H,O]",
    "cpd model pull NAME [--accept-license ASL] [--sha256 HEX] [--url URL]",
  ],
  description:
    "list names the MACE-MP family and says where its files are on this machine, those that " +
    "mace-torch downloaded included; info prints what a checkpoint contains; export writes compact " +
    "weights that load without the original, for all elements or the given ones, with identical " +
    "float64 results; pull is the one command that uses a network, and keeps nothing that is not " +
    "whole.",
  examples: [
    "cpd model list",
    "cpd model pull medium-0b2",
    "cpd model export medium-0b2 --elements H,O -o ho.safetensors",
  ],
  words: ["list", "info", "export", "pull"],
  groups: [{
    title: "Options",
    options: [
      { flag: "elements", value: "H,O", help: "elements to keep in the exported weights" },
      {
        flag: "output",
        short: "o",
        value: "FILE",
        path: true,
        help: "file of the exported weights",
      },
      {
        flag: "accept-license",
        value: "ASL",
        choices: ["ASL"],
        help: "accept a licence that asks",
      },
      { flag: "sha256", value: "HEX", help: "checksum that the download must have" },
      { flag: "url", value: "URL", help: "another address of the same file, such as a mirror" },
      { flag: "force", help: "write over what is there" },
      { flag: "json", help: "as JSON on stdout" },
      { flag: "quiet", help: "no progress" },
    ],
  }],
};

const DOCTOR: CommandSpec = {
  name: "doctor",
  summary: "check runtime, GPU, threads and every kernel",
  usage: ["cpd doctor [--speed] [--json] [--threads T] [--allow-software]"],
  description:
    "Prints runtime, system libraries, GPU adapter and limits, threads, cache and models, " +
    "and holds every kernel against its definition. Exits with 6 where one disagrees. With --speed " +
    "it also times descriptors, energies and forces, and training steps (medium MACE architecture, " +
    "dense hydrogen), neighbor counts and principal components on every backend.",
  examples: ["cpd doctor", "cpd doctor --speed --json > speed.json"],
  groups: [{
    title: "Options",
    options: [
      { flag: "json", help: "as JSON on stdout" },
      { flag: "speed", help: "time every backend, too: about a minute" },
      { flag: "threads", value: "T", help: "CPU threads to check with" },
      { flag: "allow-software", help: "check a software GPU adapter, too" },
    ],
  }],
};

const DEMO: CommandSpec = {
  name: "demo",
  summary: "distil the shipped sample into cpd-sample",
  usage: ["cpd demo [OPTIONS of distill]"],
  description:
    "Chooses 50 of the 273 configurations of liquid hydrogen that ship with the program, as " +
    "distill would, and writes cpd-sample.",
  examples: ["cpd demo", "cpd demo --method random"],
  groups: [],
};

const COMPLETIONS: CommandSpec = {
  name: "completions",
  summary: "print completions for bash, zsh or fish, or the man page",
  usage: ["cpd completions bash|zsh|fish|man"],
  description: "Prints a file for the shell, or the man page.",
  examples: [
    "cpd completions bash > ~/.local/share/bash-completion/completions/cpd",
    "cpd completions zsh > ~/.zfunc/_cpd",
    "cpd completions fish > ~/.config/fish/completions/cpd.fish",
    "cpd completions man > ~/.local/share/man/man1/cpd.1",
  ],
  words: ["bash", "zsh", "fish", "man"],
  groups: [],
};

/** Commands in the order in which they are told. */
export const COMMANDS: readonly CommandSpec[] = [
  DISTILL,
  COMPARE,
  TRAIN,
  EVALUATE,
  MD,
  ANALYZE,
  SCAN,
  CONVERT,
  JOBS,
  COLLECT,
  FEATURES,
  MODEL,
  DOCTOR,
  DEMO,
  COMPLETIONS,
];

/** All options of a command. */
export function optionsOf({ groups }: CommandSpec): OptionSpec[] {
  return groups.flatMap(({ options }) => options);
}

/** The command of a name, or null. */
export function findCommand(name: string): CommandSpec | null {
  return COMMANDS.find((command) => command.name === name) ?? null;
}
