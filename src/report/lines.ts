import type { BlockAverage } from "../analyze/block_average.ts";
import { COLORS, curve, figure, rangeOf } from "./figure.ts";
import type { Captioned } from "./plain_page.ts";

/** A figure and the name of its file. */
export interface NamedFigure {
  readonly name: string;
  readonly figure: Captioned;
}

/** Lines in one panel, each with its name. */
export function lines(
  name: string,
  caption: string,
  [xLabel, yLabel]: readonly [string, string],
  series: readonly (readonly [string, readonly (readonly number[])[]])[],
): NamedFigure[] {
  const shown = series.slice(0, COLORS.length);
  const points = shown.map(([, own]) => own as readonly (readonly [number, number])[]);
  if (points.length === 0) return [];
  const axes = {
    title: caption,
    x: { label: xLabel, domain: rangeOf(points.flatMap((own) => own.map(([x]) => x)), 0) },
    y: { label: yLabel, domain: rangeOf(points.flatMap((own) => own.map(([, y]) => y))) },
    ...(shown.length > 1 && {
      legend: shown.map(([title], i) => ({ name: title, color: COLORS[i] })),
    }),
  };
  const svg = figure(axes, (x, y) => points.map((own, i) => curve(own, x, y, COLORS[i])));
  const some = series.length > shown.length
    ? `; the first ${shown.length} of ${series.length}`
    : "";
  return [{ name, figure: [`${caption}${some}`, svg] }];
}

/** A mean with its error, to two digits of this. */
export function withError({ mean, error }: Pick<BlockAverage, "mean" | "error">): string {
  // Rounding is no error.
  if (!(error > 1e-9 * Math.abs(mean))) return String(Number(mean.toPrecision(5)));
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(error)));
  return `${mean.toFixed(decimals)} ± ${error.toFixed(decimals)}`;
}
