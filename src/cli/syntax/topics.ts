import { LABEL_NAMES, LABEL_PREFIXES } from "../../io/labels.ts";
import { CITATIONS, METHOD_SENTENCES } from "../../report/texts.ts";

const UNITS = `Units and signs

  length        Å            cells are rows: a, b, c
  energy        eV           per frame in files, per atom in reports
  force         eV/Å
  stress        eV/Å³        ASE's sign: (1/V) dE/d(strain), tension positive
  virial        eV           minus volume times stress
  pressure      GPa          -(xx + yy + zz)/3 of the stress, without the kinetic part
  temperature   K

Six numbers of a stress are xx yy zz yz xz xy; nine are the matrix, row by row.

  source                                     to the stress meant here
  ASE get_stress, MACE REF_stress, NequIP    as it is
  QUIP, GPUMD, DeePMD, MACE virial(s)        divide by -V
  VASP OUTCAR "in kB" (XX YY ZZ XY YZ ZX)    multiply by -1/1602.1766, reorder
  LAMMPS pressure in bar                     multiply by -1/1602176.6

Labels are found by their names, in any case of letters and in this order of preference; the energy
is the first that every frame has. The free energy comes first because forces of smeared electrons
belong to it. MACE_... are read last: they are what a model says.

  energy    ${LABEL_NAMES.energy.join(", ")}
  forces    ${LABEL_NAMES.forces.join(", ")}; a column of three real numbers
  stress    ${LABEL_NAMES.stress.join(", ")}
  virial    ${LABEL_NAMES.virial.join(", ")}; counts where there is no stress
  before    ${LABEL_PREFIXES.map((prefix) => (prefix ? `${prefix}_` : "nothing")).join(", ")}

--energy-key, --forces-key and --stress-key name others. cpd scan prints what it found and what that
is taken for, names what looks like a label and is not read, and where stress contradicts the energies
or the virial.

Units that a comment line declares (energy-unit=hartree, force-unit=hartree/bohr, stress-unit=GPa,
virial-unit) are converted: eV, meV, hartree, Ry, kcal/mol, kJ/mol; Å, nm, bohr; GPa, kbar, bar, Pa. An
unknown one is a problem of cpd scan and an error elsewhere, and so is another unit of length:
positions are not converted.`;

const FORMATS = `Files that are read

  extended XYZ, and plain XYZ (symbol x y z)
  plain, gzip (.gz) or Zstandard (.zst), told by content and not by name; - is standard input
  FILE@start:stop:step takes frames as ASE does, 0-based: md.xyz@::10, md.xyz@-100:

A frame is called FILE@index, with its place in the file from 0, in every output. Lattice are 9
numbers, rows a, b, c; pbc is T T T where there is a Lattice and no pbc, as ASE has it. Species may
be symbols or atomic numbers. Columns and keys that are not known are kept: chosen frames are copied
byte for byte. A single atom that meets no other (no image within 6 Å), or that is tagged as one (IsolatedAtom, isolated_atom, ...), carries the energy of an atom:
distill copies it into selected.xyz, but neither counts it nor lists it in selected.txt and frames.csv;
compare and features leave it out.

Species that are the numbers 1, 2, ... in a column that is not called Z are types, as LAMMPS writes
them, and refused: write symbols (dump_modify ID element).

A last frame that is cut off is dropped with a warning (--strict: an error). A frame that cannot be
read, such as one that a killed run left where the next run went on, stops the program with its
line, or is left out of the pool with --skip-bad.

Not read: .xz and .bz2, OUTCAR, vasprun.xml, XDATCAR, Quantum ESPRESSO, LAMMPS and ASE's own files;
ase convert or dpdata make extended XYZ of them.

Files that are written: see cpd distill --help, and report.json, which holds all that is needed to
repeat a run.`;

const WHERE = `Which frames: --where EXPR

  --where "max_force < 20 and volume_per_atom > 1.2"
  --where "1.3 <= rs < 1.36 or index == 0"

Arithmetic (+ - * / ^), comparison (< <= == != >= >, chains as well) and logic (and, or, not) of the
numbers of one frame; nothing else is evaluated.

  index             its place in the file, from 0
  n_atoms           atoms
  volume            Å³, of frames that are periodic along all axes; volume_per_atom
  density           g/cm³
  energy_per_atom   eV, by the names of cpd help units
  max_force         eV/Å, the largest |F|
  pressure          GPa, static, of a stress or virial label
  KEY               any key of the comment line whose value is one number

A frame that lacks one of the numbers is not taken; how many lack one is told. A name that no frame
has is an error. distill, compare and scan know --where; report.json names it.`;

const METHODS = `Methods

${
  Object.entries(METHOD_SENTENCES).map(([name, sentence]) => `  ${name}\n    ${sentence}`).join(
    "\n",
  )
}

The density of a configuration is the number of others within r_c of its principal components. r_c
maximises V(r)/max V - isolated(r), V the variance of log(1 + neighbors); the curve is in radius.csv
and in the report, and --radius overrules it. The literal variance (--radius-objective variance)
prefers a radius that spans the whole cloud.

What describes a configuration is a model: --model MODEL, of cpd model list or a file. Where none is
named it is hydrogen-small if every atom is hydrogen, and built-in otherwise: an atomic cluster
expansion (Drautz 2019) for Z = 1 to 118 whose weights are formulas, with a cutoff of 4.5 Å, or 3.2
covalent radii of the largest element if that is more. It is trained on nothing and knows
no chemistry; it tells structures and compositions apart. A model that was trained on matter like yours
is better where there is one.

No method is best on all data. cpd compare tells it for yours, where energies are in the files.`;

const CITING = `To cite

cpd distills data sets by the method of the first entry; a run owes the descriptor that it used, and
the rival that it used, if any. report.html holds the entries of a run.

${Object.values(CITATIONS).join("\n\n")}`;

/** What `cpd help TOPIC` explains. */
export const TOPICS: Readonly<Record<string, string>> = {
  units: UNITS,
  formats: FORMATS,
  where: WHERE,
  methods: METHODS,
  citing: CITING,
};
