import { type CommandSpec, outputFolder, READING } from "./option_specs.ts";

/** `cpd jobs`, as help tells it. */
export const JOBS: CommandSpec = {
  name: "jobs",
  summary: "input folders that label the chosen frames with pw.x, VASP, CP2K or FHI-aims",
  usage: ["cpd jobs INPUT... --template T -o DIR"],
  description:
    "Makes one folder for every frame from a real input of yours: its structure is replaced and nothing else, " +
    "but that a k-mesh keeps its spacing where the cell is another, and pw.x is asked for forces and stress. " +
    "Templates are an input of pw.x (calculation = 'scf'), a folder of VASP (INCAR, POTCAR, KPOINTS, POSCAR), " +
    "whose potentials are put in the order of the atoms, an input of CP2K (RUN_TYPE ENERGY_FORCE), or a control.in " +
    "of FHI-aims (a geometry.in beside it says which cell its k-grid belongs to). Writes " +
    "jobs.csv and submit.sh, a Slurm array that leaves out what is done. The same command again " +
    "makes only what is missing. cpd collect reads the results.",
  examples: [
    "cpd jobs selected.xyz --template scf.in -o jobs",
    "cpd jobs cpd-out/selected.xyz --template vasp/ -o jobs --chunk 4 --command 'srun vasp_std'",
  ],
  groups: [{
    title: "Options",
    options: [
      {
        flag: "template",
        value: "T",
        path: true,
        help: "a real input, or a folder of VASP or FHI-aims (required)",
      },
      outputFolder("cpd-jobs"),
      { flag: "command", value: "CMD", help: "shell command that runs a job in its folder" },
      { flag: "chunk", value: "N", help: "jobs of one task of the Slurm array (default: 1)" },
      ...READING,
      { flag: "quiet", help: "say warnings only" },
      { flag: "no-color", help: "plain text; nothing is coloured as it is" },
    ],
  }],
};

/** `cpd collect`, as help tells it. */
export const COLLECT: CommandSpec = {
  name: "collect",
  summary: "labels of the jobs that are done, checked, as extended XYZ",
  usage: ["cpd collect DIR... -o F.xyz"],
  description:
    "Reads the outputs of the jobs that cpd jobs made. A job counts where it converged, its structure is the one " +
    "that was sent, it has an energy and forces, and its input differs from those of the others in nothing but " +
    "the structure. Writes the frames with REF_energy, REF_forces, REF_stress and the id that they had, " +
    "atoms in the order in which they were sent; collect.csv beside it says what became of every job.",
  examples: ["cpd collect jobs -o labelled.xyz"],
  groups: [{
    title: "Options",
    options: [
      { flag: "output", short: "o", value: "F.xyz", path: true, help: "file to write (required)" },
      { flag: "force", help: "write over what is there" },
      { flag: "quiet", help: "say warnings only" },
      { flag: "no-color", help: "plain text; nothing is coloured as it is" },
    ],
  }],
};
