import type { Curve } from "./verdict.ts";

const [WIDTH, HEIGHT, MARGIN, LEGEND] = [720, 440, 56, 110];
const COLOURS = ["#d1432b", "#1f6fb4", "#2e8b57", "#8a5cc2", "#c98500", "#6b7280"];

/** Mean error against size with a band of one standard deviation over the splits; both axes log. */
export function learningCurves(curves: readonly Curve[]): string {
  const points = curves.map(({ method, size, errors }) => {
    const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
    const variance = errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / errors.length;
    const [low, high] = [-1, 1].map((side) => mean + side * Math.sqrt(variance));
    return { method, size, mean, low: Math.max(low, 0.2 * mean), high };
  });
  const x = logAxis(points.map(({ size }) => size), MARGIN, WIDTH - LEGEND);
  const y = logAxis(points.flatMap(({ low, high }) => [low, high]), HEIGHT - MARGIN, 16);
  const at = (size: number, error: number) => `${x(size).toFixed(1)},${y(error).toFixed(1)}`;
  const methods = [...new Set(points.map(({ method }) => method))];
  const lines = methods.map((method, m) => {
    const own = points.filter((point) => point.method === method);
    const upper = own.map(({ size, high }) => at(size, high));
    const lower = own.toReversed().map(({ size, low }) => at(size, low));
    const colour = COLOURS[m % COLOURS.length];
    const line = own.map(({ size, mean }) => at(size, mean));
    const legend = 24 + 20 * m;
    return `<polygon points="${[...upper, ...lower].join(" ")}" fill="${colour}" opacity=".12"/>
<polyline points="${line.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>
<line x1="${WIDTH - 92}" x2="${
      WIDTH - 72
    }" y1="${legend}" y2="${legend}" stroke="${colour}" stroke-width="2"/>
<text x="${WIDTH - 66}" y="${legend + 4}">${method}</text>`;
  });
  const sizes = [...new Set(points.map(({ size }) => size))];
  const below = HEIGHT - MARGIN;
  const ticks = [
    ...sizes.map((size) =>
      `<text x="${x(size).toFixed(1)}" y="${below + 18}" text-anchor="middle">${size}</text>`
    ),
    ...errorTicks(points).map((error) =>
      `<text x="${MARGIN - 6}" y="${(y(error) + 4).toFixed(1)}" text-anchor="end">${
        Number((1000 * error).toPrecision(2))
      }</text>`
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Error of energies against number of chosen frames, per method">
<style>text{font:13px system-ui,sans-serif;fill:#444}@media (prefers-color-scheme:dark){text{fill:#ddd}}</style>
<path d="M${MARGIN} 16V${below}H${WIDTH - LEGEND}" fill="none" stroke="#888"/>
${ticks.join("\n")}
<text x="${(MARGIN + WIDTH - LEGEND) / 2}" y="${
    HEIGHT - 14
  }" text-anchor="middle">chosen frames</text>
<text x="14" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 ${
    HEIGHT / 2
  })">error on held-out frames, meV/atom</text>
${lines.join("\n")}
</svg>
`;
}

/** Round errors, 1, 2 and 5 times powers of ten, within the range of the curves. */
function errorTicks(points: readonly { low: number; high: number }[]): number[] {
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const decades = Array.from({ length: 12 }, (_, k) => 10 ** (k - 9));
  return decades.flatMap((d) => [d, 2 * d, 5 * d]).filter((e) => e >= low && e <= high);
}

function logAxis(values: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  return (value) => from + (Math.log(value) - low) / ((high - low) || 1) * (to - from);
}

/** The comparison for people: one page without scripts or outside resources. */
export function formatComparison(
  verdict: readonly string[],
  table: string,
  figure: string | null,
): string {
  const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cpd comparison</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}pre{overflow-x:auto}svg{width:100%;height:auto}</style></head>
<body><h1>Comparison of selection methods</h1>
<ul>${verdict.map((line) => `<li>${escape(line)}</li>`).join("\n")}</ul>
${figure ?? ""}
<pre>${escape(table)}</pre>
<p>Paired differences to random choice over the splits, corrected resampled t-test (Nadeau and Bengio
2003), 5 % level after Holm's adjustment for the number of methods. Bands: one standard deviation over
the splits.</p></body></html>
`;
}
