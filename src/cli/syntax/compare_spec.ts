import { METHODS } from "../../select/method.ts";
import {
  type CommandSpec,
  FORCES_AND_STRESS_KEYS,
  HEAD,
  INPUT_AND_MODEL,
  outputFolder,
  RUNNING,
  SEARCH,
  SPLITTING,
} from "./option_specs.ts";

/** `cpd compare`, as help tells it. */
export const COMPARE: CommandSpec = {
  name: "compare",
  summary: "methods, sizes and seeds side by side, judged on held-out energies",
  usage: ["cpd compare INPUT... -n N,N,... [-o DIR]"],
  description:
    "Runs every method at every size on the same features, measures how the chosen frames " +
    "cover the pool, and, where the files hold energies, fits cheap regressors to the chosen frames " +
    "and tests them on frames that were held out. Says which methods are better than random choice " +
    "beyond the noise. With --train a model is fine-tuned on the chosen frames, too, and it is said whether the " +
    "cheap regressors rank the methods as it does. Writes compare.csv, compare.json, report.html and figures (SVG).",
  examples: [
    "cpd compare labelled.xyz -n 25,50,100 -o comparison",
    "cpd compare labelled.xyz -n 50,100 --methods cpd-spread,fps,random --group-by run",
    "cpd compare labelled.xyz -n 25,50 --model mace.model --train --epochs 10 --splits 3",
  ],
  groups: [
    {
      title: "Comparison",
      options: [
        { flag: "select", short: "n", value: "N,N,...", help: "numbers of frames (required)" },
        outputFolder("cpd-compare"),
        { flag: "methods", value: "M,M,...", help: `of ${METHODS.join(", ")} (default: all)` },
        {
          flag: "seeds",
          value: "K",
          help: "selections per split of the methods that draw (default: 3)",
        },
        {
          flag: "test",
          value: "SHARE",
          help: "share of the frames that is held out (default: 0.25)",
        },
        {
          flag: "pool-size",
          value: "M",
          help: "draw the pool from the others (default: all of them)",
        },
        ...SPLITTING,
        {
          flag: "readout-forces",
          help:
            "forces of the ridge regression, too, whose weights are a readout of the model's descriptors: one " +
            "prediction of the held-out frames for every selection",
        },
        FORCES_AND_STRESS_KEYS[0],
      ],
    },
    {
      title: "Fine-tuning",
      options: [
        {
          flag: "train",
          help:
            "fine-tune a model on every selection, and on the whole pools, and judge by its errors of energies " +
            "and forces as well; the same command goes on where it was stopped",
        },
        {
          flag: "train-model",
          value: "MODEL",
          path: true,
          help: "the model to start from (default: that of --model)",
        },
        HEAD,
        {
          flag: "epochs",
          value: "N",
          help: "of every fine-tuning, the learning rate falling to nothing (default: 20)",
        },
        { flag: "batch", value: "B", help: "frames per step (default: 2)" },
        { flag: "learning-rate", value: "LR", help: "(default: 0.003)" },
      ],
    },
    { title: "Selection", options: SEARCH },
    INPUT_AND_MODEL,
    RUNNING,
  ],
};
