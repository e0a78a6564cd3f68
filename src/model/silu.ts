/** silu(x) = x / (1 + exp(-x)). */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** Derivative of silu. */
export function siluSlope(x: number): number {
  const s = 1 / (1 + Math.exp(-x));
  return s * (1 + x * (1 - s));
}

/** Second derivative of silu. */
export function siluCurvature(x: number): number {
  const s = 1 / (1 + Math.exp(-x));
  return s * (1 - s) * (2 + x * (1 - 2 * s));
}
