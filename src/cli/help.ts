const EXAMPLES = `Examples:
  cpd distill md.xyz -n 200 -o distilled
  cpd distill run*/traj.extxyz.gz -n 200 --model mace-mp.model --stratify auto
  cpd scan run*/traj.extxyz.gz
  cpd compare labelled.xyz -n 25,50,100 -o comparison
  cpd features md.xyz -o features.npy
  cpd model info mace-mp.model
  cpd doctor`;

const COMMANDS = `Commands:
  distill    choose the configurations that are worth labelling or training on
  scan       what is in the files, and what is wrong with them
  compare    methods, sizes and seeds side by side, judged on held-out energies
  features   write MACE descriptors, one row per frame or per atom
  model      info, export, list: what checkpoints hold, and compact weights of them
  doctor     check runtime, GPU, threads and every kernel`;

const SHARED = `Input and model:
  INPUT                  extended XYZ, plain, .gz or .zst; FILE@start:stop:step; - for stdin
  --model FILE           MACE .model checkpoint, exported .safetensors, or SchNet of schnetpack 2
                         (default: the shipped hydrogen model if every atom is H)
  --layers K             use the first K layers (default: all)
  --pool MODE            mean, per-element-mean or mean-std: atoms to frame (default: mean)
  --strict               a truncated last frame is an error

Running:
  --backend NAME         auto, gpu, cpu or reference (default: auto: a GPU if there is one)
  --allow-software       accept a software GPU adapter, for tests
  --threads T            CPU threads (default: SLURM_CPUS_PER_TASK or all cores)
  --force                write over what is there
  --json                 print the report on stdout
  --quiet, --no-color    say less, plainly`;

const DISTILL = `Usage: cpd distill INPUT... -n N [-o DIR]

Chooses N configurations, by default by central-peripheral distillation (arXiv 2604.03027), and writes
selected.xyz, rest.xyz, selected.txt, frames.csv, radius.csv, report.json and report.html.

${EXAMPLES.split("\n").slice(0, 3).join("\n")}

Selection:
  -n, --select N         configurations to choose, exactly; or auto (required)
  -o, --output DIR       output folder (default: cpd-out)
  --method NAME          cpd-spread, cpd (the paper's), direct, rnd, fps, kmedoids or random
                         (default: cpd-spread)
  --compat maml          with direct: maml's choice, which may fall short of N (then exit code 4)
  --features F.npy       use these rows, one per frame, instead of a model
  --standardize MODE     zscore, global or none, before PCA (default: zscore)
  --components K         auto, a number, or a fraction of variance (default: auto, 0.99 in 2..16)
  --radius R             density radius r_c (default: auto, searched)
  --radius-objective O   log-variance, variance or fano (default: log-variance)
  --isolation-weight L   weight of the isolated fraction in the search (default: 1)
  --central A            fraction of frames in the dense pool (default: with cpd 1.5 x its share,
                         with cpd-spread all that are not in the sparse one)
  --peripheral B         fraction of frames in the sparse pool (default: 1.5 x its share, with
                         cpd-spread 0.2 at least)
  --central-share S      share of N from the dense pool (default: 0.5)
  --density-weight G     with cpd: weight (density + 1)^G inside the pools, 0 is uniform (default: 1)
  --stratify KEY         choose within strata of this comment-line key, or auto
  --reference FILE       existing training set: counts as neighbors, is never chosen
  --keep IDS             frames that must be in: ids with commas, or a file of ids
  --skip-bad             leave out frames that cannot be read, with atoms too close, labels that are
                         not numbers, or that did not converge; the report names them
  --seed S               seed of every draw (default: 0)

With --select auto the smallest N is taken whose error on held-out frames is above that of the whole
pool by no more than a margin, with the upper end of its 95 % band (energies in every frame); without
energies the smallest N at which 95 % of the frames have a chosen one within r_c. Exit code 4 where
the data do not allow an answer.

  --margin M             meV/atom (default: 1)
  --splits S             divisions into pool and held-out frames (default: 10)
  --group-by KEY         frames with the same value of this key are never divided
                         (default: runs of consecutive frames, 50 in all)
  --energy-key KEY       energy, eV per frame (default: REF_energy, free_energy, energy, ...)

${SHARED}`;

const COMPARE = `Usage: cpd compare INPUT... -n N,N,... [-o DIR]

Runs every method at every size on the same features, measures how the chosen frames cover the pool,
and, where the files hold energies, fits cheap regressors to the chosen frames and tests them on frames
that were held out. Writes compare.csv, compare.json, report.html and figures (SVG).

  -n, --select N,N,...   numbers of frames to choose (required)
  -o, --output DIR       output folder (default: cpd-compare)
  --methods M,M,...      of cpd-spread, cpd, direct, rnd, fps, kmedoids, random (default: all)
  --splits S             divisions into pool and held-out frames (default: 10)
  --seeds K              selections per split of the methods that draw (default: 3)
  --test SHARE           share of the frames that is held out (default: 0.25)
  --pool-size M          draw the pool from the others (default: all of them)
  --group-by KEY         frames with the same value of this key are never divided
                         (default: runs of consecutive frames, 50 in all)
  --energy-key KEY       energy, eV per frame (default: REF_energy, free_energy, energy, ...)
  --stratify KEY         choose within strata of this key, or auto; errors within strata are always
                         given (default: not chosen within strata; composition and volume)

Options of the selection (--radius-objective, --central, ...) as in distill.

${SHARED}`;

const SCAN = `Usage: cpd scan INPUT... [--strict] [--json]

Examines every frame: what is in the files, which labels are found and what they are assumed to mean;
frames that cannot be read, atoms too close, labels that are not numbers, calculations that did not
converge, duplicates, equal geometries with contradicting labels, outliers, forces that do not add up
to zero, stress whose sign contradicts the energies. Problems first.

  --strict               exit with 6 where there is a problem
  --json                 everything, with every frame, on stdout

INPUT is extended XYZ, plain, .gz or .zst; FILE@start:stop:step; - for stdin.`;

const FEATURES = `Usage: cpd features INPUT... -o F.npy

Writes MACE descriptors: one row per frame, or per atom in file order, and F.csv with their ids.

  -o, --output F.npy     output file (required)
  --per-atom             one row per atom
  --dtype f32|f64        type of the numbers (default: f32)

${SHARED}`;

const MODEL = `Usage: cpd model info FILE [--json]
       cpd model export FILE -o OUT.safetensors [--elements H,O] [--force]
       cpd model list [--json]

info prints what a checkpoint contains; export writes compact weights that load without the
original, for all elements or the given ones, with identical float64 results.`;

const DOCTOR = `Usage: cpd doctor [--json] [--threads T] [--allow-software]

Checks runtime, GPU adapter and limits, threads, cache, and every kernel against its definition.`;

/** Help of a command, or of the program. */
export function helpText(command: string | null): string {
  switch (command) {
    case "distill":
      return DISTILL;
    case "compare":
      return COMPARE;
    case "scan":
      return SCAN;
    case "features":
      return FEATURES;
    case "model":
      return MODEL;
    case "doctor":
      return DOCTOR;
  }
  return `cpd: central-peripheral distillation of atomic configurations

${EXAMPLES}

${COMMANDS}

cpd COMMAND --help shows the options of a command; cpd --version the version.`;
}
