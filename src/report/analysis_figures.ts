import type { Averages } from "../analyze/averages.ts";
import type { FrameFacts } from "../analyze/frame_facts.ts";
import type { PairTable } from "../analyze/pair_sums.ts";
import type { Transport } from "../analyze/transport.ts";
import { bar, COLORS, curve, dots, figure, rangeOf } from "./figure.ts";
import { lines, type NamedFigure } from "./lines.ts";

/** Frames with one value of the key, or all of them. */
export interface AnalyzedGroup {
  readonly name: string;
  readonly frames: readonly FrameFacts[];
  readonly averages: Averages;
  /** Null where no frame is periodic. */
  readonly pairs: PairTable | null;
}

/** A point that was known before; NaN where it was not. */
export interface KnownPoint {
  readonly rs: number;
  readonly pressure: number;
  readonly molecularFraction: number;
}

/** Bars of a histogram. */
const BARS = 24;
/** Vibrations are drawn up to here, 1/cm. */
const MOST_WAVENUMBERS = 6000;

/** Figures of an analysis by the name of their file. */
export function analysisFigures(
  groups: readonly AnalyzedGroup[],
  transports: readonly Transport[],
  known: readonly KnownPoint[],
  key: string | null,
): NamedFigure[] {
  const pairs = groups.flatMap(({ name, pairs }) => pairs ? [{ name, pairs }] : []);
  return [
    ...lines(
      "rdf",
      `Pair distribution functions${key === null ? "" : ` for each ${key}`}`,
      ["distance, Å", "g(r)"],
      pairs.map(({ name, pairs: { r, g } }) => [name, Array.from(r, (x, k) => [x, g[k]])]),
    ),
    ...against(groups, known, "pressure", "pressure", "pressure, GPa", ({ pressure }) => pressure),
    ...against(
      groups,
      known,
      "molecular_fraction",
      "molecular fraction",
      "fraction of atoms in molecules",
      ({ molecularFraction }) => molecularFraction,
    ),
    ...composition(groups),
    ...motion(transports),
  ];
}

/** Means of groups against r_s with bars of two errors, and known points. */
function against(
  groups: readonly AnalyzedGroup[],
  known: readonly KnownPoint[],
  column: "pressure" | "molecular_fraction",
  title: string,
  label: string,
  of: (point: KnownPoint) => number,
): NamedFigure[] {
  const name = column === "pressure" &&
      !groups.some(({ averages }) => "pressure" in averages)
    ? "pressure_static"
    : column;
  const own = groups.flatMap(({ averages }) => {
    const [at, value] = [averages.rs, averages[name]];
    if (!at || !value) return [];
    const error = Number.isFinite(value.error) ? value.error : 0;
    return [{ at: at.mean, value: value.mean, error }];
  });
  const points = known.map((point) => [point.rs, of(point)] as const)
    .filter(([, y]) => Number.isFinite(y));
  if (own.length === 0 || own.length + points.length < 2) return [];
  const which = name === "pressure_static"
    ? "Static pressure"
    : title[0].toUpperCase() + title.slice(1);
  const caption = `${which} against r_s, with bars of two standard errors`;
  const axes = {
    title: caption,
    x: {
      label: "r_s, Bohr",
      domain: rangeOf([...own.map(({ at }) => at), ...points.map(([x]) => x)]),
    },
    y: {
      label,
      domain: rangeOf([
        ...own.flatMap(({ value, error }) => [value - 2 * error, value + 2 * error]),
        ...points.map(([, y]) => y),
      ]),
    },
    ...(points.length > 0 && {
      legend: [
        { name: "these frames", color: COLORS[1] },
        { name: "given points", color: COLORS[0] },
      ],
    }),
  };
  const svg = figure(axes, (x, y) => [
    ...own.map(({ at, value, error }) =>
      curve([[at, value - 2 * error], [at, value + 2 * error]], x, y, COLORS[1])
    ),
    dots(own.map(({ at, value }) => [at, value]), x, y, COLORS[1], 4),
    dots(points, x, y, COLORS[0], 3),
  ]);
  return [{ name: column, figure: [caption, svg] }];
}

/** How many frames there are at each r_s, or at each density. */
function composition(groups: readonly AnalyzedGroup[]): NamedFigure[] {
  const frames = groups.flatMap((group) => group.frames);
  const [key, label] = frames.every(({ rs }) => Number.isFinite(rs))
    ? ["rs", "r_s, Bohr"] as const
    : ["density", "density, g/cm³"] as const;
  const values = frames.map((frame) => frame[key]).filter(Number.isFinite);
  if (values.length < 2) return [];
  const [low, high] = rangeOf(values, 0.02);
  const width = (high - low) / BARS;
  const counts = new Array<number>(BARS).fill(0);
  for (const value of values) counts[Math.min(BARS - 1, Math.floor((value - low) / width))]++;
  const caption = `Frames by ${label.split(",")[0]}`;
  const svg = figure(
    {
      title: caption,
      x: { label, domain: [low, high] },
      y: { label: "frames", domain: [0, 1.05 * Math.max(...counts)] },
    },
    (x, y) =>
      counts.map((n, k) => bar([low + k * width, low + (k + 1) * width, n], x, y, COLORS[1])),
  );
  return [{ name: "composition", figure: [caption, svg] }];
}

/** Correlations in time. */
function motion(transports: readonly Transport[]): NamedFigure[] {
  const name = ({ file, group }: Transport) => group === "" ? file : group;
  const moving = transports.filter(({ vacf }) => vacf !== null);
  return [
    ...lines(
      "msd",
      "Mean squared displacement",
      ["time, fs", "Å²"],
      transports.map((own) => [name(own), Array.from(own.times, (t, k) => [t, own.msd[k]])]),
    ),
    ...lines(
      "vacf",
      "Velocity autocorrelation, of its value at the start",
      ["time, fs", ""],
      moving.map((own) => [
        name(own),
        Array.from(own.times, (t, k) => [t, own.vacf![k] / own.vacf![0]]),
      ]),
    ),
    ...lines(
      "vibrations",
      "Vibrational density of states",
      ["wavenumber, 1/cm", "states per 1/cm"],
      moving.map((own) => [
        name(own),
        Array.from(own.vibrations!.wavenumbers, (x, k) => [x, own.vibrations!.density[k]])
          .filter(([x]) => x <= MOST_WAVENUMBERS),
      ]),
    ),
  ];
}
