import { type Captioned, drawn, list, plainPage } from "./plain_page.ts";
import type { Matrix } from "../matrix.ts";
import { type Axis, band, COLORS, curve, dots, escapeXml, figure, rangeOf } from "./figure.ts";

/** One number per split of one method at one size. */
export interface Measured {
  readonly method: string;
  readonly size: number;
  readonly values: readonly number[];
}

/** Standard deviation; 0 of a single number. */
export function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const n = Math.max(values.length - 1, 1);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n);
}

/** Means against size, one line per method, with a band of one standard deviation over the splits. */
export function methodCurves(
  measured: readonly Measured[],
  { title, label }: { title: string; label: string },
): string {
  // A logarithmic axis has no place for zero: what covers the pool whole.
  const log = measured.every(({ values }) => values.some((value) => value > 0));
  const points = measured.map(({ method, size, values }) => {
    const mean = values.reduce((sum, e) => sum + e, 0) / values.length;
    const spread = deviation(values);
    const low = log ? Math.max(mean - spread, 0.2 * mean) : mean - spread;
    return { method, size, mean, low, high: mean + spread };
  });
  const methods = [...new Set(points.map(({ method }) => method))];
  const sizes = [...new Set(points.map(({ size }) => size))];
  const y: Axis = { label, log, domain: rangeOf(points.flatMap((p) => [p.low, p.high]), 0) };
  const x: Axis = {
    label: "chosen frames",
    log: true,
    domain: [Math.min(...sizes), Math.max(...sizes)],
    ticks: sizes,
  };
  const colorOf = (method: string) => COLORS[methods.indexOf(method) % COLORS.length];
  const legend = methods.map((name) => ({ name, color: colorOf(name) }));
  return figure({ title, x, y, legend }, (px, py) =>
    methods.flatMap((method) => {
      const own = points.filter((point) => point.method === method);
      return [
        band(own.map(({ size, low, high }) => [size, low, high]), px, py, colorOf(method)),
        curve(own.map(({ size, mean }) => [size, mean]), px, py, colorOf(method)),
        dots(own.map(({ size, mean }) => [size, mean]), px, py, colorOf(method), 3),
      ];
    }));
}

/** More frames of a pool are thinned. */
const MAX_DOTS = 5_000;

/** The chosen frames of one method among the pool, on the first two components. */
export function panel(name: string, points: Matrix, chosen: readonly number[]): string {
  const at = (i: number): [number, number] => [points.data[2 * i], points.data[2 * i + 1]];
  const stride = Math.ceil(points.rows / MAX_DOTS);
  const all = Array.from({ length: Math.ceil(points.rows / stride) }, (_, k) => at(stride * k));
  const axis = (k: 0 | 1): Axis => ({
    label: `principal component ${k + 1}`,
    domain: rangeOf(points.data.filter((_, at) => at % 2 === k)),
  });
  const title = `${name}: ${chosen.length} chosen of ${points.rows} frames`;
  return figure({ title, x: axis(0), y: axis(1) }, (x, y) => [
    dots(all, x, y, "#8b949e", 2, 0.5),
    dots(chosen.map(at), x, y, COLORS[0], 3.5),
  ]);
}

/** The comparison for people: one page without scripts or outside resources. */
export function formatComparison(
  verdict: readonly string[],
  table: string,
  figures: readonly Captioned[],
  panels: readonly Captioned[],
): string {
  return plainPage("Comparison of selection methods", [
    list(verdict),
    ...figures.map(drawn),
    `<pre>${escapeXml(table)}</pre>`,
    "<h2>What each method chose</h2>",
    `<div class="panels">${panels.map(drawn).join("\n")}</div>`,
    `<p>Paired differences to random choice over the splits, of the logarithm of the error; corrected
resampled t-test (Nadeau and Bengio 2003), 5 % level after Holm's adjustment for the number of methods.
Bands: one standard deviation over the splits.</p>`,
  ]);
}
