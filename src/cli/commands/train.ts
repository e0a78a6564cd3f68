import process from "node:process";
import type { Backend } from "../../backend.ts";
import { chooseBuild } from "../../cpu/build.ts";
import { RequestError } from "../../errors.ts";
import { chemicalSymbol, distinctElements } from "../../frame.ts";
import { putElements } from "../../model/elements.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { weightsOf } from "../../model/model_weights.ts";
import { averagedModel, bestModel, type Epoch, fit, type StepNews } from "../../train/fit.ts";
import { restoreState, saveState } from "../../train/saved_state.ts";
import { tensorsOf } from "../../train/weights.ts";
import { sourcesOf } from "../input/load_pool.ts";
import { openStartingModel } from "../input/starting_model.ts";
import { interrupted, prepareTraining, type Training } from "../input/training.ts";
import { readTrainingFrames, type TrainingFrames } from "../input/training_frames.ts";
import { readOrderFile } from "../input/training_order.ts";
import { isInterrupted } from "../interrupt.ts";
import { openBackendOnCpu } from "../open_backend.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { checkOutput } from "../output/output_folder.ts";
import { tellSuspects } from "../output/suspects.ts";
import { buildOf, holdsRestart, lockFolder } from "../output/restart_folder.ts";
import {
  clearTraining,
  isTorchFile,
  readTrainingRestart,
  writeLosses,
  writeSplit,
  writeTorchModel,
  writeTrainingRestart,
  writeWeights,
} from "../output/training_folder.ts";
import { recipeOf, writeTraining } from "../output/write_training.ts";
import type { TrainCommand } from "../syntax/train_options.ts";

/** `cpd train`: fine-tunes a model on labelled frames. */
export async function runTrain(command: TrainCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  const { output } = command;
  const goesOn = holdsRestart(output) && !command.force;
  if (!goesOn) checkOutput(output, command.force, sourcesOf(command));
  const order = command.order === null ? null : readOrderFile(command.order);
  const frames = await readTrainingFrames(command, console);
  let backend: Backend | null = null;
  let unlock = () => {};
  try {
    const start = openStartingModel(command, seenElements(frames));
    watch.lap("read");
    const build = (goesOn ? buildOf(output) : null) ?? chooseBuild();
    backend = await openBackendOnCpu(command, "trains", console, build);
    const training = await prepareTraining(command, frames, start, order, backend, console);
    training.build = backend.name === "cpu" ? build : null;
    unlock = lockFolder(output);
    if (goesOn) goOn(training, console);
    else clearTraining(output);
    writeSplit(output, training.frames);
    watch.lap("prepare");
    await run(training, console);
    watch.lap("train");
    keepBest(training);
    const text = await writeTraining(training, watch, console.warnings);
    process.stdout.write(text);
    console.say(`Trained; wrote ${output}/`);
  } finally {
    unlock();
    await backend?.close();
    for (const pool of frames.pools) await pool.dispose();
  }
}

/** Elements of the frames that are trained on, ascending.
 * @throws {RequestError} if the validation has others */
function seenElements({ train, valid }: TrainingFrames): number[] {
  const elements = distinctElements(train.flatMap(({ frame }) => [...frame.species]));
  const other = valid.find(({ frame }) => frame.species.some((z) => !elements.includes(z)));
  if (!other) return elements;
  const missing = distinctElements(other.frame.species).filter((z) => !elements.includes(z));
  throw new RequestError(
    `Cannot validate on ${other.frame.id}: no training frame holds ${
      missing.map(chemicalSymbol).join(", ")
    }; use other validation frames, or --group-by`,
  );
}

function goOn(training: Training, console: Console): void {
  const { command, course, state } = training;
  const weights = tensorsOf(weightsOf(state.model)).map(({ numbers }) => numbers);
  const { saved, found } = readTrainingRestart(command.output, course);
  restoreState(state, weights, saved);
  training.suspects = found;
  const done = state.epochs.length - 1;
  console.say(
    done < command.epochs
      ? `Going on after epoch ${done} of ${command.epochs}`
      : `Trained to epoch ${done} before`,
  );
}

