import {
  type CommandSpec,
  FORCES_AND_STRESS_KEYS,
  outputFolder,
  READING,
  SKIP_BAD,
  WHERE,
} from "./option_specs.ts";

/** `cpd analyze`, as help tells it. */
export const ANALYZE: CommandSpec = {
  name: "analyze",
  summary: "pair distributions, molecules, densities, pressures and motion of frames",
  usage: ["cpd analyze INPUT... [-o DIR]"],
  description:
    "Tells of every frame its density, pressure (from its stress), temperature (from velocities) and, " +
    "of hydrogen, the fraction of atoms in molecules; averages them with errors of correlated blocks, in " +
    "total and per group; and writes pair distribution functions of all atoms and of each pair of elements, " +
    "with all images. With --timestep the frames of a file are a trajectory: mean squared displacement, " +
    "velocity autocorrelation, vibrational density of states and diffusion. Writes frames.csv, rdf.csv, " +
    "motion.csv, vibrations.csv, analyze.json, report.json, report.html and figures.",
  examples: [
    "cpd analyze md.xyz -o analysis",
    "cpd analyze campaign.xyz --group-by rs --overlay published.csv",
    "cpd analyze trajectory.xyz --timestep 0.48",
  ],
  groups: [
    {
      title: "Analysis",
      options: [
        outputFolder("cpd-analyze"),
        { flag: "group-by", value: "KEY", help: "apart for each value of this key" },
        {
          flag: "r-max",
          value: "R",
          help: "reach of the pair distributions, Å (default: 6)",
        },
        {
          flag: "timestep",
          value: "FS",
          help:
            "time between frames: the frames of a file, or of a group in it, are one trajectory",
        },
        {
          flag: "overlay",
          value: "CSV",
          path: true,
          help: "points to draw beside the means: columns rs, pressure (GPa), molecular_fraction",
        },
        ...FORCES_AND_STRESS_KEYS.filter(({ flag }) => flag === "stress-key"),
        WHERE,
        SKIP_BAD,
        ...READING,
      ],
    },
    {
      title: "Running",
      options: [
        { flag: "force", help: "write over what is there" },
        { flag: "json", help: "print the averages on stdout" },
        { flag: "quiet", help: "say warnings only" },
        { flag: "no-color", help: "plain text; nothing is coloured as it is" },
      ],
    },
  ],
};
