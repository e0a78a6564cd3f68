import { rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  compare,
  type ComparePool,
  countTrials,
  type Judges,
  seedsOf,
} from "../../compare/compare.ts";
import type { Backend } from "../../backend.ts";
import type { FineTuning } from "../../compare/fine_tuning.ts";
import { openReadoutForces } from "../../compare/linear_readout.ts";
import { type DescriptorModel, isSchnet } from "../../model/descriptor_model.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import type { Matrix } from "../../matrix.ts";
import { autoStrata } from "../../select/strata.ts";
import { describePool } from "../input/describe_pool.ts";
import { learnableFrames } from "../input/learnable_frames.ts";
import { openJudge, type Workload } from "../input/fine_tuning.ts";
import { withoutIsolatedAtoms } from "../input/isolated_atoms.ts";
import { energiesOf, groupsOf, valuesOf } from "../input/labels.ts";
import {
  loadOptions,
  loadPool,
  openModel,
  type PoolOfFrames,
  sourcesOf,
} from "../input/load_pool.ts";
import { isInterrupted } from "../interrupt.ts";
import { openBackend } from "../open_backend.ts";
import { summariseComparison, verdictLines } from "../output/comparison_summary.ts";
import { jsonText } from "../output/json_text.ts";
import { Console } from "../output/output.ts";
import { checkOutput } from "../output/output_folder.ts";
import { holdsRestart, lockFolder, RESTART } from "../output/restart_folder.ts";
import { terminalTables, writeComparison } from "../output/write_comparison.ts";
import type { CompareCommand } from "../syntax/options.ts";
import { readFeatures } from "./distill.ts";

/** What a verdict by cheap regressors is worth; `bench/paper`. */
const PROXY =
  "By cheap regressors of energies, whose order of the methods fine-tuned models did not repeat beyond the " +
  "noise; --train measures it on these data";

/** `cpd compare`: methods at several sizes, on several splits, side by side. */
export async function runCompare(command: CompareCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { output, force, tuning } = command;
  const goesOn = tuning !== null && holdsRestart(output) && !force;
  if (!goesOn) checkOutput(output, force, sourcesOf(command));
  const pool = await loadPool(command.inputs, await loadOptions(command, false), console);
  const backend = await openBackend(command, console);
  let judge: FineTuning | null = null;
  let unlock = () => {};
  try {
    const { features, left, described } = await featuresOf(command, pool, backend, console);
    const input = comparePool(command, left.entries, features, console);
    const total = countTrials(input, command, tuning !== null);
    const judges = await openJudges(command, { input, left, described }, backend, console, goesOn);
    judge = judges.fineTuning;
    unlock = judges.unlock;
    const report = console.progress("Selections", total, "done");
    const options = { ...command, stratified: command.stratify !== null };
    const found = await compare(input, options, backend, (done) => {
      report(done);
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
    }, judges);
    const summary = summariseComparison(command, input, found);
    await writeComparison(command, found, summary);
    rmSync(join(output, RESTART), { force: true });
    if (input.energy && summary.verdict.length === 0) {
      console.warn("no verdict: random is not among the methods, or there is nothing beside it");
    }
    for (const line of verdictLines(summary)) console.say(line);
    if (input.energy && !tuning) console.say(PROXY);
    process.stdout.write(command.json ? jsonText(summary) : terminalTables(summary));
    console.say(`Compared ${total} selections; wrote ${output}/`);
  } finally {
    unlock();
    await judge?.close();
    await backend.close();
    await pool.dispose();
  }
}

interface Compared {
  readonly input: ComparePool;
  readonly left: PoolOfFrames;
  /** What describes the frames; null where features were given. */
  readonly described: DescriptorModel | null;
}

/** What judges selections by forces, if that is asked for. */
async function openJudges(
  command: CompareCommand,
  { input, left, described }: Compared,
  backend: Backend,
  console: Console,
  goesOn: boolean,
): Promise<Judges & { unlock: () => void }> {
  const { tuning, output, readoutForces } = command;
  const none = { fineTuning: null, readoutForces: null, unlock: () => {} };
  if (!tuning && !readoutForces) return none;
  if (!input.energy) {
    throw new RequestError(
      "Cannot learn energies: none has one name in all frames; name it with --energy-key",
    );
  }
  if (readoutForces && (described === null || isSchnet(described))) {
    throw new RequestError(
      "Cannot use --readout-forces: the forces of SchNet's descriptors are not known",
    );
  }
  const frames = await learnableFrames(command, left, console);
  const readout = readoutForces ? openReadoutForces(backend, described as MaceModel, frames) : null;
  if (!tuning) return { ...none, readoutForces: readout };
  const unlock = lockFolder(output);
  if (!goesOn) rmSync(join(output, RESTART), { force: true });
  try {
    const workload = workloadOf(input, command);
    const fineTuning = await openJudge({ ...command, tuning }, frames, workload, backend, console);
    return { fineTuning, readoutForces: readout, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Trainings of every selection and of every pool. */
function workloadOf(input: ComparePool, command: CompareCommand): Workload {
  const { sizes, methods, seeds, splits, testShare, poolSize } = command;
  const nTest = Math.ceil(testShare * input.frames.length);
  const pool = poolSize ?? input.frames.length - nTest;
  const perSplit = methods.flatMap((method) =>
    Array.from({ length: seedsOf(method, seeds, true) }, () => sizes).flat()
  );
  return { nTest, sizes: Array.from({ length: splits }, () => [...perSplit, pool]).flat() };
}

/** The frames that are no isolated atoms, and their features. */
async function featuresOf(
  command: CompareCommand,
  pool: PoolOfFrames,
  backend: Backend,
  console: Console,
): Promise<{ features: Matrix } & Omit<Compared, "input">> {
  const opened = command.features === null ? openModel(command, pool, console) : null;
  const left = withoutIsolatedAtoms(pool, "left out", console);
  const features = opened
    ? await describePool(left, opened.model, opened.bytes, command, backend, console)
    : readFeatures(command.features!, pool, left);
  return { features, left, described: opened && opened.model };
}

/** Labels, strata and groups of the frames, said on the console. */
function comparePool(
  { stratify, groupBy, energyKey }: CompareCommand,
  entries: readonly FrameEntry[],
  features: Matrix,
  console: Console,
): ComparePool {
  const volume = Float64Array.from(entries, (entry) => entry.volume);
  const strata = stratify === null || stratify === "auto"
    ? autoStrata(entries.map(({ formula }) => formula), volume)
    : valuesOf(stratify, "--stratify", entries);
  const energy = energiesOf(energyKey, entries, console);
  if (!energy) {
    console.warn(
      "no energies in every frame (names of cpd help units; --energy-key takes another name): " +
        "coverage only, nothing is fitted",
    );
  }
  return { frames: entries, features, volume, strata, energy, groups: groupsOf(groupBy, entries) };
}
