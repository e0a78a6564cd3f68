/** Options that several commands share. */

export interface OptionSpec {
  readonly flag: string;
  readonly short?: string;
  /** What stands for its value; a switch has none. */
  readonly value?: string;
  readonly help: string;
  /** Words that the value may be. */
  readonly choices?: readonly string[];
  /** The value is a path. */
  readonly path?: boolean;
}

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionSpec[];
}

export interface CommandSpec {
  readonly name: string;
  /** One line of the list of commands. */
  readonly summary: string;
  readonly usage: readonly string[];
  readonly description: string;
  readonly examples: readonly string[];
  readonly groups: readonly OptionGroup[];
  /** Words behind the command that are not files. */
  readonly words?: readonly string[];
}

/** A model that has energies. */
export const POTENTIAL: OptionSpec = {
  flag: "model",
  value: "MODEL",
  path: true,
  help: "MACE .model checkpoint, exported .safetensors, or a name of cpd model list (required)",
};

/** How files are read. */
export const READING: readonly OptionSpec[] = [
  { flag: "strict", help: "a truncated last frame is an error" },
  {
    flag: "species",
    value: "A,B,...",
    help: "elements of the types 1, 2, ... of a LAMMPS dump that names none",
  },
];

/** @param name where none is given */
export function outputFolder(name: string): OptionSpec {
  return {
    flag: "output",
    short: "o",
    value: "DIR",
    path: true,
    help: `output folder (default: ${name})`,
  };
}

export const INPUT_AND_MODEL: OptionGroup = {
  title: "Input and model",
  options: [
    {
      flag: "model",
      value: "MODEL",
      path: true,
      help: "MACE .model checkpoint, exported .safetensors, SchNet of schnetpack 2, or a name of " +
        "cpd model list (default: the shipped hydrogen model if every atom is H, else built-in)",
    },
    { flag: "layers", value: "K", help: "use the first K layers (default: all)" },
    {
      flag: "pool",
      value: "MODE",
      choices: ["mean", "per-element-mean", "mean-std"],
      help: "atoms to frame: mean, per-element-mean or mean-std (default: mean)",
    },
    ...READING,
  ],
};

export const RUNNING: OptionGroup = {
  title: "Running",
  options: [
    {
      flag: "backend",
      value: "NAME",
      choices: ["auto", "gpu", "cpu", "reference"],
      help: "auto, gpu, cpu or reference (default: auto, a GPU if there is one)",
    },
    { flag: "allow-software", help: "accept a software GPU adapter, for tests" },
    {
      flag: "threads",
      value: "T",
      help: "CPU threads (default: SLURM_CPUS_PER_TASK or all cores)",
    },
    { flag: "force", help: "write over what is there" },
    { flag: "json", help: "print the report on stdout" },
    { flag: "quiet", help: "say warnings only" },
    { flag: "no-color", help: "plain text; nothing is coloured as it is" },
  ],
};

/** The same for a command whose `auto` is the CPU. */
export const RUNNING_ON_CPU: OptionGroup = {
  ...RUNNING,
  options: RUNNING.options.map((option) =>
    option.flag === "backend"
      ? { ...option, help: "auto, gpu, cpu or reference (default: auto, the CPU)" }
      : option
  ),
};

export const WHERE: OptionSpec = {
  flag: "where",
  value: "EXPR",
  help: 'only frames for which it is true, such as "max_force < 20 and rs > 1.3"; cpd help where',
};

export const SKIP_BAD: OptionSpec = {
  flag: "skip-bad",
  help:
    "leave out frames that cannot be read, with atoms too close, labels that are not numbers, " +
    "or that did not converge; the report names them",
};

export const SEARCH: readonly OptionSpec[] = [
  {
    flag: "features",
    value: "F.npy",
    path: true,
    help: "use these rows, one per frame, instead of a model",
  },
  {
    flag: "standardize",
    value: "MODE",
    choices: ["zscore", "global", "none"],
    help: "zscore, global or none, before PCA (default: zscore)",
  },
  {
    flag: "components",
    value: "K",
    help: "auto, a number, or a fraction of variance (default: auto, 0.99 in 2..16)",
  },
  { flag: "radius", value: "R", help: "density radius r_c (default: auto, searched)" },
  {
    flag: "radius-objective",
    value: "O",
    choices: ["log-variance", "variance", "fano"],
    help: "log-variance, variance or fano (default: log-variance)",
  },
  {
    flag: "isolation-weight",
    value: "L",
    help: "weight of the isolated fraction in the search (default: 1)",
  },
  {
    flag: "central",
    value: "A",
    help:
      "fraction of frames in the dense pool (default: with cpd 1.5 x its share, with cpd-spread " +
      "all that are not in the sparse one)",
  },
  {
    flag: "peripheral",
    value: "B",
    help:
      "fraction of frames in the sparse pool (default: 1.5 x its share, with cpd-spread 0.2 at " +
      "least)",
  },
  { flag: "central-share", value: "S", help: "share of N from the dense pool (default: 0.5)" },
  {
    flag: "density-weight",
    value: "G",
    help: "with cpd: weight (density + 1)^G inside the pools, 0 is uniform (default: 1)",
  },
  {
    flag: "compat",
    value: "maml",
    choices: ["maml"],
    help: "with direct: maml's choice, which may fall short of N (then exit code 4)",
  },
  {
    flag: "stratify",
    value: "KEY",
    help: "choose within strata of this comment-line key, or auto (composition and volume)",
  },
  WHERE,
  SKIP_BAD,
  { flag: "seed", value: "S", help: "seed of every draw (default: 0)" },
];

/** Where energies are read from. */
export const ENERGY_KEY: OptionSpec = {
  flag: "energy-key",
  value: "KEY",
  help: "energy, eV per frame (default: the names of cpd help units)",
};

export const SPLITTING: readonly OptionSpec[] = [
  {
    flag: "splits",
    value: "S",
    help: "divisions into pool and held-out frames (default: 10)",
  },
  {
    flag: "group-by",
    value: "KEY",
    help:
      "frames with the same value of this key are never divided (default: runs of consecutive " +
      "frames, about 50 in all)",
  },
  ENERGY_KEY,
];

/** Where forces and stress are read from. */
export const FORCES_AND_STRESS_KEYS: readonly OptionSpec[] = [
  { flag: "forces-key", value: "NAME", help: "column of the forces, eV/Å" },
  { flag: "stress-key", value: "KEY", help: "stress, eV/Å³, or virial, eV, by its name" },
];

/** The readout head of a potential. */
export const HEAD: OptionSpec = {
  flag: "head",
  value: "NAME",
  help: "readout head of the model (default: the only one; required where there are several)",
};
