import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Backend } from "../../backend.ts";
import { openCpuBackend } from "../../cpu/backend.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import type { Suspect } from "../../evaluate/suspects.ts";
import { distinctElements } from "../../frame.ts";
import { putElements } from "../../model/elements.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { weightsOf } from "../../model/model_weights.ts";
import type { Prediction } from "../../model/prediction.ts";
import {
  averagedModel,
  type Epoch,
  fit,
  type FitOptions,
  type FitRun,
  type FitState,
  fitState,
  type StepNews,
} from "../../train/fit.ts";
import { shuffledOrder } from "../../train/order.ts";
import { restoreState, saveState } from "../../train/saved_state.ts";
import type { LabelledFrame } from "../../train/trainer.ts";
import { movingTensors, tensorsOf } from "../../train/weights.ts";
import { isInterrupted } from "../interrupt.ts";
import { chooseAtomicEnergies } from "../input/atomic_energies.ts";
import { inBatches } from "../input/batches.ts";
import { openStartingModel, type StartingModel } from "../input/starting_model.ts";
import { readOrder, readTrainingFrames, type TrainingFrames } from "../input/training_frames.ts";
import { addReplay } from "../input/replay.ts";
import { sourcesOf } from "../input/load_pool.ts";
import { openBackend } from "../open_backend.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { checkOutput } from "../output/output_folder.ts";
import {
  type Course,
  holdsRestart,
  isTorchFile,
  readRestart,
  writeLosses,
  writeRestart,
  writeTorchModel,
  writeWeights,
} from "../output/training_folder.ts";
import { tellSuspects } from "../output/suspects.ts";
import { recipeOf, writeTraining } from "../output/write_training.ts";
import type { TrainCommand } from "../syntax/train_options.ts";

/** `cpd train`: fine-tunes a model on labelled frames. */
export async function runTrain(command: TrainCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  const { output } = command;
  const goesOn = holdsRestart(output) && !command.force;
  if (!goesOn) {
    checkOutput(output, command.force, sourcesOf(command));
    rmSync(join(output, "restart"), { force: true });
  }
  const frames = await readTrainingFrames(command, console);
  let backend: Backend | null = null;
  try {
    const species = frames.pools.flatMap(({ elements }) => elements);
    const start = openStartingModel(command, distinctElements(species));
    watch.lap("read");
    backend = await openTrainingBackend(command, console);
    const training = await prepare(command, frames, start, backend, console);
    if (goesOn) goOn(training, console);
    watch.lap("prepare");
    await run(training, console);
    watch.lap("train");
    const text = await writeTraining(training, watch, console.warnings);
    process.stdout.write(text);
    console.say(`Trained; wrote ${output}/`);
  } finally {
    await backend?.close();
    for (const pool of frames.pools) await pool.dispose();
  }
}

/** The kernels of training run on the CPU. */
async function openTrainingBackend(command: TrainCommand, console: Console): Promise<Backend> {
  if (command.backend !== "auto") return await openBackend(command, console);
  const backend = await openCpuBackend(command.threads);
  console.say(`Backend cpu: ${backend.description} (training runs there)`);
  return backend;
}

/** A training that is ready for its next epoch. */
export interface Training {
  readonly command: TrainCommand;
  readonly frames: TrainingFrames;
  readonly start: StartingModel;
  readonly backend: Backend;
  readonly options: FitOptions;
  readonly state: FitState;
  readonly run: Omit<FitRun, "onStep">;
  readonly course: Course;
  /** What was said of atomic energies. */
  readonly e0s: Record<string, { readonly model: number; readonly used: number }>;
  /** What the model said of the validation frames before the first step. */
  readonly before: readonly Prediction[];
  /** Labels that looked wrong after the first epoch. */
  suspects: readonly Suspect[];
}

/** Everything but the steps: energies of atoms, frames to replay, trainer. */
async function prepare(
  command: TrainCommand,
  read: TrainingFrames,
  start: StartingModel,
  backend: Backend,
  console: Console,
): Promise<Training> {
  const predict = predictor(backend, start.head);
  const { model: first, e0s } = await chooseAtomicEnergies(command, read, start, predict, console);
  const frames = await addReplay(command, read, first, start, backend, predict, console);
  const ids = frames.train.map(({ frame }) => frame.id);
  if (ids.length < command.batch) {
    throw new RequestError(
      `Cannot make steps of ${command.batch} frames from ${ids.length}: use a smaller --batch`,
    );
  }
  const moving = movingTensors(first, command.train);
  const options = { ...fitOptions(command), moving };
  const trainer = await backend.openTrainer(first, [...first.elements], start.head);
  tellTraining(console, frames, options, moving, first);
  return {
    ...{ command, frames, start, backend, options, e0s },
    state: fitState(first, options),
    before: await predict(first, frames.valid),
    run: {
      ...{ train: frames.train, valid: frames.valid, trainer, predict },
      order: command.order === null
        ? (epoch) => shuffledOrder(ids, command.seed, epoch)
        : readOrder(command.order, ids),
    },
    course: courseOf(command, frames, start, backend),
    suspects: [],
  };
}

function fitOptions(command: TrainCommand): Omit<FitOptions, "moving"> {
  const { epochs, batch, learningRate, clip, weightDecay, plateau, ema, patience } = command;
  const { loss: kind, energyWeight, forcesWeight, stressWeight, delta } = command;
  return {
    ...{ epochs, batch, learningRate, clip, weightDecay, plateau, ema, patience },
    ...{ kind, energyWeight, forcesWeight, stressWeight, delta },
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  };
}

