import type { FrameFacts, Problem, ProblemKind } from "./facts.ts";

/** Distance from the median in units of the median absolute deviation (as a standard deviation). */
const OUTLIER = 8;
const MAD_TO_DEVIATION = 1.4826;
/** Fewer frames have no outliers. */
const LEAST_FRAMES = 20;

/** A quantity, and what it has to differ by at least: in its unit, and as a share of the median. */
interface Quantity {
  readonly kind: ProblemKind;
  readonly unit: string;
  readonly value: (frame: FrameFacts) => number;
  readonly absolute: number;
  readonly relative: number;
  /** The share asks for no more than this, in the unit: total energies may be very large. */
  readonly most: number;
}

const QUANTITIES: readonly Quantity[] = [
  {
    kind: "energy outlier",
    unit: "eV/atom",
    value: ({ energy }) => energy,
    ...{ absolute: 0.05, relative: 0.005, most: 0.5 },
  },
  {
    kind: "force outlier",
    unit: "eV/Å",
    value: ({ maxForce }) => maxForce,
    ...{ absolute: 0.5, relative: 0.2, most: Infinity },
  },
  {
    kind: "pressure outlier",
    unit: "GPa",
    value: ({ pressure }) => pressure,
    ...{ absolute: 1, relative: 0.05, most: Infinity },
  },
];

/** Frames far from the median of their formula, by the spread of the others and by plain bounds. */
export function outliers(facts: readonly FrameFacts[]): Problem[] {
  const groups = [...Map.groupBy(facts, ({ formula }) => formula).values()];
  return QUANTITIES.flatMap((quantity) => groups.flatMap((frames) => far(frames, quantity)));
}

function far(frames: readonly FrameFacts[], quantity: Quantity): Problem[] {
  const { kind, unit, value, absolute, relative, most } = quantity;
  const known = frames.filter((frame) => Number.isFinite(value(frame)));
  if (known.length < LEAST_FRAMES) return [];
  const center = median(known.map(value));
  const deviation = MAD_TO_DEVIATION * median(known.map((f) => Math.abs(value(f) - center)));
  const share = Math.min(relative * Math.abs(center), most);
  const limit = Math.max(OUTLIER * deviation, absolute, share);
  return known.filter((frame) => Math.abs(value(frame) - center) > limit).map((frame) => ({
    kind,
    frame: frame.id,
    text: `${value(frame).toPrecision(6)} ${unit}, median ${center.toPrecision(6)}`,
  }));
}

/** Middle of some numbers, at least one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}
