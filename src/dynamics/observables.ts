import { kineticEnergy, pressureTensor, temperatureOf } from "./kinetic.ts";
import type { Replica } from "./replica.ts";

/** What is told of a step. */
export interface Observables {
  readonly step: number;
  /** fs. */
  readonly time: number;
  /** K. */
  readonly temperature: number;
  /** eV. */
  readonly kinetic: number;
  readonly potential: number;
  readonly total: number;
  /** The total energy without the thermostat's heat. */
  readonly conserved: number;
  /** GPa, kinetic part included, shape (3, 3); NaN unless periodic in all directions. */
  readonly pressure: Float64Array;
}

/** @param dt fs */
export function observe({ state, prediction, heat }: Replica, dt: number): Observables {
  const kinetic = kineticEnergy(state);
  const total = kinetic + prediction.energy;
  const periodic = state.pbc.every((flag) => flag);
  return {
    step: state.step,
    time: Number((state.step * dt).toPrecision(15)),
    temperature: temperatureOf(state),
    kinetic,
    potential: prediction.energy,
    total,
    conserved: total - heat,
    pressure: periodic ? pressureTensor(state, prediction.virial) : new Float64Array(9).fill(NaN),
  };
}

/** Σ P_αα / 3. */
export function meanPressure({ pressure }: Observables): number {
  return (pressure[0] + pressure[4] + pressure[8]) / 3;
}
