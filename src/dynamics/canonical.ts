import { BOLTZMANN } from "../units.ts";

/**
 * Distribution function of the kinetic energy of n degrees of freedom at a temperature: a gamma law of n / 2.
 *
 * @param kinetic eV
 * @param temperature K
 */
export function kineticLaw(kinetic: number, degrees: number, temperature: number): number {
  return gammaLaw(degrees / 2, kinetic / (BOLTZMANN * temperature));
}

/** Regularised incomplete gamma function P(a, x) by its series. */
export function gammaLaw(a: number, x: number): number {
  if (x <= 0) return 0;
  let [logTerm, sum] = [a * Math.log(x) - x - logGamma(a + 1), 0];
  for (let n = 1; n <= x || logTerm > -45; n++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(x / (a + n));
  }
  return Math.min(1, sum);
}

/** Stirling's series after a shift. */
function logGamma(x: number): number {
  let shift = 0;
  for (; x < 40; x++) shift -= Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

/**
 * Probability that independent numbers of a law are as far from it as these, or further (Kolmogorov and Smirnov, with
 * Stephens' correction for few of them).
 *
 * @param law distribution function
 */
export function ksTest(sample: readonly number[], law: (x: number) => number): number {
  const n = sample.length;
  const distance = sample.toSorted((a, b) => a - b).reduce((most, x, i) => {
    const p = law(x);
    return Math.max(most, p - i / n, (i + 1) / n - p);
  }, 0);
  const z = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance;
  let p = 0;
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * z * z);
  return Math.min(1, Math.max(0, p));
}
