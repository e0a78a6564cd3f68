import type { Draws } from "./draws.ts";
import { degreesOfFreedom, kineticEnergy } from "./kinetic.ts";
import type { DynamicsState } from "./state.ts";
import { BOLTZMANN } from "../units.ts";

/** A canonical thermostat. */
export interface Thermostat {
  /** K. */
  readonly temperature: number;
  /** Relaxation time, fs; 0 gives a canonical kinetic energy in one step. */
  readonly tau: number;
}

/**
 * Stochastic velocity rescaling (Bussi, Donadio, Parrinello 2007, eq. A7): the kinetic energy after a time dt,
 * K' = c K + (1 - c) (S + R²) k_B T / 2 + 2 R √(c (1 - c) K k_B T / 2), with c = exp(-dt / τ).
 *
 * @param kinetic K, eV
 * @param r a normal number R
 * @param s a χ² number S of one degree less than those of freedom
 * @returns α² = K' / K, whose root the velocities are multiplied with
 */
export function rescalingFactor(
  kinetic: number,
  { temperature, tau }: Thermostat,
  dt: number,
  r: number,
  s: number,
): number {
  const c = tau === 0 ? 0 : Math.exp(-dt / tau);
  const half = 0.5 * BOLTZMANN * temperature;
  const fresh = (1 - c) * half * (s + r * r);
  const mixed = 2 * r * Math.sqrt(c * (1 - c) * kinetic * half);
  return (c * kinetic + fresh + mixed) / kinetic;
}

/** Rescales the velocities in place as after a time dt, fs.
 * @returns heat that the atoms took up, eV: it leaves K + U minus all of it conserved */
export function rescaleVelocities(
  state: Pick<DynamicsState, "masses" | "velocities">,
  thermostat: Thermostat,
  dt: number,
  draws: Draws,
): number {
  const kinetic = kineticEnergy(state);
  const r = draws.gaussian();
  const s = draws.chiSquared(degreesOfFreedom(state.masses.length) - 1);
  const factor = rescalingFactor(kinetic, thermostat, dt, r, s);
  const root = Math.sqrt(factor);
  for (let i = 0; i < state.velocities.length; i++) state.velocities[i] *= root;
  return (factor - 1) * kinetic;
}
