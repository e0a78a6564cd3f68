import {
  CATEGORIES,
  colorFrames,
  drawMap,
  framesInside,
  gradientColor,
  nearestFrame,
} from "./map.js";
import { openViewer, showStructure, structureOf } from "./structure.js";

const data = readData(JSON.parse(document.getElementById("cpd-data").textContent));
const element = (id) => document.getElementById(id);
const n = data.n;
const view = {
  canvas: element("map"),
  x: data.components[0],
  y: data.components[Math.min(1, data.components.length - 1)],
  colors: null,
  chosen: data.chosen,
  showChosen: true,
  current: -1,
  marked: [],
  lasso: [],
  style: {},
};
const viewer = data.structures.count.length > 0 ? openViewer(element("viewer")) : null;

/** Arrays from base64, as little-endian numbers. */
function readData(raw) {
  const kinds = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array };
  const read = (value) => {
    if (Array.isArray(value)) return value.map(read);
    if (value === null || typeof value !== "object") return value;
    if (typeof value.base64 === "string") {
      const bytes = Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
      return new (kinds[value.type] ?? Float32Array)(bytes.buffer);
    }
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, read(v)]));
  };
  return read(raw);
}

function idOf(i) {
  return `${data.files[data.fileOf[i]]}@${data.index[i]}`;
}

function redraw() {
  const css = getComputedStyle(document.documentElement);
  const ink = (name) => css.getPropertyValue(name).trim();
  view.style = {
    ink: ink("--ink"),
    line: ink("--line"),
    chosen: ink("--chosen"),
    marked: ink("--marked"),
  };
  drawMap(view);
}

function recolor() {
  const column = data.columns[element("color").value];
  view.colors = colorFrames(column, n);
  const legend = element("legend");
  legend.replaceChildren();
  if (column.names) {
    column.names.slice(0, 12).forEach((name, k) => {
      const chip = document.createElement("i");
      chip.style.background = CATEGORIES[k % CATEGORIES.length];
      const item = document.createElement("span");
      item.append(chip, name);
      legend.append(item);
    });
    if (column.names.length > 12) legend.append(`and ${column.names.length - 12} more`);
  } else {
    const bar = document.createElement("b");
    const stops = [0, 0.25, 0.5, 0.75, 1].map(gradientColor);
    bar.style.background = `linear-gradient(90deg,${stops.join()})`;
    const [low, high] = column.range.map((x) => Number(x.toPrecision(4)));
    legend.append(String(low), bar, `${high}${column.log ? " (log)" : ""}`);
  }
  redraw();
}

/** Shows one frame: its ring on the map, what is known of it, and its structure. */
function show(i) {
  view.current = i;
  redraw();
  const facts = [["frame", idOf(i)], [
    "chosen",
    data.rank[i] > 0 ? `as number ${data.rank[i]}` : "no",
  ]];
  for (const column of data.columns) {
    const value = column.values[i];
    const text = column.names ? column.names[value] : Number(value.toPrecision(6));
    facts.push([column.label, String(text)]);
  }
  element("facts").replaceChildren(...facts.map(([label, text]) => {
    const row = document.createElement("tr");
    const [head, cell] = ["th", "td"].map((tag) => document.createElement(tag));
    head.textContent = label;
    cell.textContent = text;
    row.append(head, cell);
    return row;
  }));
  element("frame").value = idOf(i);
  drawStructure();
}

function drawStructure() {
  const note = element("viewer-note");
  const structure = view.current < 0 ? null : structureOf(data, view.current);
  element("viewer").hidden = !viewer || !structure;
  if (!viewer) note.textContent = "This browser has no WebGL 2: no 3D view.";
  else if (!structure) note.textContent = "The report does not hold this structure.";
  else note.textContent = `${structure.atoms.length} atoms`;
  if (!viewer || !structure) return;
  viewer.resize();
  const copies = Number(element("copies").value);
  showStructure(viewer, structure, {
    copies,
    radii: data.radii,
    bonds: element("bonds").checked && structure.atoms.length * copies ** 3 <= 4000,
  });
}

