import type { Frame } from "../frame.ts";
import type { Prediction } from "../model/prediction.ts";
import { drawsOf } from "./draws.ts";
import type { DynamicsState } from "./state.ts";
import { rescaleVelocities, type Thermostat } from "./velocity_rescaling.ts";
import { verletStep } from "./verlet.ts";

/** One of the systems that move side by side. */
export interface Replica {
  readonly state: DynamicsState;
  /** Where the state is. */
  prediction: Prediction;
  /** Heat from the thermostat since the start, eV: K + U minus it is conserved. */
  heat: number;
  /** Of its random numbers. */
  readonly stream: bigint;
}

/** How replicas move. */
export interface Motion {
  /** fs. */
  readonly dt: number;
  /** Null in the microcanonical ensemble. */
  readonly thermostat: Thermostat | null;
  readonly seed: bigint;
}

/** Predicts for many frames at once. */
export type Predict = (frames: readonly Frame[]) => Promise<Prediction[]>;

/** One step of all replicas; their forces are asked for together. */
export async function stepTogether(
  replicas: readonly Replica[],
  { dt, thermostat, seed }: Motion,
  predict: Predict,
): Promise<void> {
  const forcesAt = together(replicas.length, predict);
  await Promise.all(replicas.map(async (replica) => {
    const { state, stream } = replica;
    replica.prediction = await verletStep(state, replica.prediction, dt, forcesAt);
    if (!thermostat) return;
    replica.heat += rescaleVelocities(state, thermostat, dt, drawsOf(seed, stream, state.step));
  }));
}

/** Answers when n have asked. */
function together(n: number, predict: Predict): (state: DynamicsState) => Promise<Prediction> {
  const frames: Frame[] = [];
  let answer: (predictions: Promise<Prediction[]>) => void;
  const all = new Promise<Prediction[]>((resolve) => answer = resolve);
  return async (state) => {
    const place = frames.push(frameOf(state, `step ${state.step + 1}`)) - 1;
    if (frames.length === n) answer(predict(frames));
    return (await all)[place];
  };
}

/** The atoms as a frame. */
export function frameOf({ species, positions, cell, pbc }: DynamicsState, id: string): Frame {
  return {
    ...{ id, file: id, index: 0, line: 0, species, positions: positions.slice(), cell, pbc },
    info: new Map(),
  };
}
