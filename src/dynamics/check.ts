import { cellVolume, chemicalSymbol, distinctElements, type Frame } from "../frame.ts";
import { BOLTZMANN, GPA } from "../units.ts";
import { slope } from "../line.ts";
import { kineticLaw, ksTest } from "./canonical.ts";
import { degreesOfFreedom, kineticEnergy } from "./kinetic.ts";
import { observe } from "./observables.ts";
import { frameOf, type Motion, type Predict, type Replica, stepTogether } from "./replica.ts";

/** One property that dynamics must have. */
export interface Check {
  readonly name: string;
  /** What was measured, in words with units. */
  readonly found: string;
  /** What it has to be. */
  readonly bar: string;
  readonly passed: boolean;
}

/** How the checks are made. */
export interface CheckOptions {
  /** fs. */
  readonly dt: number;
  /** K. */
  readonly temperature: number;
  /** Relaxation time of the thermostat, fs. */
  readonly tau: number;
  /** Of each of the two runs. */
  readonly steps: number;
  readonly seed: bigint;
}

/** Energy of the start and of every step, eV. */
interface Energies {
  readonly total: number[];
  readonly kinetic: number[];
}

/** Few, so that both steps go the same way. */
const SCALING_STEPS = 50;
const REVERSED_STEPS = 100;
/** Å, of 100 steps there and back; single precision of forces alone gives some 1e-5. */
const REVERSIBLE = 1e-3;
/** meV/atom/ps, and the drift of a whole run in standard deviations of the kinetic energy. */
const [MOST_DRIFT, MOST_RELATIVE_DRIFT] = [1, 1];
/** Samples of the kinetic energy are so many relaxation times apart. */
const INDEPENDENT = 6;
const FEWEST_SAMPLES = 20;
const LEAST_PROBABILITY = 0.01;
const STRAIN = 1e-3;

/** A copy that moves by itself. */
function copyOf({ state, prediction, stream }: Replica): Replica {
  const { positions, velocities } = state;
  return {
    ...{ prediction, stream, heat: 0 },
    state: { ...state, positions: positions.slice(), velocities: velocities.slice(), step: 0 },
  };
}

async function moved(
  replica: Replica,
  motion: Motion,
  steps: number,
  predict: Predict,
  seen?: (replica: Replica) => void,
): Promise<Energies> {
  const energies: Energies = { total: [], kinetic: [] };
  const note = () => {
    const { total, kinetic } = observe(replica, motion.dt);
    energies.total.push(total);
    energies.kinetic.push(kinetic);
    seen?.(replica);
  };
  note();
  for (let step = 0; step < steps; step++) {
    await stepTogether([replica], motion, predict);
    note();
  }
  return energies;
}

/** Drift of the energy without a thermostat. */
export async function driftChecks(
  start: Replica,
  { dt, steps, seed }: CheckOptions,
  predict: Predict,
): Promise<Check[]> {
  const motion: Motion = { dt, thermostat: null, seed };
  const { total, kinetic } = await moved(copyOf(start), motion, steps, predict);
  const perStep = slope([...total.keys()], total);
  const drift = 1e6 * perStep / dt / start.state.masses.length;
  const relative = Math.abs(perStep * steps) / deviation(kinetic);
  return [{
    name: "energy drift",
    found: `${drift.toPrecision(3)} meV/atom/ps`,
    bar: `below ${MOST_DRIFT}`,
    passed: Math.abs(drift) < MOST_DRIFT,
  }, {
    name: "drift over the run / deviation of the kinetic energy",
    found: relative.toPrecision(3),
    bar: `below ${MOST_RELATIVE_DRIFT}`,
    passed: relative < MOST_RELATIVE_DRIFT,
  }];
}

/** Whether half the step leaves a quarter of the fluctuation of the energy. */
export async function scalingCheck(
  start: Replica,
  { dt, seed }: CheckOptions,
  predict: Predict,
): Promise<Check> {
  const fluctuation = async (parts: number) => {
    const motion: Motion = { dt: dt / parts, thermostat: null, seed };
    const { total } = await moved(copyOf(start), motion, parts * SCALING_STEPS, predict);
    return deviation(total);
  };
  const ratio = await fluctuation(1) / await fluctuation(2);
  return {
    name: "fluctuation of the energy over that of half the step",
    found: ratio.toPrecision(4),
    bar: "3.5 to 4.5",
    passed: ratio > 3.5 && ratio < 4.5,
  };
}