/** Predicts with whatever weights the model has, batch after batch. */
function predictor(backend: Backend, head: number): FitRun["predict"] {
  return async (model, frames) => {
    const potential = await backend.openPotential(model, [...model.elements], head);
    try {
      const predictions: Prediction[] = [];
      for await (const batch of inBatches(frames, atomsOf, potential.batchAtoms)) {
        if (isInterrupted()) throw interrupted();
        predictions.push(...await potential.predict(batch.map(({ frame }) => frame)));
      }
      return predictions;
    } finally {
      await potential.close();
    }
  };
}

function atomsOf({ frame }: LabelledFrame): number {
  return frame.species.length;
}

function interrupted(): InterruptedError {
  return new InterruptedError("Interrupted; the same command goes on after the last whole epoch");
}

function tellTraining(
  console: Console,
  { train, valid }: TrainingFrames,
  { batch, kind, energyWeight, forcesWeight, stressWeight }: FitOptions,
  moving: ReadonlySet<string>,
  model: MaceModel,
): void {
  const tensors = tensorsOf(weightsOf(model));
  const count = (own: typeof tensors) => own.reduce((n, { numbers }) => n + numbers.length, 0);
  const moved = count(tensors.filter(({ name }) => moving.has(name)));
  const dropped = train.length % batch;
  console.say(
    `Frames: ${train.length} to train on, ${valid.length} to validate on; steps of ${batch}` +
      (dropped > 0 ? `, ${dropped} frames are left out of each epoch in turn` : ""),
  );
  console.say(`Parameters: ${moved} of ${count(tensors)} move`);
  console.say(
    `Loss: ${kind}, energy ${energyWeight}, forces ${forcesWeight}, stress ${stressWeight}`,
  );
}

/** What decides where the steps lead; how long it is trained and with how many threads does not. */
function courseOf(
  command: TrainCommand,
  frames: TrainingFrames,
  start: StartingModel,
  { name }: Backend,
): Course {
  const others = new Set(
    "inputs model valid output force json quiet threads epochs patience strict backend allowSoftware"
      .split(" "),
  );
  const text = (value: unknown) =>
    JSON.stringify(value, (_, x) => x instanceof Map ? [...x] : typeof x === "bigint" ? `${x}` : x);
  return {
    data: frames.pools.flatMap(({ files }) => files.map(({ sha256 }) => sha256)).join(" "),
    model: start.sha256,
    backend: name,
    valid: typeof command.valid === "number" ? String(command.valid) : "a file",
    ...Object.fromEntries(
      Object.entries(command).filter(([key]) => !others.has(key))
        .map(([key, value]) => [key, text(value)]),
    ),
  };
}

function goOn(training: Training, console: Console): void {
  const { command, course, state } = training;
  const weights = tensorsOf(weightsOf(state.model)).map(({ numbers }) => numbers);
  const { saved, found } = readRestart(command.output, course);
  restoreState(state, weights, saved);
  training.suspects = found;
  console.say(`Going on after epoch ${state.epochs.length - 1} of ${command.epochs}`);
}

/** Trains, and writes after every epoch what is needed to go on. */
async function run(training: Training, console: Console): Promise<void> {
  const { state, options, run, frames } = training;
  const status = statusLine(training, console.status());
  const onStep = (step: StepNews) => {
    if (isInterrupted()) throw interrupted();
    if (!Number.isFinite(step.loss)) {
      throw new RequestError(
        `Cannot go on: the loss of step ${step.step} of epoch ${step.epoch} is not a number; use a ` +
          "smaller --learning-rate, see cpd help training",
      );
    }
    status(step);
  };
  try {
    for await (const epoch of fit(state, options, { ...run, onStep })) {
      if (epoch.epoch === 1) {
        const predictions = await run.predict(averagedModel(state, options.moving), frames.train);
        training.suspects = tellSuspects(frames.train, predictions, console);
      }
      save(training, epoch);
    }
  } finally {
    await run.trainer.close();
  }
}

function statusLine({ run, options }: Training, write: (line: string) => void) {
  const start = performance.now();
  let done = 0;
  return ({ epoch, step, steps, loss, learningRate }: StepNews) => {
    done++;
    const seconds = (performance.now() - start) / 1000;
    const left = seconds / done * (steps * (options.epochs - epoch) + steps - step);
    const time = left > 5400 ? `${(left / 3600).toFixed(1)} h` : `${Math.ceil(left / 60)} min`;
    const rate = (done * options.batch / seconds).toPrecision(3);
    write(
      `Epoch ${epoch}/${options.epochs}, step ${step}/${steps}: loss ${loss.toPrecision(4)}, ` +
        `lr ${learningRate.toPrecision(3)}, ${rate} frames/s, ${time} left` +
        (run.valid.length > 0 ? "" : ", nothing to validate on"),
    );
  };
}

/** Writes the last model, the best one where it is new, and the table; the restart comes last, so that what it
 * goes on from is there. */
function save(training: Training, epoch: Epoch): void {
  const { command: { output }, state, options, course, suspects } = training;
  mkdirSync(output, { recursive: true });
  const kept = averagedModel(state, options.moving);
  writeModel(
    training,
    isTorchFile(training.start) ? "last.model" : "last.safetensors",
    kept,
    epoch,
  );
  if (state.best?.epoch === epoch.epoch) {
    if (isTorchFile(training.start)) writeModel(training, "model.model", kept, epoch);
    writeModel(training, "model.safetensors", kept, epoch);
  }
  writeLosses(output, state.epochs);
  const weights = tensorsOf(weightsOf(state.model)).map(({ numbers }) => numbers);
  writeRestart(output, saveState(state, weights), course, suspects);
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
