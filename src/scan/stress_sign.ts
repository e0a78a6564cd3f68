import { GPA } from "../units.ts";
import type { FrameFacts, Problem } from "./examine_frame.ts";

/** Volumes have to differ by this share for a slope. */
const SPREAD = 0.02;
const LEAST_FRAMES = 5;
/** The slope has to be this many of its standard errors. */
const CERTAIN = 3;

/**
 * Holds stress labels against energies: over frames of different volume dE/dV = tr σ / 3 in ASE's sign.
 * The slope of a straight line is only as good as the frames are alike, so that a sign is called wrong,
 * or a unit unlikely, where slope and labels differ beyond doubt.
 */
export function stressSign(facts: readonly FrameFacts[]): Problem[] {
  return [...Map.groupBy(facts, ({ formula }) => formula).values()].flatMap((all) => {
    const frames = all.filter(({ energy, volume, pressure }) =>
      [energy, volume, pressure].every(Number.isFinite)
    );
    const line = slope(frames.map(({ volume, energy }) => [volume, energy]));
    if (!line || Math.abs(line.slope) < CERTAIN * line.error) return [];
    const labelled = frames.reduce((sum, { pressure }) => sum - pressure / GPA, 0) / frames.length;
    const ratio = labelled / line.slope;
    const { key, kind } = frames[0].stress!;
    const numbers = `dE/dV is ${line.slope.toPrecision(3)} eV/Å³, ` +
      `the labels say ${labelled.toPrecision(3)}`;
    const problem = (text: string): Problem => ({
      kind: "stress sign",
      frame: frames[0].file,
      text: `${key}: ${text} (${numbers})`,
    });
    if (ratio < -0.2) {
      const other = kind === "stress" ? "pressure-like" : "stress-like";
      return [problem(`its sign contradicts the energies; it looks ${other}`)];
    }
    if (ratio > 50) return [problem("it is far too large for eV/Å³; it looks like GPa or kbar")];
    return [];
  });
}

/** Least-squares slope and its standard error; null where there is nothing to fit. */
function slope(points: readonly (readonly [number, number])[]) {
  const n = points.length;
  if (n < LEAST_FRAMES) return null;
  const mean = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k] / n, 0));
  let [xx, xy, yy] = [0, 0, 0];
  for (const [x, y] of points) {
    xx += (x - mean[0]) ** 2;
    xy += (x - mean[0]) * (y - mean[1]);
    yy += (y - mean[1]) ** 2;
  }
  if (Math.sqrt(xx / n) < SPREAD * mean[0]) return null;
  const value = xy / xx;
  return { slope: value, error: Math.sqrt(Math.max(yy - value * xy, 0) / (n - 2) / xx) };
}
