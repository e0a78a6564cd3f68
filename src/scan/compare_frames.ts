import type { FrameFacts, Problem, ProblemKind } from "./examine_frame.ts";

/** Labels of the same geometry that differ by more contradict each other, eV/atom and eV/Å. */
const CONFLICT = { energy: 1e-5, force: 1e-4 };
/** Relative difference of every radial sum below which frames are nearly the same. */
const NEAR = 1e-4;
/** Frames with alike first sums that are compared with each other, at most. */
const WINDOW = 64;
/** Distance from the median in units of the median absolute deviation (as a standard deviation). */
const OUTLIER = 8;
const MAD_TO_DEVIATION = 1.4826;
/** Fewer frames have no outliers. */
const LEAST_FRAMES = 20;

/** Problems that only show among several frames. */
export function compareFrames(facts: readonly FrameFacts[]): Problem[] {
  return [
    ...duplicates(facts),
    ...nearDuplicates(facts),
    ...outliers(facts, "energy outlier", ({ energy }) => energy, "eV/atom"),
    ...outliers(facts, "force outlier", ({ maxForce }) => maxForce, "eV/Å"),
    ...outliers(facts, "pressure outlier", ({ pressure }) => pressure, "GPa"),
    ...missingLabels(facts),
    ...mixedEnergies(facts),
    ...atomOrders(facts),
  ];
}

function duplicates(facts: readonly FrameFacts[]): Problem[] {
  const first = new Map<string, FrameFacts>();
  return facts.flatMap((frame): Problem[] => {
    const same = first.get(frame.geometry);
    if (!same) first.set(frame.geometry, frame);
    if (!same) return [];
    const energy = Math.abs(frame.energy - same.energy);
    const force = Math.max(
      Math.abs(frame.rmsForce - same.rmsForce),
      Math.abs(frame.mixedForce - same.mixedForce),
    );
    const conflict = energy > CONFLICT.energy || force > CONFLICT.force;
    const text = conflict
      ? `same geometry as ${same.id}, ${
        energy > CONFLICT.energy
          ? `energies ${energy.toPrecision(2)} eV/atom apart`
          : `forces ${force.toPrecision(2)} eV/Å apart`
      }`
      : `same as ${same.id}`;
    return [{ kind: conflict ? "conflicting labels" : "duplicate", frame: frame.id, text }];
  });
}

/** Frames whose radial sums all agree with those of an earlier frame, but whose geometry is not the same. */
function nearDuplicates(facts: readonly FrameFacts[]): Problem[] {
  const known = facts.filter(({ fingerprint }) => fingerprint.length > 0);
  const sorted = known.map((frame, i) => ({ frame, i }))
    .sort((a, b) =>
      a.frame.formula < b.frame.formula
        ? -1
        : a.frame.formula > b.frame.formula
        ? 1
        : a.frame.fingerprint[0] - b.frame.fingerprint[0] || a.i - b.i
    );
  const found: { i: number; problem: Problem }[] = [];
  sorted.forEach(({ frame, i }, at) => {
    for (let k = at + 1; k < Math.min(at + WINDOW, sorted.length); k++) {
      const other = sorted[k];
      if (other.frame.formula !== frame.formula || !alike(frame, other.frame, 0)) break;
      const every = frame.fingerprint.every((_, c) => alike(frame, other.frame, c));
      if (!every || frame.geometry === other.frame.geometry) continue;
      const [early, late] = i < other.i ? [frame, other.frame] : [other.frame, frame];
      const text = `almost the same as ${early.id}`;
      const problem = { kind: "near duplicate" as const, frame: late.id, text };
      found.push({ i: Math.max(i, other.i), problem });
    }
  });
  const seen = new Set<number>();
  return found.sort((a, b) => a.i - b.i).flatMap(({ i, problem }) => {
    if (seen.has(i)) return [];
    seen.add(i);
    return [problem];
  });
}

function alike(a: FrameFacts, b: FrameFacts, k: number): boolean {
  const [x, y] = [a.fingerprint[k], b.fingerprint[k]];
  return Math.abs(x - y) <= NEAR * Math.max(Math.abs(x), Math.abs(y));
}

function outliers(
  facts: readonly FrameFacts[],
  kind: ProblemKind,
  value: (frame: FrameFacts) => number,
  unit: string,
): Problem[] {
  return [...Map.groupBy(facts, ({ formula }) => formula).values()].flatMap((frames) => {
    const known = frames.filter((frame) => Number.isFinite(value(frame)));
    if (known.length < LEAST_FRAMES) return [];
    const center = median(known.map(value));
    const deviation = MAD_TO_DEVIATION * median(known.map((f) => Math.abs(value(f) - center)));
    const limit = OUTLIER * Math.max(deviation, 1e-6 * Math.abs(center));
    return known.filter((frame) => Math.abs(value(frame) - center) > limit).map((frame) => ({
      kind,
      frame: frame.id,
      text: `${value(frame).toPrecision(6)} ${unit}, median ${center.toPrecision(6)}`,
    }));
  });
}

/** Frames without a label that most of the others have. */
function missingLabels(facts: readonly FrameFacts[]): Problem[] {
  const kinds: [string, (frame: FrameFacts) => unknown][] = [
    ["energy", ({ energyKey }) => energyKey],
    ["forces", ({ forcesKey }) => forcesKey],
    ["stress or virial", ({ stress }) => stress],
  ];
  return kinds.flatMap(([name, has]) => {
    const without = facts.filter((frame) => !has(frame));
    if (without.length === 0 || without.length > facts.length / 2) return [];
    const [n, m] = [facts.length - without.length, facts.length];
    return without.map((frame): Problem => ({
      kind: "labels missing",
      frame: frame.id,
      text: `no ${name}, which ${n} of ${m} frames have`,
    }));
  });
}

/** Frames whose energy stands under another key than that of most others. */
function mixedEnergies(facts: readonly FrameFacts[]): Problem[] {
  const known = facts.filter(({ energyKey }) => energyKey !== null);
  const keys = [...Map.groupBy(known, ({ energyKey }) => energyKey)]
    .sort(([, a], [, b]) => b.length - a.length);
  return keys.slice(1).flatMap(([key, frames]) =>
    frames.map(({ id }): Problem => ({
      kind: "labels missing",
      frame: id,
      text: `its energy is "${key}", that of ${keys[0][1].length} others "${keys[0][0]}"`,
    }))
  );
}

/** Frames of one formula whose atoms stand in another order than in the first one. */
function atomOrders(facts: readonly FrameFacts[]): Problem[] {
  return [...Map.groupBy(facts, ({ formula }) => formula).values()].flatMap(([first, ...rest]) =>
    rest.filter(({ order }) => order !== first.order).map((frame): Problem => ({
      kind: "atom order",
      frame: frame.id,
      text: `${frame.formula} in another order than ${first.id}`,
    }))
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}
