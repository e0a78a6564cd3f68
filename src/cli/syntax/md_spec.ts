import {
  type CommandSpec,
  HEAD,
  outputFolder,
  POTENTIAL,
  READING,
  RUNNING_ON_CPU,
} from "./option_specs.ts";

/** `cpd md`, as help tells it. */
export const MD: CommandSpec = {
  name: "md",
  summary: "molecular dynamics with a MACE model, at one or many densities",
  usage: [
    "cpd md START --model MODEL --timestep FS --steps N [--temperature K] [-o DIR]",
    "cpd md START --model MODEL --timestep FS --temperature K --check",
  ],
  description:
    "Moves the atoms of a frame by velocity Verlet in float64, with the forces of a MACE model: at " +
    "constant energy, or at constant temperature by stochastic velocity rescaling (Bussi, Donadio, " +
    "Parrinello 2007); the centre of mass rests. With --rs or --density the cell is scaled to each, and all " +
    "run side by side, each in a folder of its own with its own random numbers. Writes trajectory.xyz, " +
    "thermo.csv, report.json, report.html and figures. The same command goes on where it was stopped, as if it " +
    "had not been; a larger --steps continues. A run whose energy, temperature or closest pair is no longer " +
    "sane stops (exit code 4), and its last good frames are in label_next.xyz.\n\nWith --check nothing is written: it says whether " +
    "energy is conserved, and the better by dt² the smaller the step; whether atoms come back when time is " +
    "turned round; whether kinetic energies are canonical and equal on every axis; and whether the pressure is " +
    "-dE/dV. Exits with 6 where one does not hold.",
  examples: [
    "cpd md h2.xyz --model mace.model --temperature 1000 --timestep 0.48 --steps 20000",
    "cpd md h.xyz@0 --model m.model --temperature 1000 --timestep 0.5 --steps 9000 --rs 1.2,1.3,1.4",
    "cpd md melt.xyz@-1 --model mace.model --ensemble nve --timestep 1 --steps 10000",
  ],
  groups: [
    {
      title: "Dynamics",
      options: [
        POTENTIAL,
        HEAD,
        outputFolder("cpd-md"),
        {
          flag: "ensemble",
          value: "NAME",
          choices: ["nvt", "nve"],
          help: "nvt, constant temperature, or nve, constant energy (default: nvt)",
        },
        {
          flag: "temperature",
          value: "K",
          help:
            "of the thermostat and of velocities that are drawn (required unless nve goes on with " +
            "velocities of START)",
        },
        {
          flag: "tau",
          value: "FS",
          help: "relaxation time of the thermostat (default: 50, with --check 10)",
        },
        { flag: "timestep", value: "FS", help: "(required)" },
        {
          flag: "steps",
          value: "N",
          help: "in all (required); with --check of each of two runs (default: 5000)",
        },
        { flag: "check", help: "check the dynamics of the potential, and write nothing" },
        { flag: "seed", value: "S", help: "of velocities and thermostat (default: 0)" },
        {
          flag: "velocities",
          value: "FROM",
          choices: ["file", "draw"],
          help: "file or draw (default: file where START has them)",
        },
      ],
    },
    {
      title: "Densities",
      options: [
        {
          flag: "rs",
          value: "R",
          help:
            "Wigner-Seitz radius per atom, Bohr: R, R,R,... or FROM:TO:STEP (default: the cell of START)",
        },
        { flag: "density", value: "D", help: "the same in g/cm³" },
      ],
    },
    {
      title: "Output",
      options: [
        { flag: "every", value: "N", help: "steps between frames (default: 100)" },
        { flag: "thermo", value: "N", help: "steps between rows of thermo.csv (default: 10)" },
        { flag: "restart", value: "N", help: "steps between restarts (default: 1000)" },
        { flag: "equilibrate", value: "N", help: "steps left out of averages (default: 0)" },
        ...READING,
      ],
    },
    {
      title: "Frames to label next",
      options: [
        {
          flag: "collect",
          value: "N",
          help: "choose N frames of the trajectories at the end, as distill does, into DIR/collect",
        },
        {
          flag: "reference",
          value: "FILE",
          path: true,
          help: "existing training set that they are chosen against",
        },
      ],
    },
    RUNNING_ON_CPU,
  ],
};