/** Marks frames; `ids` are what is saved. */
function mark(frames) {
  view.marked = frames;
  const list = element("ids");
  list.value = frames.map(idOf).join("\n");
  element("count").textContent = `${frames.length} frames marked`;
  element("save").disabled = frames.length === 0;
  redraw();
}

function save() {
  const text = view.marked.map((i) => `${idOf(i)}\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "frames.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Dragging draws a lasso, a click shows the nearest frame. */
function watchPointer(canvas) {
  let path = null;
  let dragged = false;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    dragged = false;
    // A finger scrolls the page unless the lasso is switched on.
    if (event.pointerType === "touch" && !element("lasso").checked) return;
    path = [at(event)];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!path) return;
    path.push(at(event));
    view.lasso = path;
    redraw();
  });
  canvas.addEventListener("pointerup", () => {
    const drawn = path;
    path = null;
    view.lasso = [];
    if (!drawn) return;
    const [[x0, y0]] = drawn;
    const moved = drawn.some(([a, b]) => Math.hypot(a - x0, b - y0) > 6);
    if (moved) mark(framesInside(view, drawn));
    dragged = moved;
  });
  canvas.addEventListener("pointercancel", () => {
    path = null;
    view.lasso = [];
    redraw();
  });
  canvas.addEventListener("click", (event) => {
    if (dragged) return; // a click follows every drag
    const i = nearestFrame(view, ...at(event));
    if (i >= 0) show(i);
  });
}

function watchKeys(canvas) {
  const step = {
    ArrowRight: 1,
    ArrowDown: 1,
    ArrowLeft: -1,
    ArrowUp: -1,
    PageDown: 10,
    PageUp: -10,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.key in step) show(((Math.max(view.current, 0) + step[event.key]) % n + n) % n);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(n - 1);
    else if (event.key === "Enter" || event.key === " ") {
      if (view.current < 0) return;
      const without = view.marked.filter((i) => i !== view.current);
      mark(without.length < view.marked.length ? without : [...view.marked, view.current]);
    } else if (event.key === "Escape") mark([]);
    else return;
    event.preventDefault();
  });
}

function fillSelects() {
  const option = (value, label) => {
    const entry = document.createElement("option");
    entry.value = value;
    entry.textContent = label;
    return entry;
  };
  element("color").append(...data.columns.map(({ label }, k) => option(k, label)));
  for (const [id, axis] of [["x", "x"], ["y", "y"]]) {
    const select = element(`axis-${id}`);
    select.append(...data.components.map(({ label }, k) => option(k, label)));
    select.value = data.components.indexOf(view[axis]);
    select.addEventListener("change", () => {
      view[axis] = data.components[select.value];
      redraw();
    });
  }
  element("color").addEventListener("change", recolor);
  element("show-chosen").addEventListener("change", (event) => {
    view.showChosen = event.target.checked;
    redraw();
  });
  element("lasso").addEventListener("change", (event) => {
    view.canvas.classList.toggle("lasso", event.target.checked);
  });
  for (const id of ["copies", "bonds"]) element(id).addEventListener("change", drawStructure);
}

fillSelects();
watchPointer(view.canvas);
watchKeys(view.canvas);
element("save").addEventListener("click", save);
element("mark-chosen").addEventListener("click", () => mark(Array.from(data.chosen)));
element("clear").addEventListener("click", () => mark([]));
element("frame").addEventListener("change", (event) => {
  const wanted = event.target.value.trim();
  for (let i = 0; i < n; i++) if (idOf(i) === wanted) return show(i);
  event.target.value = view.current >= 0 ? idOf(view.current) : "";
});
recolor();
mark([]);
show(data.chosen.length > 0 ? data.chosen[0] : 0);
new ResizeObserver(redraw).observe(view.canvas);
globalThis.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
