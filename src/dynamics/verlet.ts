import type { DynamicsState } from "./state.ts";
import { ACCELERATION } from "../units.ts";

/**
 * One step of velocity Verlet (Swope et al. 1982): v += F dt / 2m, x += v dt, F(x), v += F dt / 2m.
 *
 * @param forces at the positions, shape (n_atoms, 3), eV/Å
 * @param dt fs
 * @param forcesAt evaluates them where the atoms have moved
 * @returns forces at the new positions
 */
export async function verletStep<F extends { readonly forces: Float64Array }>(
  state: DynamicsState,
  { forces }: F,
  dt: number,
  forcesAt: (state: DynamicsState) => Promise<F>,
): Promise<F> {
  kick(state, forces, dt / 2);
  const { positions, velocities } = state;
  for (let i = 0; i < positions.length; i++) positions[i] += velocities[i] * dt;
  const next = await forcesAt(state);
  kick(state, next.forces, dt / 2);
  state.step++;
  return next;
}

/** v += F dt / m. */
function kick({ velocities, masses }: DynamicsState, forces: Float64Array, dt: number): void {
  for (let n = 0; n < masses.length; n++) {
    const factor = dt * ACCELERATION / masses[n];
    for (let i = 3 * n; i < 3 * n + 3; i++) velocities[i] += factor * forces[i];
  }
}
