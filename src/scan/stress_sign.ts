import { Matrix as MlMatrix, solve } from "ml-matrix";
import { GPA } from "../units.ts";
import type { FrameFacts, Problem } from "./facts.ts";

/** Volumes have to differ by this share, root mean square, for a slope. */
const SPREAD = 0.003;
const LEAST_FRAMES = 6;
/** The slopes have to be this many of their standard errors. */
const CERTAIN = 3;
/** Least correlation of labels and slopes, of either sign. */
const CORRELATED = 0.5;
/** A share of the fitted slope below which the sign is wrong. */
const WRONG_SIGN = -0.2;
/** A multiple of it beyond which the unit is. */
const TOO_LARGE = 30;
const UNITS: readonly (readonly [string, number])[] = [
  ["GPa", GPA],
  ["kbar", 10 * GPA],
  ["bar", 1e4 * GPA],
];

/**
 * Holds stress labels against energies: over frames of different volume dE/dV = tr σ / 3 in ASE's sign.
 * E(V) is fitted by a parabola, so that strained crystals about a minimum decide, too. Frames of one
 * volume differ in more than that, so sign and unit are called wrong only where the slopes of the fit
 * are certain.
 */
export function stressSign(facts: readonly FrameFacts[]): Problem[] {
  return [...Map.groupBy(facts, ({ formula }) => formula).values()].flatMap((all) => {
    const frames = all.filter(({ energy, volume, pressure }) =>
      [energy, volume, pressure].every(Number.isFinite)
    );
    const fit = fitSlopes(frames.map(({ volume, energy }) => [volume, energy]));
    if (!fit) return [];
    const labels = frames.map(({ pressure }) => -pressure / GPA);
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, x, i) => sum + x * b[i], 0);
    const along = dot(fit, labels);
    const ratio = along / dot(fit, fit);
    // Labels that have nothing to do with the fit say nothing about its sign.
    if (Math.abs(along) < CORRELATED * Math.sqrt(dot(fit, fit) * dot(labels, labels))) return [];
    const { key, kind } = (frames[0].stress ?? frames[0].virial)!;
    const problem = (text: string): Problem => ({
      kind: "stress sign",
      frame: frames[0].file,
      text: `${key}: ${text} (E(V) of ${frames.length} frames of ${frames[0].formula})`,
    });
    const size = Math.abs(ratio);
    const unit = UNITS.find(([, factor]) => size > 0.5 * factor && size < 2 * factor);
    const large = `about ${Number(size.toPrecision(2))} times too large for eV/Å³; ` +
      `it looks like ${unit ? unit[0] : "another unit"}`;
    // Matter that is stable pulls more as it expands: only labels that fall with the volume are turned.
    // Over temperatures E(V) says nothing about stress.
    if (ratio < WRONG_SIGN && covariance(frames.map(({ volume }) => volume), labels) < 0) {
      const other = kind === "stress" ? "pressure-like" : "stress-like";
      const also = size > TOO_LARGE ? `, and it is ${large}` : "";
      return [problem(`its sign contradicts the energies; it looks ${other}${also}`)];
    }
    return ratio > TOO_LARGE ? [problem(large)] : [];
  });
}

function covariance(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return mean(x.map((v, i) => (v - mx) * (y[i] - my)));
}

/**
 * Slopes at every point of the least-squares parabola through (V, E); null where they are not certain.
 */
function fitSlopes(points: readonly (readonly [number, number])[]) {
  const n = points.length;
  if (n < LEAST_FRAMES) return null;
  const mean = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k] / n, 0));
  const width = Math.sqrt(points.reduce((sum, [v]) => sum + (v - mean[0]) ** 2 / n, 0));
  if (!(width > SPREAD * mean[0])) return null;
  // In units of the spread, so that the normal equations are well conditioned.
  const x = points.map(([v]) => (v - mean[0]) / width);
  const design = new MlMatrix(x.map((u) => [1, u, u * u]));
  const energy = MlMatrix.columnVector(points.map(([, e]) => e - mean[1]));
  const normal = design.transpose().mmul(design);
  const coefficients = solve(normal, design.transpose().mmul(energy));
  const [b, c] = [coefficients.get(1, 0), coefficients.get(2, 0)];
  const residual = MlMatrix.sub(energy, design.mmul(coefficients)).norm();
  const covariance = solve(normal, MlMatrix.eye(3)).mul(residual ** 2 / Math.max(n - 3, 1));
  const slopes = x.map((u) => (b + 2 * c * u) / width);
  const variances = x.map((u) =>
    (covariance.get(1, 1) + 4 * u * covariance.get(1, 2) + 4 * u * u * covariance.get(2, 2)) /
    width ** 2
  );
  const signal = slopes.reduce((sum, s) => sum + s * s, 0);
  const noise = variances.reduce((sum, v) => sum + v, 0);
  return signal >= CERTAIN ** 2 * noise ? slopes : null;
}
