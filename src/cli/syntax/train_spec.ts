import {
  type CommandSpec,
  ENERGY_KEY,
  FORCES_AND_STRESS_KEYS,
  HEAD,
  outputFolder,
  POTENTIAL,
  READING,
  RUNNING_ON_CPU,
  SKIP_BAD,
  WHERE,
} from "./option_specs.ts";

/** `cpd train`, as help tells it. */
export const TRAIN: CommandSpec = {
  name: "train",
  summary: "fine-tune a MACE model on labelled frames, as mace_run_train steps",
  usage: ["cpd train TRAIN... --model MODEL -o DIR"],
  description:
    "Trains a MACE model on energies, forces and stress. Names, defaults and every step are those of " +
    "mace_run_train; cpd help training says what they mean. Writes model.model (the checkpoint that it " +
    "started from with its numbers replaced, which mace-torch loads), model.safetensors, loss.csv, split.csv, " +
    "restart, report.json, report.html and figures. The best and the last model are whole on disk at " +
    "any time; the same command again goes on where it was stopped.",
  examples: [
    "cpd train selected.xyz --model medium-0b2 -o tuned --e0s average",
    "cpd train selected.xyz --model mace.model --valid test.xyz --learning-rate 0.001 --ema 0.99",
    "cpd train new.xyz --model mace.model -o tuned --replay old.xyz --replay-n 200",
  ],
  groups: [
    {
      title: "Training",
      options: [
        POTENTIAL,
        HEAD,
        outputFolder("cpd-train"),
        {
          flag: "valid",
          value: "V",
          path: true,
          help: "file to validate on, or share of the frames that is held out (default: 0.1)",
        },
        {
          flag: "group-by",
          value: "KEY",
          help: "hold out whole groups of frames with equal values of this key",
        },
        { flag: "epochs", value: "N", help: "(default: 500)" },
        { flag: "batch", value: "B", help: "frames per step (default: 2)" },
        { flag: "learning-rate", value: "LR", help: "(default: 0.01)" },
        { flag: "energy-weight", value: "W", help: "(default: 10000)" },
        { flag: "forces-weight", value: "W", help: "(default: 550)" },
        { flag: "stress-weight", value: "W", help: "(default: 0)" },
        {
          flag: "loss",
          value: "L",
          choices: ["weighted", "huber", "universal"],
          help: "weighted (squares), huber or universal (default: weighted)",
        },
        {
          flag: "huber-delta",
          value: "D",
          help: "where huber and universal become linear, eV/atom, eV/Å, eV/Å³ (default: 0.01)",
        },
        { flag: "clip", value: "G", help: "largest norm of the gradient (default: 10)" },
        {
          flag: "ema",
          value: "DECAY",
          help: "keep and validate averages of the weights (default: off)",
        },
        { flag: "weight-decay", value: "D", help: "(default: 5e-7)" },
        {
          flag: "plateau",
          value: "F,P",
          help:
            "learning rate times F after P epochs without a better validation (default: 0.8,50)",
        },
        {
          flag: "patience",
          value: "P",
          help: "stop after P epochs without a better validation (default: off)",
        },
        { flag: "seed", value: "S", help: "seed of split and order (default: 0)" },
      ],
    },
    {
      title: "Labels, elements and tensors",
      options: [
        ENERGY_KEY,
        ...FORCES_AND_STRESS_KEYS,
        {
          flag: "e0s",
          value: "E",
          help: "energies of isolated atoms: model, average, isolated, estimated, or H:E,O:E " +
            "(default: model)",
        },
        {
          flag: "elements",
          value: "WHICH",
          choices: ["seen", "all"],
          help: "train the weights of the elements that the frames hold, or of all (default: seen)",
        },
        {
          flag: "train",
          value: "NAMES",
          help: "tensors that move: all, readouts, or names with * (default: all)",
        },
        {
          flag: "order",
          value: "FILE",
          path: true,
          help:
            "ids of the training frames, as in split.csv, in the order of the steps (default: seeded " +
            "shuffle)",
        },
        WHERE,
        SKIP_BAD,
        ...READING,
      ],
    },
    {
      title: "Replay: keep what the model knew",
      options: [
        {
          flag: "replay",
          value: "FILES",
          path: true,
          help: "files with commas: frames to label with the model that it starts from and mix in",
        },
        { flag: "replay-n", value: "N", help: "how many of them, chosen as distill does" },
        { flag: "replay-weight", value: "W", help: "factor of their losses (default: 1)" },
      ],
    },
    RUNNING_ON_CPU,
  ],
};
