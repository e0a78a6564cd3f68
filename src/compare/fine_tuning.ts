import type { Backend } from "../backend.ts";
import type { MaceModel } from "../model/mace_model.ts";
import type { FrameKey } from "../select/frame_key.ts";
import { atomicEnergies } from "../train/atomic_energies.ts";
import { rmseOf } from "../train/errors.ts";
import { fitAll, type FitOptions, fitState, type StepNews } from "../train/fit.ts";
import { shuffledOrder } from "../train/order.ts";
import type { LabelledFrame } from "../train/trainer.ts";
import { copyModel } from "../train/weights.ts";

/** Errors on the held-out frames: energies eV/atom, forces eV/Å; roots of mean squares. */
export interface TrainedErrors {
  readonly energy: number;
  readonly forces: number;
}

/** What frames are worth to a model that learns from them. */
export interface FineTuning {
  /** Of the model as it is, but for the energies of isolated atoms, which are fitted to `train`. */
  untrained(train: readonly FrameKey[], test: readonly FrameKey[]): Promise<TrainedErrors>;
  /** Of the model trained on `train`; `test` decides nothing. */
  trained(
    train: readonly FrameKey[],
    test: readonly FrameKey[],
    seed: bigint,
  ): Promise<TrainedErrors>;
  close(): Promise<void>;
}

/** A labelled frame and the hash of its atoms, on which the order of the steps depends. */
export interface KeyedFrame extends LabelledFrame {
  readonly key: string;
}

/** The model to start from. */
export interface Start {
  readonly model: MaceModel;
  readonly head: number;
}

/**
 * Trains one model on many selections, each for the same number of epochs: the last model is judged.
 *
 * @param frames what each row stands for
 * @param onStep hears of every step; may throw to stop
 */
export async function openFineTuning(
  backend: Backend,
  { model, head }: Start,
  frames: ReadonlyMap<FrameKey, KeyedFrame>,
  options: FitOptions,
  onStep: (step: StepNews) => void,
): Promise<FineTuning> {
  const elements = [...model.elements];
  const predict = async (own: MaceModel, labelled: readonly LabelledFrame[]) => {
    const potential = await backend.openPotential(own, elements, head);
    try {
      return await potential.predict(labelled.map(({ frame }) => frame));
    } finally {
      await potential.close();
    }
  };
  const labelledOf = (keys: readonly FrameKey[]) => keys.map((key) => frames.get(key)!);
  const all = [...frames.values()];
  const said = await predict(model, all);
  const before = new Map(all.map((labelled, i) => [labelled, said[i].energy]));
  const judge = async (own: MaceModel, test: readonly FrameKey[]): Promise<TrainedErrors> => {
    const held = labelledOf(test);
    const { energy, forces } = rmseOf(held, await predict(own, held));
    return { energy, forces };
  };
  const trainer = await backend.openTrainer(model, elements, head);
  return {
    untrained: (train, test) => judge(fitted({ model, head }, labelledOf(train), before), test),
    async trained(train, test, seed) {
      const own = labelledOf(train);
      const state = fitState(fitted({ model, head }, own, before), options);
      const keys = own.map(({ key }) => key);
      const order = (epoch: number) => shuffledOrder(keys, seed, epoch);
      await fitAll(state, options, { train: own, trainer, order, onStep });
      return await judge(state.model, test);
    },
    close: () => trainer.close(),
  };
}

/**
 * A copy of the model whose energies of isolated atoms are those that fit its errors on the frames best.
 *
 * @param before energies of frames by the model, eV
 */
function fitted(
  { model, head }: Start,
  train: readonly LabelledFrame[],
  before: ReadonlyMap<LabelledFrame, number>,
): MaceModel {
  const n = model.elements.length;
  const current = model.atomicEnergies.slice(head * n, (head + 1) * n);
  const predicted = train.map((labelled) => before.get(labelled)!);
  const { energies } = atomicEnergies(
    ...["estimated", model.elements, current, train, predicted, new Map()] as const,
  );
  const atomic = model.atomicEnergies.slice();
  atomic.set(energies, head * n);
  return { ...copyModel(model), atomicEnergies: atomic };
}
