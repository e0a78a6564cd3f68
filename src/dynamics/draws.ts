import { uniformStream } from "../rng.ts";

/** Draws of one step of one run, each a function of seed, run and step alone. */
export interface Draws {
  /** Standard normal. */
  gaussian(): number;
  /** χ² of n degrees: the sum of n squared normal numbers. */
  chiSquared(n: number): number;
}

/** Numbers that a step may draw. */
const MOST = 2n ** 32n;

/** The draws of a step.
 * @param stream apart for each use, such as the start's velocities or the thermostat */
export function drawsOf(seed: bigint, stream: bigint, step: number): Draws {
  const uniform = uniformStream(seed, stream);
  let next = MOST * BigInt(step);
  const draw = () => uniform(next++);
  const gaussian = () => {
    const radius = Math.sqrt(-2 * Math.log(draw()));
    return radius * Math.cos(2 * Math.PI * draw());
  };
  return {
    gaussian,
    chiSquared(n) {
      // Twice a gamma number of n / 2; an odd n leaves one normal number over.
      const half = Math.floor(n / 2);
      const rest = n % 2 === 1 ? gaussian() ** 2 : 0;
      return rest + (half > 0 ? 2 * gamma(half, gaussian, draw) : 0);
    },
  };
}

/** A gamma number of shape k and scale 1, for k ≥ 1 (Marsaglia and Tsang 2000). */
function gamma(k: number, gaussian: () => number, uniform: () => number): number {
  const d = k - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = gaussian();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
