import { scaleLinear, scaleLog } from "d3-scale";

/** What stands around the data of a figure. */
export interface Axes {
  /** Read out by screen readers. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Names and colours beside the figure. */
  readonly legend?: readonly { readonly name: string; readonly color: string }[];
}

export interface Axis {
  readonly label: string;
  /** Above zero on a logarithmic axis. */
  readonly domain: readonly [low: number, high: number];
  readonly log?: boolean;
  /** Places of the ticks; chosen evenly if not given. */
  readonly ticks?: readonly number[];
  /** Words instead of numbers at the ticks. */
  readonly words?: readonly string[];
}

/** Pixels of a place on an axis. */
type Scale = (value: number) => number;

/** Colours that are told apart by most eyes, on light and on dark paper. */
export const COLORS = [
  "#d1432b",
  "#2878b5",
  "#2e8b57",
  "#8a5cc2",
  "#b87900",
  "#6b7280",
  "#c2478b",
  "#3b9aa8",
];

const [WIDTH, HEIGHT] = [600, 380];
const MARGIN = { left: 64, right: 16, top: 16, bottom: 52 };
const LEGEND = 150;

const STYLE = `<style>.cpd-figure text{font:14px system-ui,sans-serif;fill:#333a42}
.cpd-figure .axis{stroke:#88929c;fill:none}.cpd-figure .ink{fill:#333a42;stroke:#333a42}
@media (prefers-color-scheme:dark){.cpd-figure text{fill:#d5dae0}
.cpd-figure .ink{fill:#d5dae0;stroke:#d5dae0}}</style>`;

/** A figure as SVG; `draw` gives the marks. */
export function figure(
  axes: Axes,
  draw: (x: Scale, y: Scale) => readonly string[],
): string {
  const right = WIDTH - MARGIN.right - (axes.legend ? LEGEND : 0);
  const bottom = HEIGHT - MARGIN.bottom;
  const x = scaleOf(axes.x, MARGIN.left, right);
  const y = scaleOf(axes.y, bottom, MARGIN.top);
  const xTicks = x.ticks.map(({ value, text }) =>
    `<text x="${px(x.at(value))}" y="${bottom + 18}" text-anchor="middle">${text}</text>`
  );
  const yTicks = y.ticks.map(({ value, text }) =>
    `<text x="${MARGIN.left - 8}" y="${px(y.at(value) + 4)}" text-anchor="end">${text}</text>`
  );
  const middle = (MARGIN.top + bottom) / 2;
  const legend = (axes.legend ?? []).map(({ name, color }, i) =>
    `<rect x="${right + 14}" y="${MARGIN.top + 20 * i}" width="12" height="12" fill="${color}"/>` +
    `<text x="${right + 32}" y="${MARGIN.top + 11 + 20 * i}">${escapeXml(name)}</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" class="cpd-figure" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${
    escapeXml(axes.title)
  }">
${STYLE}<title>${escapeXml(axes.title)}</title>
${draw(x.at, y.at).join("\n")}
<path class="axis" d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}"/>
${[...xTicks, ...yTicks].join("\n")}
<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${
    escapeXml(axes.x.label)
  }</text>
<text x="16" y="${middle}" text-anchor="middle" transform="rotate(-90 16 ${middle})">${
    escapeXml(axes.y.label)
  }</text>
${legend.join("\n")}
</svg>
`;
}

/** A domain of some length. */
function properDomain({ domain: [low, high], log }: Axis): [low: number, high: number] {
  if (high > low) return [low, high];
  return log ? [low / 1.5, low * 1.5] : [low - 0.5, low + 0.5];
}

function scaleOf(axis: Axis, from: number, to: number) {
  const { log, ticks, words } = axis;
  const [low, high] = properDomain(axis);
  const scale = log
    ? scaleLog().domain([low, high]).range([from, to])
    : scaleLinear().domain([low, high]).range([from, to]);
  const format = scale.tickFormat(6);
  const places = ticks ?? (log ? roundPlaces(low, high) : scale.ticks(6));
  return {
    at: (value: number) => scale(value),
    ticks: places.map((value, i) => ({
      value,
      text: escapeXml(words?.[i] ?? (ticks || log ? plain(value) : format(value))),
    })),
  };
}

/** 1, 2 and 5 times powers of ten, powers alone where these are many; the ends where they are too few. */
function roundPlaces(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(low));
  const places = Array.from({ length: Math.ceil(decades) + 2 }, (_, k) => 10 ** (first + k))
    .flatMap((power) => factors.map((factor) => factor * power));
  const inside = places.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  return inside.length > 1 ? inside : [low, high].map((value) => Number(value.toPrecision(3)));
}

function plain(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** A line through (x, y). */
export function curve(
  points: readonly (readonly [number, number])[],
  x: Scale,
  y: Scale,
  color: string,
  dashed = false,
): string {
  const path = points.map(([a, b]) => `${px(x(a))},${px(y(b))}`).join(" ");
  const dash = dashed ? ' stroke-dasharray="5 4"' : "";
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`;
}

/** A band between two lines. */
export function band(
  points: readonly (readonly [x: number, low: number, high: number])[],
  x: Scale,
  y: Scale,
  color: string,
): string {
  const lower = points.map(([a, low]) => `${px(x(a))},${px(y(low))}`);
  const upper = points.map(([a, , high]) => `${px(x(a))},${px(y(high))}`).toReversed();
  return `<polygon points="${[...lower, ...upper].join(" ")}" fill="${color}" opacity=".14"/>`;
}

/** One dot per place. */
export function dots(
  points: readonly (readonly [number, number])[],
  x: Scale,
  y: Scale,
  color: string,
  radius: number,
  opacity = 1,
): string {
  const circles = points.map(([a, b]) =>
    `<circle cx="${px(x(a))}" cy="${px(y(b))}" r="${radius}"/>`
  );
  return `<g fill="${color}" opacity="${opacity}">${circles.join("")}</g>`;
}

/** A bar between two places. */
export function bar(
  [x0, x1, value]: readonly [number, number, number],
  x: Scale,
  y: Scale,
  color: string,
): string {
  const [left, width] = [x(x0), Math.max(x(x1) - x(x0) - 1, 0.5)];
  const top = y(value);
  const height = Math.max(y(0) - top, 0);
  return `<rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${
    px(height)
  }" fill="${color}"/>`;
}

/** A dashed vertical line with words at its top. */
export function mark(
  at: number,
  text: string,
  x: Scale,
  y: Scale,
  domain: readonly number[],
  line = 0,
): string {
  const [low, high] = domain;
  const left = x(at);
  const anchor = left > WIDTH / 2 ? ["end", -6] : ["start", 6];
  return `<line class="ink" x1="${px(left)}" x2="${px(left)}" y1="${px(y(low))}" y2="${
    px(y(high))
  }" stroke-dasharray="4 4"/><text x="${px(left)}" y="${px(y(high) + 12 + 16 * line)}" dx="${
    anchor[1]
  }" text-anchor="${anchor[0]}">${escapeXml(text)}</text>`;
}

/** Least and largest number, with some room. */
export function rangeOf(values: Iterable<number>, room = 0.04): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const extra = room * (high - low || Math.abs(high) || 1);
  return [low - extra, high + extra];
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function px(value: number): string {
  return value.toFixed(1);
}
