/** Polynomial cutoff of power p, 1 at r = 0 and 0 from r = rMax on (Gasteiger et al. 2020, eq. 8). */
export function polynomialCutoff(r: number, rMax: number, p: number): number {
  if (r >= rMax) return 0;
  const x = r / rMax;
  return 1 - (p + 1) * (p + 2) / 2 * x ** p + p * (p + 2) * x ** (p + 1) -
    p * (p + 1) / 2 * x ** (p + 2);
}

/** Derivative of `polynomialCutoff` with respect to r, 1/Å. */
export function polynomialCutoffSlope(r: number, rMax: number, p: number): number {
  if (r >= rMax) return 0;
  const x = r / rMax;
  return p * (p + 1) * (p + 2) / 2 / rMax * (-(x ** (p - 1)) + 2 * x ** p - x ** (p + 1));
}
