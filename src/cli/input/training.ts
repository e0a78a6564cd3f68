import { createHash } from "node:crypto";
import type { Backend } from "../../backend.ts";
import type { Build } from "../../cpu/memory.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import type { Suspect } from "../../evaluate/suspects.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { weightsOf } from "../../model/model_weights.ts";
import type { Prediction } from "../../model/prediction.ts";
import { type FitOptions, type FitRun, type FitState, fitState } from "../../train/fit.ts";
import { shuffledOrder } from "../../train/order.ts";
import type { LabelledFrame, Trainer } from "../../train/trainer.ts";
import { movingTensors, tensorsOf } from "../../train/weights.ts";
import { isInterrupted } from "../interrupt.ts";
import type { Console } from "../output/output.ts";
import type { Course } from "../output/restart_folder.ts";
import type { TrainCommand } from "../syntax/train_options.ts";
import { type AtomicEnergyTable, chooseAtomicEnergies } from "./atomic_energies.ts";
import { inBatches } from "./batches.ts";
import { addReplay } from "./replay.ts";
import type { StartingModel } from "./starting_model.ts";
import { framesHash, type TrainingFrames } from "./training_frames.ts";
import { type OrderFile, placesInOrder } from "./training_order.ts";

/** Kernels address no more. */
const MOST_BYTES = 2 ** 32;

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
  readonly e0s: AtomicEnergyTable;
  /** What the model said before the first step: energies of the training frames by their ids, eV, and all of the
   * validation frames. */
  readonly energies: ReadonlyMap<string, number>;
  readonly before: readonly Prediction[];
  /** How the kernels of the CPU multiply and add; null on other backends. */
  build: Build | null;
  /** Labels that looked wrong after the first epoch. */
  suspects: readonly Suspect[];
}

/** Makes a training ready: everything but the steps: energies of atoms, frames to replay, trainer. */
export async function prepareTraining(
  command: TrainCommand,
  read: TrainingFrames,
  start: StartingModel,
  order: OrderFile | null,
  backend: Backend,
  console: Console,
): Promise<Training> {
  const moving = movingTensors(start.model, command.train);
  const predict = predictor(backend, start.head);
  const own = await chooseAtomicEnergies(command, read, start, predict, console);
  const { model: first, e0s, energies } = own;
  const frames = await addReplay(command, read, first, start, backend, predict, console);
  const ids = frames.train.map(({ frame }) => frame.id);
  if (ids.length < command.batch) {
    throw new RequestError(
      `Cannot make steps of ${command.batch} frames from ${ids.length}: use a smaller --batch`,
    );
  }
  const epochs = order && placesInOrder(command.order!, order, ids);
  const keys = frames.train.map(({ key }) => key);
  const options = { ...fitOptions(command), moving };
  const trainer = await backend.openTrainer(first, [...first.elements], start.head);
  tellTraining(console, frames, options, moving, first);
  tellMemory(frames, command.batch, trainer, console);
  return {
    ...{ command, frames, start, backend, options, e0s, energies },
    state: fitState(first, options),
    before: await predict(first, frames.valid),
    run: {
      ...{ train: frames.train, valid: frames.valid, trainer, predict },
      order: (epoch) =>
        epochs ? epochs[(epoch - 1) % epochs.length] : shuffledOrder(keys, command.seed, epoch),
    },
    course: courseOf(command, frames, start, epochs, backend),
    build: null,
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

export function interrupted(): InterruptedError {
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
      (dropped > 0 ? `, ${dropped} left out of each epoch in turn` : ""),
  );
  console.say(`Parameters: ${moved} of ${count(tensors)} move`);
  console.say(
    `Loss: ${kind}, energy ${energyWeight}, forces ${forcesWeight}, stress ${stressWeight}`,
  );
}

/** Says what the largest step will need.
 * @throws {RequestError} if it is more than there can be */
function tellMemory(
  { train }: TrainingFrames,
  batch: number,
  trainer: Trainer,
  console: Console,
): void {
  const largest = train.map(({ frame }) => frame)
    .toSorted((a, b) => b.species.length - a.species.length).slice(0, batch);
  const bytes = trainer.forecast(largest);
  if (bytes === null) return;
  const size = `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const atoms = largest[0].species.length;
  if (bytes > MOST_BYTES) {
    throw new RequestError(
      `Cannot make steps of ${batch} frames of up to ${atoms} atoms: they need ${size}, more than 4 GiB; ` +
        "use a smaller --batch, or fewer --threads",
    );
  }
  console.say(`Memory: ${size} for the largest step, ${batch} frames of up to ${atoms} atoms`);
}

/** What decides where the steps lead; how long it is trained and with how many threads does not. */
function courseOf(
  command: TrainCommand,
  frames: TrainingFrames,
  start: StartingModel,
  epochs: readonly (readonly number[])[] | null,
  { name }: Backend,
): Course {
  const others = new Set(
    ("inputs model valid order replay keys where skipBad groupBy output force json quiet threads epochs patience " +
      "strict species backend allowSoftware").split(" "),
  );
  const text = (value: unknown) =>
    JSON.stringify(value, (_, x) => x instanceof Map ? [...x] : typeof x === "bigint" ? `${x}` : x);
  return {
    frames: framesHash(frames),
    model: start.sha256,
    backend: name,
    order: epochs ? createHash("sha256").update(String(epochs)).digest("hex") : "shuffled",
    ...Object.fromEntries(
      Object.entries(command).filter(([key]) => !others.has(key))
        .map(([key, value]) => [key, text(value)]),
    ),
  };
}
