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

  extended XYZ       and plain XYZ (symbol x y z)
  VASP               vasprun.xml, OUTCAR, vaspout.h5: the free energy, to which the forces belong
                     (energy(sigma->0) is kept as energy_sigma0), forces, stress; converged=F where
                     NELM ran out; steps of a machine-learned force field have no labels, and ml=T.
                     XDATCAR: places alone. ML_AB, ML_ABN: energies as they stand there, stress in kbar
                     with the sign of "in kB"; nine zeros are no stress
  Quantum ESPRESSO   output of pw.x: scf, relax, vc-relax, md; Ry and Ry/Bohr³ become eV and eV/Å³,
                     and the stress changes its sign. data-file-schema.xml of pw.x, in Hartree: places
                     that come after the last step are not those of its labels, and left out.
                     cp.x: PREFIX.pos with .for, .evp (etot), .cel beside it, joined by step; elements of
                     a text output that prints one of its steps, or of PREFIX.in with sorted atoms; or
                     the text output. Its stress holds the motion of the nuclei and is not read
  CP2K               output of a single point; PROJECT-pos-1.xyz with PROJECT-1.cell, or an output whose
                     ensemble keeps the cell, and, for forces, PROJECT-frc-1.xyz beside it, joined by
                     step; Hartree and Bohr become eV and Å
  FHI-aims           output: the electronic free energy, to which the forces belong; stress as it is.
                     Forces on which constraints were applied are left out
  CASTEP             .md, .geom: the free energy, forces; the stress of .geom alone, as it is
  LAMMPS             dump; types need --species where there is no column element; forces are read
                     where the dump says that its units are metal (dump_modify ID units yes). Data
                     files: places, in Å where it says no units; types need --species or, in Masses, a
                     mass and its element's name
  ASE                .traj; .db; the free energy where there is one; momenta become velocities
  DeePMD             type.raw, type_map.raw and set.*/*.npy or *.raw; virials are divided by -V
  GPUMD              train.xyz, dump.xyz: extended XYZ (Energy, Virial, force); the stress of dump.xyz
                     has the other sign, which cpd scan finds: --stress-key virial

  plain, gzip, Zstandard, xz or bzip2; all are told by content and not by name; - is standard input,
  and a folder is searched (of one run of VASP vasprun.xml, else vaspout.h5, OUTCAR, ML_AB, XDATCAR;
  of Quantum ESPRESSO the text of pw.x, else XML; .pos of cp.x, else its text)
  FILE@start:stop:step takes frames as ASE does, 0-based: md.xyz@::10, OUTCAR@-100:

What is not extended XYZ is rewritten as such in the temporary folder first, with labels called
REF_energy (eV), REF_forces (eV/Å) and REF_stress (eV/Å³, ASE's sign), as cpd convert writes them.
What a file does not say is left out, never zero; stars are not a number, and a problem. A file that
stops in the middle gives its whole steps, and it is said where it stops. Python pickles are not read.

A frame is called FILE@index, with its place in the file from 0, in every output. Lattice are 9
numbers, rows a, b, c; pbc is T T T where there is a Lattice and no pbc, as ASE has it. Species may
be symbols or atomic numbers. Columns and keys that are not known are kept: chosen frames are copied
byte for byte. A single atom that meets no other (no image within 6 Å), or that is tagged as one
(IsolatedAtom, isolated_atom, ...), carries the energy of an atom: distill copies it into
selected.xyz, but neither counts it nor lists it in selected.txt and frames.csv; compare and features
leave it out.

Species that are the numbers 1, 2, ... in a column that is not called Z are types, as LAMMPS writes
them, and refused: write symbols (dump_modify ID element).

A last frame that is cut off is dropped with a warning (--strict: an error). A frame that cannot be
read, such as one that a killed run left where the next run went on, stops the program with its
line, or is left out of the pool with --skip-bad.

Not read: ABINIT, HDF5 of other programs, LMDB (.aselmdb), Parquet, frames of DeePMD with types of
their own; dpdata and ASE make extended XYZ of most.

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

const TRAINING = `Training: cpd train

Every step is that of mace_run_train: loss, clipping, coupled decay, Adam with AMSGrad, averages,
plateau; the same frames in the same order (--order) give the same losses. In float64 (--backend
reference) to the last digits, by the kernels to about 1e-6. Bessel frequencies, scale,
shift and pair repulsion do not move.

  loss        energy weight x mean over frames of (error / atom)^2 + forces weight x mean over all
              components + stress weight x mean over nine components; huber and universal take
              Huber's loss instead of squares
  defaults    the protocol of arXiv 2604.03027: 500 epochs, steps of 2 frames, learning rate 0.01,
              energy 10000, forces 550, no stress, gradient clipped to 10, decay 5e-7, no averages
  validation  its loss is summed over steps and divided by the number of frames, as mace has it:
              smaller than a mean by the size of a step. The best epoch is kept; 0, before
              the first step, is there to compare

The learning rate. 0.01 is mace's for training from scratch. The gradient is clipped in nearly
every step, so that every number moves by about the learning rate: 0.01 forgets much of a good
model before it learns, and suits hundreds of epochs on data far from what the model knows. Where
the labels are near to it already (RMSE before the first step below some tens of meV/atom and 200
meV/Å) take 0.001 or less and averages: --learning-rate 0.001 --ema 0.99. If the first epochs are
worse than the start, it is too high.

Energies of isolated atoms (--e0s). The model's own, if labels have the same zero: it is checked.
Else
  estimated   the model's, shifted per element by least squares of label minus model: what the
              model knows of binding stays right; the usual choice for another functional or code
  average     least squares of the total energies, as mace_run_train has it: binding is in the
              average then, and the model has to unlearn its own
  isolated    labels of single atoms among the training frames
Rank and condition number of the fit are told; with one composition only the sum per formula is
known.

Labels. A frame without one of them counts with nothing there. After the first epoch frames whose
labels contradict the model's are named with the probable cause: look at them first.

Elements. --elements seen trains the weights of the elements in the frames, as mace_run_train cuts
a foundation model, and puts them back when it writes; the other elements keep their own, but
share what all elements share, and are worth less than before. --train readouts, or names such as
products.*, moves less.

Replay. --replay FILES --replay-n N mixes frames in that the model labels itself before the first
step, chosen as distill chooses: the known remedy against forgetting what it could (arXiv
2606.12704).

Stopping. Ctrl-C, a kill or a lost node cost one epoch at most: the same command goes on, and the
course is that of one that was not stopped, bit for bit. --epochs may be raised to go on longer.

What is written. model.model is the checkpoint that was given with its numbers replaced, and
mace-torch loads it. last.model is the same after the last epoch. model.safetensors holds the recipe in
its metadata: hashes of data and model, energies of atoms, weights, seed, epoch.`;

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
  training: TRAINING,
  citing: CITING,
};
