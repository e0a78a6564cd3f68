import { bar, COLORS, curve, dots, escapeXml, figure, mark, rangeOf } from "./figure.ts";
import type { Occupancy } from "../compare/coverage.ts";
import type { Distillation } from "../pipeline.ts";
import type { RadiusObjective } from "../select/radius_sweep.ts";
import { chosenInOrder } from "./report_data.ts";

/** A figure of the report and the name of its file. */
export interface ReportFigure {
  readonly name: string;
  readonly caption: string;
  readonly svg: string;
}

/** More frames are thinned on the static map. */
const MAX_DOTS = 20_000;
const BINS = 40;
const GREY = "#8b949e";
/** Strata that one figure shows, the largest ones. */
const MAX_STRATA = 24;

/** The frames on the first two components; the chosen ones in colour. */
export function mapFigure({ scores, rank, components }: Distillation): ReportFigure {
  const at = (i: number): [number, number] => [
    scores.data[i * scores.cols],
    scores.cols > 1 ? scores.data[i * scores.cols + 1] : 0,
  ];
  const stride = Math.ceil(scores.rows / MAX_DOTS);
  const all = Array.from({ length: scores.rows }, (_, i) => at(i));
  const chosen = chosenInOrder(rank).map(at);
  const label = (k: number) => {
    const share = components.explainedVariance[k];
    return `principal component ${k + 1}${share ? ` (${(100 * share).toFixed(1)} %)` : ""}`;
  };
  const axis = (k: 0 | 1) => ({ label: label(k), domain: rangeOf(all.map((p) => p[k])) });
  const title = `${chosen.length} chosen of ${scores.rows} frames on two principal components`;
  return {
    name: "map",
    caption: title,
    svg: figure({ title, x: axis(0), y: axis(1) }, (x, y) => [
      dots(all.filter((_, i) => i % stride === 0), x, y, GREY, 2, 0.6),
      dots(chosen, x, y, COLORS[0], 3),
    ]),
  };
}

/** The search for r_c: what every objective would say of every radius. */
export function radiusFigure(
  { search }: Distillation,
  objectives: Readonly<Record<RadiusObjective, Float64Array>>,
  used: RadiusObjective,
): ReportFigure {
  const { radii, isolatedFraction, chosen } = search;
  const names = Object.keys(objectives) as RadiusObjective[];
  const legend = [
    ...names.map((name, k) => ({ name: name === used ? `${name}, used` : name, color: COLORS[k] })),
    { name: "isolated", color: GREY },
  ];
  const curves = names.map((name) => Array.from(objectives[name]));
  const domain = rangeOf([...curves.flat(), 0, 1], 0.02);
  const points = (values: ArrayLike<number>) =>
    Array.from(radii, (r, b): [number, number] => [r, values[b]]);
  const title = "Objective against radius";
  const axes = {
    title,
    x: { label: "radius", log: true, domain: rangeOf(radii, 0) },
    y: { label: "objective, isolated fraction", domain },
    legend,
  };
  return {
    name: "radius",
    caption: `Search for the density radius: r_c = ${radii[chosen].toPrecision(4)}`,
    svg: figure(axes, (x, y) => [
      curve(points(isolatedFraction), x, y, GREY, true),
      ...curves.map((values, k) => curve(points(values), x, y, COLORS[k], names[k] !== used)),
      mark(radii[chosen], "r_c", x, y, domain),
    ]),
  };
}

/** How many frames have how many neighbors, and where the pools end. */
export function densityFigure({ density, pool }: Distillation): ReportFigure {
  const groups = ["peripheral", "none", "central"] as const;
  const colors = [COLORS[1], GREY, COLORS[0]];
  const { place, ticks, nBins } = densityAxis(density.reduce((a, b) => Math.max(a, b), 0));
  const counts = groups.map((group) => {
    const bins = new Uint32Array(nBins);
    density.forEach((rho, i) => {
      if (pool[i] === group) bins[Math.min(nBins - 1, Math.floor(place(rho)))]++;
    });
    return bins;
  });
  const stacked = counts.map((_, g) =>
    counts[0].map((_, b) => counts.slice(0, g + 1).reduce((sum, c) => sum + c[b], 0))
  );
  const top = 1.2 * stacked[2].reduce((a, b) => Math.max(a, b), 1);
  const ends = (["peripheral", "central"] as const).flatMap((group) => {
    const own = Array.from(density).filter((_, i) => pool[i] === group);
    if (own.length === 0) return [];
    const edge = own.reduce((a, b) => group === "central" ? Math.min(a, b) : Math.max(a, b));
    return [{ edge, text: `${group} ${group === "central" ? "from" : "up to"} ${edge}` }];
  });
  const axes = {
    title: "Histogram of densities",
    x: {
      label: "density: neighbors within r_c",
      domain: [0, nBins] as const,
      ticks: ticks.map((rho) => place(rho) + (place(1) === 1 ? 0.5 : 0)),
      words: ticks.map(String),
    },
    y: { label: "frames", domain: [0, top] as const },
    legend: groups.map((name, k) => ({
      name: name === "none" ? "neither" : name,
      color: colors[k],
    })),
  };
  return {
    name: "density",
    caption: "Densities, and the pools that frames are chosen from",
    svg: figure(axes, (x, y) => [
      ...[2, 1, 0].flatMap((g) =>
        Array.from(stacked[g], (value, b) => bar([b, b + 1, value], x, y, colors[g]))
      ),
      ...ends.map(({ edge, text }, k) => mark(place(edge), text, x, y, [0, top], k)),
    ]),
  };
}

