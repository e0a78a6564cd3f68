import {
  type CommandSpec,
  ENERGY_KEY,
  FORCES_AND_STRESS_KEYS,
  READING,
  SKIP_BAD,
  WHERE,
} from "./option_specs.ts";

/** `cpd convert`, as help tells it. */
export const CONVERT: CommandSpec = {
  name: "convert",
  summary: "any format that is read, to extended XYZ with labels under the names of MACE",
  usage: ["cpd convert INPUT... -o F.xyz"],
  description:
    "Writes the frames of files and folders as canonical extended XYZ: energies, forces and stress as " +
    "REF_energy (eV), REF_forces (eV/Å) and REF_stress (eV/Å³, ASE's sign), velocities in Å/fs, all other " +
    "keys as they are. All commands read the same formats directly; see cpd help formats.",
  examples: [
    "cpd convert run*/OUTCAR -o frames.xyz",
    'cpd convert campaign/ -o frames.xyz --where "max_force < 20"',
    "cpd convert dump.lammpstrj --species H,O -o frames.xyz",
  ],
  groups: [{
    title: "Options",
    options: [
      {
        flag: "output",
        short: "o",
        value: "F.xyz",
        path: true,
        help: "file to write (required)",
      },
      ENERGY_KEY,
      ...FORCES_AND_STRESS_KEYS,
      WHERE,
      SKIP_BAD,
      ...READING,
      { flag: "force", help: "write over what is there" },
      { flag: "quiet", help: "say warnings only" },
      { flag: "no-color", help: "plain text; nothing is coloured as it is" },
    ],
  }],
};