/** Whether atoms come back when their velocities are turned round. */
export async function reversibilityCheck(
  start: Replica,
  { dt, seed }: CheckOptions,
  predict: Predict,
): Promise<Check> {
  const replica = copyOf(start);
  const motion: Motion = { dt, thermostat: null, seed };
  const turn = () => replica.state.velocities.forEach((v, i, all) => all[i] = -v);
  await moved(replica, motion, REVERSED_STEPS, predict);
  turn();
  await moved(replica, motion, REVERSED_STEPS, predict);
  const off = start.state.positions.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - replica.state.positions[i])),
    0,
  );
  return {
    name: `${REVERSED_STEPS} steps there and back`,
    found: `${off.toExponential(1)} Å off`,
    bar: `below ${REVERSIBLE} Å`,
    passed: off < REVERSIBLE,
  };
}

/** Whether kinetic energies under the thermostat are canonical, in total, per axis and per element. */
export async function canonicalChecks(
  start: Replica,
  { dt, temperature, tau, steps, seed }: CheckOptions,
  predict: Predict,
): Promise<Check[]> {
  const motion: Motion = { dt, thermostat: { temperature, tau }, seed };
  const { state } = start;
  const parts = partsOf(start);
  const sums = parts.map(() => [] as number[]);
  const { kinetic } = await moved(
    copyOf(start),
    motion,
    steps,
    predict,
    (replica) => parts.forEach(({ of }, p) => sums[p].push(of(replica.state))),
  );
  const every = Math.max(1, Math.ceil(INDEPENDENT * tau / dt));
  const equilibrated = <T>(values: readonly T[]) =>
    values.filter((_, i) => i > 0 && i % every === 0);
  const sample = equilibrated(kinetic);
  if (sample.length < FEWEST_SAMPLES) {
    return [{
      name: "canonical kinetic energies",
      found: `${sample.length} independent samples`,
      bar: `${FEWEST_SAMPLES}: more --steps, or a smaller --tau`,
      passed: false,
    }];
  }
  const degrees = degreesOfFreedom(state.masses.length);
  const p = ksTest(sample, (x) => kineticLaw(x, degrees, temperature));
  const half = BOLTZMANN * temperature / 2;
  return [
    {
      name: `canonical kinetic energies, ${sample.length} samples`,
      found: `p ${p.toPrecision(3)}`,
      bar: `above ${LEAST_PROBABILITY}`,
      passed: p > LEAST_PROBABILITY,
    },
    ...parts.map(({ name, degrees: own }, k): Check => {
      const values = equilibrated(sums[k]);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const error = deviation(values) / Math.sqrt(values.length - 1);
      const off = (mean - own * half) / error;
      return {
        name: `equipartition, ${name}`,
        found: `${(mean / (own * half)).toFixed(4)} of ½ k T, ${off.toFixed(1)} errors off`,
        bar: "within 3.5 errors",
        passed: Math.abs(off) < 3.5,
      };
    }),
  ];
}

/** Parts of the kinetic energy, eV, and their degrees of freedom. */
function partsOf({ state: { species, masses } }: Replica) {
  const nAtoms = species.length;
  const total = masses.reduce((sum, m) => sum + m, 0);
  const partial = (keep: (atom: number, axis: number) => boolean) => (moving: Replica["state"]) =>
    kineticEnergy({
      masses,
      velocities: moving.velocities.map((v, i) => keep(Math.floor(i / 3), i % 3) ? v : 0),
    });
  const elements = distinctElements(species);
  return [
    ...["x", "y", "z"].map((name, axis) => ({
      ...{ name, degrees: nAtoms - 1 },
      of: partial((_, k) => k === axis),
    })),
    ...(elements.length > 1 ? elements : []).map((z) => ({
      name: chemicalSymbol(z),
      // The centre of mass takes of each atom its share of the mass.
      degrees: species.reduce(
        (sum, own, n) => own === z ? sum + 3 * (1 - masses[n] / total) : sum,
        0,
      ),
      of: partial((n) => species[n] === z),
    })),
  ];
}

/** Whether the pressure is -dE/dV, by energies of the cell a little larger and smaller. */
export async function virialCheck(
  { state, prediction }: Replica,
  predict: Predict,
): Promise<Check> {
  const at = (factor: number): Frame => {
    const frame = frameOf(state, "strained");
    const cell = frame.cell.map((x) => factor * x);
    return { ...frame, cell, positions: frame.positions.map((x) => factor * x) };
  };
  const [larger, smaller] = await predict([at(1 + STRAIN), at(1 - STRAIN)]);
  const volume = cellVolume(state.cell);
  const dv = volume * ((1 + STRAIN) ** 3 - (1 - STRAIN) ** 3);
  const difference = -(larger.energy - smaller.energy) / dv * GPA;
  const [xx, , , , yy, , , , zz] = prediction.virial;
  const own = (xx + yy + zz) / (3 * volume) * GPA;
  const bar = 0.01 * Math.abs(own) + 0.1;
  return {
    name: "static pressure against -dE/dV",
    found: `${own.toFixed(3)} against ${difference.toFixed(3)} GPa`,
    bar: `within ${bar.toPrecision(2)} GPa`,
    passed: Math.abs(own - difference) < bar,
  };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}
