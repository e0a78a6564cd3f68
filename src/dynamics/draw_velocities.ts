import type { Draws } from "./draws.ts";
import { restCentreOfMass, temperatureOf } from "./kinetic.ts";
import type { DynamicsState } from "./state.ts";
import { ACCELERATION, BOLTZMANN } from "../units.ts";

/** Velocities of Maxwell and Boltzmann, in place; the centre of mass rests, and the temperature, K, is exact. */
export function drawVelocities(
  state: Pick<DynamicsState, "masses" | "velocities">,
  temperature: number,
  draws: Draws,
): void {
  const { masses, velocities } = state;
  for (let n = 0; n < masses.length; n++) {
    const width = Math.sqrt(BOLTZMANN * temperature * ACCELERATION / masses[n]);
    for (let i = 3 * n; i < 3 * n + 3; i++) velocities[i] = width * draws.gaussian();
  }
  restCentreOfMass(masses, velocities);
  const scale = Math.sqrt(temperature / temperatureOf(state));
  for (let i = 0; i < velocities.length; i++) velocities[i] *= scale;
}
