import { duplicates, nearDuplicates } from "./duplicates.ts";
import { energyUnits } from "./energy_units.ts";
import type { FrameFacts, Problem } from "./facts.ts";
import { outliers } from "./outliers.ts";

/** Frames in a row that keep their order make a trajectory: this share of them at least. */
const STEADY = 0.8;

/**
 * Problems that only show among several frames.
 *
 * @param facts sorted by file and index
 */
export function compareFrames(facts: readonly FrameFacts[]): Problem[] {
  return [
    ...duplicates(facts),
    ...nearDuplicates(facts),
    ...outliers(facts),
    ...energyUnits(facts),
    ...missingLabels(facts),
    ...mixedEnergies(facts),
    ...atomOrders(facts),
  ];
}

/** Frames without a label that most of the others have. */
function missingLabels(facts: readonly FrameFacts[]): Problem[] {
  type Test = (frame: FrameFacts) => unknown;
  const kinds: [name: string, has: Test, may: Test][] = [
    ["energy", ({ energyKey }) => energyKey, () => true],
    ["forces", ({ forcesKey }) => forcesKey, ({ isolated }) => !isolated],
    [
      "stress or virial",
      ({ stress, virial }) => stress ?? virial,
      ({ isolated, volume }) => !isolated && Number.isFinite(volume),
    ],
  ];
  return kinds.flatMap(([name, has, may]) => {
    const able = facts.filter(may);
    const without = able.filter((frame) => !has(frame));
    if (without.length === 0 || without.length > able.length / 2) return [];
    const [n, m] = [able.length - without.length, able.length];
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
  const keys = [...Map.groupBy(known, ({ energyKey }) => energyKey!)]
    .sort(([x, a], [y, b]) => b.length - a.length || (x < y ? -1 : 1));
  return keys.slice(1).flatMap(([key, frames]) =>
    frames.map(({ id }): Problem => ({
      kind: "labels missing",
      frame: id,
      text: `its energy is "${key}", that of ${keys[0][1].length} others "${keys[0][0]}"`,
    }))
  );
}

/**
 * Frames of a trajectory whose atoms stand in another order than in the frame before: consecutive
 * frames with the same bonds, in a file where nearly all others keep the order. Molecules of one
 * formula and other bonds, and sets of frames from everywhere, have no order to keep.
 */
function atomOrders(facts: readonly FrameFacts[]): Problem[] {
  const steps = facts.flatMap((frame, i) => {
    const before = facts[i - 1];
    const follows = i > 0 && before.file === frame.file && before.index === frame.index - 1;
    return follows && before.formula === frame.formula ? [{ before, frame }] : [];
  });
  return [...Map.groupBy(steps, ({ frame }) => frame.file).values()].flatMap((own) => {
    const jumps = own.filter(({ before, frame }) => before.order !== frame.order);
    if (own.length - jumps.length < STEADY * own.length) return [];
    return jumps.filter(({ before, frame }) => before.bonds === frame.bonds)
      .map(({ before, frame }): Problem => ({
        kind: "atom order",
        frame: frame.id,
        text: `${frame.formula} in another order than ${before.id}, the frame before it`,
      }));
  });
}
