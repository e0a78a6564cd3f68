import { BOLTZMANN } from "../units.ts";
import type { Observables } from "./observables.ts";

/** Temperatures above so many times the wanted one, and above this, K, are an explosion. */
const TOO_HOT = 10;
const ALWAYS_COOL = 1000;
/** So much of the conserved energy may be lost or won in a step, eV/atom and in units of k_B T. */
const [LEAP, THERMAL_LEAP] = [0.05, 0.1];

/**
 * Why a step cannot be trusted, in words; null where it can.
 *
 * @param before the step before
 * @param wanted temperature of the thermostat or of the start, K
 */
export function insane(
  now: Observables,
  before: Observables,
  wanted: number,
  nAtoms: number,
): string | null {
  if (!Number.isFinite(now.conserved) || !Number.isFinite(now.temperature)) {
    return "its energy is not a number";
  }
  if (now.temperature > Math.max(TOO_HOT * wanted, ALWAYS_COOL)) {
    return `its temperature is ${now.temperature.toFixed(0)} K`;
  }
  const leap = (now.conserved - before.conserved) / nAtoms;
  if (Math.abs(leap) > Math.max(LEAP, THERMAL_LEAP * BOLTZMANN * wanted)) {
    return `the conserved energy leapt by ${leap.toPrecision(3)} eV/atom`;
  }
  return null;
}