/** Trains, and writes after every epoch what is needed to go on. */
async function run(training: Training, console: Console): Promise<void> {
  const { state, options, run, frames } = training;
  const status = statusLine(training, console.status());
  const onStep = (step: StepNews) => {
    if (isInterrupted()) throw interrupted();
    if (!Number.isFinite(step.loss)) {
      throw diverged(`the loss of step ${step.step} of epoch ${step.epoch}`);
    }
    status(step);
  };
  try {
    for await (const epoch of fit(state, options, { ...run, onStep })) {
      if (!Number.isFinite(epoch.validLoss)) {
        throw diverged(`the validation of epoch ${epoch.epoch}`);
      }
      if (epoch.epoch === 1) {
        const predictions = await run.predict(averagedModel(state, options.moving), frames.train);
        training.suspects = tellSuspects(frames.train, predictions, training.energies, console);
      }
      save(training, epoch);
    }
  } finally {
    await run.trainer.close();
  }
}

function diverged(what: string): RequestError {
  return new RequestError(
    `Cannot go on: ${what} is not a number; begin anew with a smaller --learning-rate (--force, or another ` +
      "-o), see cpd help training; the models of the epochs before are kept",
  );
}

function statusLine({ options, state }: Training, write: (line: string) => void) {
  const start = performance.now();
  let done = 0;
  return ({ epoch, step, steps, loss, learningRate }: StepNews) => {
    done++;
    const seconds = (performance.now() - start) / 1000;
    const left = seconds / done * (steps * (options.epochs - epoch) + steps - step);
    const time = left > 5400
      ? `${(left / 3600).toFixed(1)} h`
      : left > 90
      ? `${Math.ceil(left / 60)} min`
      : `${Math.ceil(left)} s`;
    const rate = (done * options.batch / seconds).toPrecision(3);
    const { valid } = state.epochs[state.epochs.length - 1];
    write(
      `Epoch ${epoch}/${options.epochs}, step ${step}/${steps}: loss ${loss.toPrecision(4)}, ` +
        `valid E ${(1000 * valid.energy).toFixed(1)} meV/atom, F ${
          (1000 * valid.forces).toFixed(0)
        } meV/Å, ` +
        `lr ${learningRate.toPrecision(3)}, ${rate} frames/s, ${time} left`,
    );
  };
}

/** Writes the best model once more: it may have been removed, and the restart has it. */
function keepBest(training: Training): void {
  writeBest(training, bestModel(training.state), training.state.epochs[training.state.best!.epoch]);
}

function writeBest(training: Training, model: MaceModel, epoch: Epoch): void {
  if (isTorchFile(training.start)) writeModel(training, "model.model", model, epoch);
  writeModel(training, "model.safetensors", model, epoch);
}

/** Writes the last model, the best one where it is new, and the table; the restart comes last, so that what it
 * goes on from is there. */
function save(training: Training, epoch: Epoch): void {
  const { command: { output }, state, options, course, suspects } = training;
  const kept = averagedModel(state, options.moving);
  writeModel(
    training,
    isTorchFile(training.start) ? "last.model" : "last.safetensors",
    kept,
    epoch,
  );
  if (state.best?.epoch === epoch.epoch) writeBest(training, kept, epoch);
  writeLosses(output, state.epochs);
  const weights = tensorsOf(weightsOf(state.model)).map(({ numbers }) => numbers);
  writeTrainingRestart(output, saveState(state, weights), course, suspects, training.build);
}

/** Writes a model of the trained elements back among all of them. */
function writeModel(training: Training, name: string, model: MaceModel, epoch: Epoch): void {
  const { command: { output }, start } = training;
  const weights = putElements(start.whole, start.kept, weightsOf(model));
  const energies = start.whole.atomicEnergies.slice();
  const [all, own] = [start.whole.elements.length, model.elements.length];
  for (let h = 0; h < model.heads.length; h++) {
    start.kept.forEach((z, i) => energies[h * all + z] = model.atomicEnergies[h * own + i]);
  }
  if (name.endsWith(".model")) return writeTorchModel(output, name, start, weights, energies);
  writeWeights(output, name, start, weights, energies, recipeOf(training, epoch));
}
