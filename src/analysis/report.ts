import type { Matrix } from "../matrix.ts";
import type { RadiusSearch } from "../select/cutoff_radius.ts";

const WIDTH = 640;
const HEIGHT = 420;
const MARGIN = 48;
/** More points than this are not told apart on the map; a stride of them is drawn. */
const MAX_POINTS = 20_000;

const STYLE =
  `:root{color-scheme:light dark;--ink:#1b1f24;--rest:#9aa5b1;--pick:#d1432b;--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--rest:#65717d;--pick:#ff7a5c;--paper:#16191d}}
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;
color:var(--ink);background:var(--paper)}svg{width:100%;height:auto}table{border-collapse:collapse}
td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
text{fill:var(--ink);font:13px system-ui,sans-serif}.axis{stroke:var(--ink);fill:none}
.rest{fill:var(--rest);opacity:.6}.pick{fill:var(--pick)}.curve{stroke:var(--pick);fill:none;
stroke-width:2}.mark{stroke:var(--ink);stroke-dasharray:4 4}`;

/**
 * The report for people: one page without scripts or outside resources.
 *
 * @param facts label and value pairs
 * @param distilled scores of every frame, order of choice (0 if not chosen), and the search for r_c
 */
export function formatReport(
  facts: readonly (readonly [string, string])[],
  warnings: readonly string[],
  distilled: { scores: Matrix; rank: Uint32Array; search: RadiusSearch },
): string {
  const rows = facts.map(([label, value]) =>
    `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`
  );
  const notes = warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cpd report</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>${STYLE}</style></head>
<body><h1>Central-peripheral distillation</h1>
<table>${rows.join("\n")}</table>
${notes ? `<h2>Warnings</h2><ul>${notes}</ul>` : ""}
<h2>Principal components</h2>
${componentMap(distilled.scores, distilled.rank)}
<h2>Search for the density radius</h2>
${radiusCurve(distilled.search)}
<p>Method: Central-Peripheral Distillation, arXiv 2604.03027. Descriptors: MACE, Batatia et al.,
NeurIPS 2022.</p></body></html>
`;
}

/** First two principal components: all frames in grey, chosen ones on top in colour. */
function componentMap(scores: Matrix, rank: Uint32Array): string {
  const column = (k: number) =>
    Float64Array.from(
      { length: scores.rows },
      (_, i) => (k < scores.cols ? scores.data[i * scores.cols + k] : 0),
    );
  const [x, y] = [column(0), column(1)];
  const [px, py] = [axis(x, MARGIN, WIDTH - 12), axis(y, HEIGHT - MARGIN, 12)];
  const stride = Math.ceil(scores.rows / MAX_POINTS);
  const dot = (i: number, kind: string, r: number) =>
    `<circle class="${kind}" cx="${px(x[i]).toFixed(1)}" cy="${py(y[i]).toFixed(1)}" r="${r}"/>`;
  const rest: string[] = [];
  const chosen: string[] = [];
  rank.forEach((order, i) => {
    if (order > 0) chosen.push(dot(i, "pick", 3));
    else if (i % stride === 0) rest.push(dot(i, "rest", 2));
  });
  return figure("PC 1", "PC 2", "Map of the frames; chosen ones in colour", [...rest, ...chosen]);
}

function radiusCurve({ radii, objective, chosen }: RadiusSearch): string {
  const logs = radii.map(Math.log10);
  const [px, py] = [axis(logs, MARGIN, WIDTH - 12), axis(objective, HEIGHT - MARGIN, 12)];
  const points = [...logs].map((x, i) => `${px(x).toFixed(1)},${py(objective[i]).toFixed(1)}`);
  const at = px(logs[chosen]).toFixed(1);
  return figure("log10 radius", "objective", "Objective against radius; r_c dashed", [
    `<polyline class="curve" points="${points.join(" ")}"/>`,
    `<line class="mark" x1="${at}" x2="${at}" y1="12" y2="${HEIGHT - MARGIN}"/>`,
    `<text x="${at}" y="24" dx="6">r_c = ${radii[chosen].toPrecision(4)}</text>`,
  ]);
}

function figure(xLabel: string, yLabel: string, title: string, content: string[]): string {
  const [bottom, middle] = [HEIGHT - MARGIN, HEIGHT / 2];
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<path class="axis" d="M${MARGIN} 12V${bottom}H${WIDTH - 12}"/>
<text x="${WIDTH / 2}" y="${HEIGHT - 14}">${xLabel}</text>
<text x="16" y="${middle}" transform="rotate(-90 16 ${middle})">${yLabel}</text>
${content.join("\n")}</svg>`;
}

/** Linear map of the values' range to pixels. */
function axis(values: Float64Array, from: number, to: number): (value: number) => number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = high - low || 1;
  return (value) => from + (value - low) / span * (to - from);
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
