import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Backend } from "../../backend.ts";
import {
  type FineTuning,
  type KeyedFrame,
  openFineTuning,
  type TrainedErrors,
} from "../../compare/fine_tuning.ts";
import { chooseBuild } from "../../cpu/build.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import { distinctElements } from "../../frame.ts";
import type { FrameKey } from "../../select/frame_key.ts";
import type { FitOptions, StepNews } from "../../train/fit.ts";
import { movingTensors } from "../../train/weights.ts";
import { isInterrupted } from "../interrupt.ts";
import type { Console } from "../output/output.ts";
import { type Course, holdsRestart, readRestart, writeRestart } from "../output/restart_folder.ts";
import type { CompareCommand, FineTuningOptions } from "../syntax/options.ts";
import { VERSION } from "../syntax/version.ts";
import { openStartingModel } from "./starting_model.ts";
import { framesHash } from "./training_frames.ts";

/** `cpd compare --train`. */
export type TuningCommand = CompareCommand & { readonly tuning: FineTuningOptions };

const FORMAT = "cpd-compare-restart";
/** Steps that are timed before it starts, after one that is not. */
const TIMED = 2;

/** Loss, clipping and decay are those of `cpd train`; epochs and learning rate are those of a short fine-tuning. */
function fitOptions(tuning: FineTuningOptions, moving: ReadonlySet<string>): FitOptions {
  const { epochs, batch, learningRate } = tuning;
  return {
    ...{ epochs, batch, learningRate, moving, kind: "weighted" as const },
    ...{ energyWeight: 10000, forcesWeight: 550, stressWeight: 0, delta: 0.01 },
    ...{ clip: 10, weightDecay: 5e-7, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...{ ema: null, patience: null, plateau: { factor: 1, patience: 0 } },
  };
}

/** What comes to be trained, for the forecast of the time. */
export interface Workload {
  /** Trainings of so many frames each. */
  readonly sizes: readonly number[];
  /** Frames that are held out, in each. */
  readonly nTest: number;
}

/**
 * Opens the fine-tuning of a comparison; says how long it will take. What was trained before by the same command is
 * taken from where it was kept.
 */
export async function openJudge(
  command: TuningCommand,
  frames: ReadonlyMap<FrameKey, KeyedFrame>,
  workload: Workload,
  backend: Backend,
  console: Console,
): Promise<FineTuning> {
  const all = [...frames.values()];
  const elements = distinctElements(all.flatMap(({ frame }) => [...frame.species]));
  const { tuning, output } = command;
  if (command.sizes[0] < tuning.batch) {
    throw new RequestError(
      `Cannot fine-tune on ${
        command.sizes[0]
      } frames in steps of ${tuning.batch}: use a smaller --batch`,
    );
  }
  const start = openStartingModel(
    { model: tuning.model, head: tuning.head, elements: "seen" },
    elements,
  );
  const options = fitOptions(tuning, movingTensors(start.model, ["all"]));
  const onStep = ({ loss }: StepNews) => {
    if (isInterrupted()) throw new InterruptedError("Interrupted; the same command goes on");
    if (Number.isFinite(loss)) return;
    throw new RequestError(
      "Cannot go on: the loss of a fine-tuning is not a number; use a smaller --learning-rate",
    );
  };
  await tellTime({ backend, start, options, frames: all, workload }, console);
  const judge = await openFineTuning(backend, start, frames, options, onStep);
  const course = courseOf(command, options, all, start.sha256, backend);
  return kept(judge, output, course, backend);
}

interface Timed {
  readonly backend: Backend;
  readonly start: ReturnType<typeof openStartingModel>;
  readonly options: FitOptions;
  readonly frames: readonly KeyedFrame[];
  readonly workload: Workload;
}

/** Measures a step and a prediction of the largest frames, and says what all of them come to. */
async function tellTime(
  { backend, start: { model, head }, options, frames, workload: { sizes, nTest } }: Timed,
  console: Console,
): Promise<void> {
  const largest = frames.toSorted((a, b) => b.frame.species.length - a.frame.species.length)
    .slice(0, options.batch);
  const trainer = await backend.openTrainer(model, [...model.elements], head);
  const seconds = async (work: () => Promise<unknown>) => {
    await work();
    const begin = performance.now();
    for (let i = 0; i < TIMED; i++) await work();
    return (performance.now() - begin) / 1000 / TIMED;
  };
  const step = await seconds(() => trainer.gradient(model, largest, options));
  await trainer.close();
  const potential = await backend.openPotential(model, [...model.elements], head);
  const predict = await seconds(() => potential.predict(largest.map(({ frame }) => frame))) /
    largest.length;
  await potential.close();
  const steps = sizes.reduce((sum, n) => sum + options.epochs * Math.floor(n / options.batch), 0);
  const total = steps * step + sizes.length * nTest * predict;
  const time = total > 5400 ? `${(total / 3600).toFixed(1)} h` : `${Math.ceil(total / 60)} min`;
  console.say(
    `Fine-tuning: ${sizes.length} trainings of ${options.epochs} epochs, ${steps} steps of ` +
      `${options.batch} frames, ${(1000 * step).toFixed(0)} ms each: ${time} or less`,
  );
}

/** Keeps what is trained beside the results to come, so that the same command need not do it again. */
function kept(judge: FineTuning, output: string, course: Course, { name }: Backend): FineTuning {
  const arrays = holdsRestart(output) ? readRestart(output, FORMAT, course).arrays : new Map();
  const build = name === "cpu" ? chooseBuild() : null;
  const remembered = async (
    what: readonly unknown[],
    find: () => Promise<TrainedErrors>,
  ): Promise<TrainedErrors> => {
    const key = createHash("sha256").update(JSON.stringify(what)).digest("hex");
    const known = arrays.get(key);
    if (known) return { energy: known[0], forces: known[1] };
    const found = await find();
    arrays.set(key, Float64Array.of(found.energy, found.forces));
    writeRestart(output, FORMAT, { arrays, course, build, metadata: {} });
    return found;
  };
  const places = (keys: readonly FrameKey[]) => keys.map(({ fileKey, index }) => [fileKey, index]);
  return {
    ...judge,
    untrained: (train, test) =>
      remembered([places(train), places(test)], () => judge.untrained(train, test)),
    trained: (train, test, seed) =>
      remembered(
        [places(train), places(test), String(seed)],
        () => judge.trained(train, test, seed),
      ),
  };
}

/** What decides the errors of a training of given frames. */
function courseOf(
  { tuning: { head } }: TuningCommand,
  { moving: _all, ...options }: FitOptions,
  frames: readonly KeyedFrame[],
  model: string,
  { name }: Backend,
): Course {
  const train = frames.map((own) => ({ ...own, replayed: false, converged: true }));
  return {
    frames: framesHash({ train, valid: [] }),
    ...{ program: VERSION, model, backend: name, head: String(head) },
    ...Object.fromEntries(Object.entries(options).map(([key, x]) => [key, JSON.stringify(x)])),
  };
}