/** Bins of densities: one for every number where there are few, else even in its logarithm. */
function densityAxis(most: number) {
  if (most < BINS) {
    const step = Math.ceil((most + 1) / 10);
    const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, k) => k * step);
    return { nBins: most + 1, place: (rho: number) => rho, ticks };
  }
  const scale = BINS / Math.log10(most + 1);
  const powers = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 1e4, 3e4, 1e5, 1e6];
  return {
    nBins: BINS,
    place: (rho: number) => Math.log10(rho + 1) * scale,
    ticks: powers.filter((rho) => rho <= most),
  };
}

/** Share of the variance of every component that was kept, and their sum. */
export function varianceFigure({ components: { explainedVariance } }: Distillation): ReportFigure {
  const shares = Array.from(explainedVariance, (v) => 100 * v);
  let sum = 0;
  const sums = shares.map((v, k): [number, number] => [k + 1, sum += v]);
  const axes = {
    title: "Explained variance",
    x: {
      label: "principal component",
      domain: [0.4, shares.length + 0.6] as const,
      ticks: shares.map((_, k) => k + 1),
    },
    y: { label: "% of the variance", domain: [0, 104] as const },
    legend: [{ name: "each", color: COLORS[1] }, { name: "together", color: COLORS[0] }],
  };
  return {
    name: "variance",
    caption: `Explained variance: ${sum.toFixed(2)} % in ${shares.length} components`,
    svg: figure(axes, (x, y) => [
      ...shares.map((v, k) => bar([k + 0.7, k + 1.3, v], x, y, COLORS[1])),
      curve(sums, x, y, COLORS[0]),
      dots(sums, x, y, COLORS[0], 3),
    ]),
  };
}

/** Shares of every stratum among the chosen frames and in the pool. */
export function occupancyFigure(name: string, strata: readonly Occupancy[]): ReportFigure {
  const shown = strata.length > MAX_STRATA
    ? strata.toSorted((a, b) => b.nFrames - a.nFrames).slice(0, MAX_STRATA)
    : strata;
  const [frames, chosen] = [
    strata.reduce((sum, s) => sum + s.nFrames, 0),
    Math.max(1, strata.reduce((sum, s) => sum + s.nChosen, 0)),
  ];
  const pool = shown.map((s) => 100 * s.nFrames / frames);
  const taken = shown.map((s) => 100 * s.nChosen / chosen);
  const axes = {
    title: `Occupancy of ${name}`,
    x: {
      label: shown.length < strata.length ? `${name}, the ${shown.length} largest` : name,
      domain: [0, shown.length] as const,
      ticks: shown.map((_, k) => k + 0.5),
      words: shortNames(shown.map(({ stratum }) => stratum)),
    },
    y: { label: "% of the frames", domain: [0, 1.05 * Math.max(...pool, ...taken)] as const },
    legend: [{ name: "pool", color: GREY }, { name: "chosen", color: COLORS[0] }],
  };
  return {
    name: `occupancy_${name}`,
    caption: `Shares of every ${name} in the pool and among the chosen frames`,
    svg: figure(axes, (x, y) =>
      shown.flatMap((_, k) => [
        bar([k + 0.12, k + 0.5, pool[k]], x, y, GREY),
        bar([k + 0.5, k + 0.88, taken[k]], x, y, COLORS[0]),
      ])),
  };
}

/** Names without what they all begin with, and no longer than fits below a bar. */
function shortNames(names: readonly string[]): string[] {
  const room = Math.max(3, Math.floor(60 / names.length));
  let common = 0;
  while (
    names.length > 1 && names.every((name) => name[common] && name[common] === names[0][common])
  ) {
    common++;
  }
  // Cut behind a separator only, so that no word is torn.
  const cut = names[0]?.slice(0, common).search(/[^/._-]*$/) ?? 0;
  const every = Math.ceil(names.length / 14);
  return names.map((name, k) => {
    const rest = name.slice(cut);
    if (k % every !== 0) return "";
    return rest.length > room ? `…${rest.slice(1 - room)}` : rest;
  });
}

/** Share of the frames that have a chosen one within a distance, beside random choices. */
export function coverageFigure(
  chosen: Float64Array,
  random: Float64Array,
  radius: number,
): ReportFigure {
  const line = (sorted: Float64Array) =>
    Array.from({ length: 201 }, (_, k): [number, number] => {
      const share = k / 200;
      return [sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))], 100 * share];
    });
  const domain = [0, 1.02 * Math.max(chosen[chosen.length - 1], radius)] as const;
  const title = "Coverage of the pool";
  const axes = {
    title,
    x: { label: "distance to the nearest chosen frame", domain },
    y: { label: "% of the frames within", domain: [0, 104] as const },
    legend: [{ name: "chosen", color: COLORS[0] }, { name: "random", color: GREY }],
  };
  return {
    name: "coverage",
    caption: "Coverage of the pool by the chosen frames and by random choices of the same number",
    svg: figure(axes, (x, y) => [
      curve(line(random).filter(([d]) => d <= domain[1]), x, y, GREY),
      curve(line(chosen), x, y, COLORS[0]),
      mark(radius, "r_c", x, y, [0, 104]),
    ]),
  };
}

/** A figure with its caption. */
export function figureHtml({ svg, caption }: ReportFigure): string {
  return `<figure>${svg}<figcaption>${escapeXml(caption)}</figcaption></figure>`;
}
