/** Colours of a numeric value from low to high. */
const GRADIENT = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"].map(parseColor);
/** Colours of categories. */
export const CATEGORIES = [
  "#2878b5",
  "#d1432b",
  "#2e8b57",
  "#8a5cc2",
  "#b87900",
  "#6b7280",
  "#c2478b",
  "#3b9aa8",
];
const MISSING = "#9aa5b1";
const SHADES = 64;
const MARGIN = { left: 46, right: 12, top: 10, bottom: 34 };

function parseColor(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Colour of a share between 0 and 1. */
export function gradientColor(share) {
  const at = Math.min(Math.max(share, 0), 1) * (GRADIENT.length - 1);
  const low = Math.min(Math.floor(at), GRADIENT.length - 2);
  const mixed = GRADIENT[low].map((c, k) => c + (at - low) * (GRADIENT[low + 1][k] - c));
  return `rgb(${mixed.map(Math.round).join()})`;
}

/** A colour for every frame: the palette and the place of each frame in it. */
export function colorFrames(column, n) {
  const index = new Uint8Array(n);
  if (column.names) {
    for (let i = 0; i < n; i++) index[i] = column.values[i] % CATEGORIES.length;
    return { palette: CATEGORIES, index };
  }
  const [low, high] = column.range;
  const log = column.log && low >= 0;
  const place = (x) => (log ? Math.log1p(x) : x);
  const span = place(high) - place(low) || 1;
  for (let i = 0; i < n; i++) {
    const x = column.values[i];
    const share = (place(x) - place(low)) / span;
    // A value in float32 may lie a little outside of its range.
    const shade = Math.min(Math.max(Math.floor(share * SHADES), 0), SHADES - 1);
    index[i] = Number.isFinite(x) ? shade : SHADES;
  }
  const shades = Array.from({ length: SHADES }, (_, s) => gradientColor((s + 0.5) / SHADES));
  return { palette: [...shades, MISSING], index };
}

/** Draws the map and finds frames on it; `view` holds canvas, axes, colours, selection and lasso. */
export function drawMap(view) {
  const { canvas, x, y, colors, chosen, current, marked, lasso, style } = view;
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  view.toX = scale(x.range, MARGIN.left, width - MARGIN.right);
  view.toY = scale(y.range, height - MARGIN.bottom, MARGIN.top);
  drawAxes(pen, view, width, height);
  const n = x.values.length;
  const size = n > 20000 ? 1.6 : n > 2000 ? 2.4 : 4;
  const order = framesByColor(colors, n);
  let last = -1;
  pen.globalAlpha = n > 2000 ? 0.75 : 0.9;
  for (const i of order) {
    if (colors.index[i] !== last) pen.fillStyle = colors.palette[last = colors.index[i]];
    pen.fillRect(view.toX(x.values[i]) - size / 2, view.toY(y.values[i]) - size / 2, size, size);
  }
  pen.globalAlpha = 1;
  if (view.showChosen) ring(pen, view, chosen, 3.6, style.chosen, 1.4);
  ring(pen, view, marked, 5.4, style.marked, 1.6);
  if (current >= 0) ring(pen, view, [current], 8, style.ink, 2);
  if (lasso.length > 1) {
    pen.beginPath();
    lasso.forEach(([a, b], k) => (k ? pen.lineTo(a, b) : pen.moveTo(a, b)));
    pen.closePath();
    pen.strokeStyle = style.ink;
    pen.setLineDash([4, 3]);
    pen.stroke();
    pen.setLineDash([]);
  }
}

/** Frames of one colour after the other, so that a pen changes its ink seldom. */
function framesByColor({ index, palette }, n) {
  const first = new Uint32Array(palette.length + 1);
  for (let i = 0; i < n; i++) first[index[i] + 1]++;
  for (let c = 0; c < palette.length; c++) first[c + 1] += first[c];
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[first[index[i]]++] = i;
  return order;
}

function drawAxes(pen, { x, y, toX, toY, style }, width, height) {
  pen.clearRect(0, 0, width, height);
  pen.strokeStyle = style.line;
  pen.fillStyle = style.ink;
  pen.font = "12px system-ui, sans-serif";
  pen.beginPath();
  pen.moveTo(MARGIN.left, MARGIN.top);
  pen.lineTo(MARGIN.left, height - MARGIN.bottom);
  pen.lineTo(width - MARGIN.right, height - MARGIN.bottom);
  pen.stroke();
  pen.textAlign = "center";
  for (const tick of ticks(x.range)) pen.fillText(tick, toX(tick), height - MARGIN.bottom + 14);
  pen.fillText(x.label, (MARGIN.left + width) / 2, height - 5);
  pen.textAlign = "right";
  for (const tick of ticks(y.range)) pen.fillText(tick, MARGIN.left - 5, toY(tick) + 4);
  pen.save();
  pen.translate(11, height / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(y.label, 0, 0);
  pen.restore();
}

function ring(pen, { x, y, toX, toY }, frames, radius, color, width) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  for (const i of frames) {
    pen.beginPath();
    pen.arc(toX(x.values[i]), toY(y.values[i]), radius, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.lineWidth = 1;
}

function scale([low, high], from, to) {
  const room = 0.03 * (high - low || 1);
  const span = high - low + 2 * room || 1;
  return (value) => from + (value - low + room) / span * (to - from);
}

function ticks([low, high]) {
  const step = 10 ** Math.floor(Math.log10((high - low) / 4 || 1));
  const wide = (high - low) / step > 20 ? 5 * step : (high - low) / step > 8 ? 2 * step : step;
  const found = [];
  for (let k = Math.ceil(low / wide); k * wide <= high; k++) {
    found.push(Number((k * wide).toPrecision(10)));
  }
  return found;
}

/** The frame nearest to a place on the canvas, or -1 where none is within 14 pixels. */
export function nearestFrame({ x, y, toX, toY }, left, top) {
  let [best, least] = [-1, 14 ** 2];
  for (let i = 0; i < x.values.length; i++) {
    const d2 = (toX(x.values[i]) - left) ** 2 + (toY(y.values[i]) - top) ** 2;
    if (d2 < least) [best, least] = [i, d2];
  }
  return best;
}

/** Frames inside a polygon on the canvas (even-odd rule). */
export function framesInside({ x, y, toX, toY }, polygon) {
  const inside = [];
  for (let i = 0; i < x.values.length; i++) {
    const [px, py] = [toX(x.values[i]), toY(y.values[i])];
    let odd = false;
    polygon.forEach(([ax, ay], k) => {
      const [bx, by] = polygon[(k + 1) % polygon.length];
      if (ay > py !== by > py && px < (bx - ax) * (py - ay) / (by - ay) + ax) odd = !odd;
    });
    if (odd) inside.push(i);
  }
  return inside;
}
