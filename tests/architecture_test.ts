import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { projectPath } from "./support.ts";

/** What each folder may import, besides the base files that stand directly in src. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  io: [],
  graph: [],
  model: [],
  linalg: [],
  select: [],
  checkpoint: ["model"],
  scan: ["io", "graph"],
  evaluate: ["io", "model", "scan"],
  jobs: ["io"],
  potential: ["backend", "model"],
  speed: ["backend", "graph", "model", "linalg", "select", "train"],
  train: ["model"],
  dynamics: ["model"],
  analyze: ["dynamics", "graph", "scan"],
  report: ["analyze", "compare", "evaluate", "pipeline", "scan", "select", "train"],
  backend: ["graph", "model", "linalg", "select", "train"],
  pipeline: ["backend", "model", "linalg", "select"],
  compare: ["backend", "pipeline", "model", "train", "linalg", "select"],
  cpu: ["backend", "graph", "model", "linalg", "select", "train"],
  gpu: ["backend", "graph", "model", "linalg", "select", "train"],
  cli: [
    "analyze",
    "dynamics",
    "graph",
    "jobs",
    "evaluate",
    "potential",
    "speed",
    "compare",
    "pipeline",
    "backend",
    "cpu",
    "gpu",
    "checkpoint",
    "report",
    "scan",
    "train",
    "io",
    "model",
    "linalg",
    "select",
  ],
};
/** Definitions that no kernel's host may import: the three implementations judge each other. */
const DEFINITIONS =
  /model\/(mace|mace_layer|mace_mixes|parameter_gradients|potential|spherical_harmonics|radial_basis|atomic_basis|channel_mix|product_basis|schnet)\.ts$|linalg\/covariance\.ts$/;
const MAX_LINES = 400;
const MAX_FUNCTION_LINES = 60;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : /\.(ts|wgsl|js)$/.test(entry.name) ? [path] : [];
  });
}

const root = projectPath("");
const src = join(root, "src");
const files = sources(src).filter((path) => !path.startsWith(join(src, "wasm")));

function layer(path: string): string {
  const [first, second] = relative(src, path).split("/");
  if (second !== undefined) return first;
  const name = first.replace(/\.ts$/, "");
  return name in MAY_IMPORT ? name : "base";
}

function imports(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const found = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g)];
  return found.map((match) => resolve(dirname(path), match[1]));
}

test("imports point in one direction", () => {
  for (const path of files) {
    const from = layer(path);
    for (const target of imports(path)) {
      const to = layer(target);
      const allowed = to === from || to === "base" || MAY_IMPORT[from].includes(to);
      assert.ok(allowed, `${relative(root, path)} imports ${relative(root, target)}`);
      if (from === "cpu" || from === "gpu") {
        assert.doesNotMatch(target, DEFINITIONS, `${relative(root, path)} imports a definition`);
      }
    }
  }
});

test("imports have no cycle", () => {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    assert.ok(
      !trail.includes(path),
      `cycle: ${[...trail, path].map((p) => relative(root, p)).join(" → ")}`,
    );
    if (done.has(path)) return;
    for (const target of imports(path)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of files) visit(path, []);
});

test("files and functions are short", () => {
  const all = [...sources(src), ...sources(join(root, "tests")), ...sources(join(root, "shaders"))];
  const long: string[] = [];
  for (const path of all) {
    if (path.endsWith("embedded.ts")) continue;
    const lines = readFileSync(path, "utf8").split("\n");
    if (lines.length > MAX_LINES) long.push(`${relative(root, path)} has ${lines.length} lines`);
    let start = -1;
    lines.forEach((line, i) => {
      if (/^(export )?(async )?function/.test(line)) start = i;
      if (line === "}" && start >= 0) {
        const length = i - start + 1;
        // A kernel's arguments stand one to a line.
        const allowed = path.includes("/wasm/") ? 2 * MAX_FUNCTION_LINES : MAX_FUNCTION_LINES;
        if (length > allowed) long.push(`${relative(root, path)}:${start + 1} has ${length} lines`);
        start = -1;
      }
    });
  }
  assert.deepEqual(long, []);
});

test("nothing speaks of the machine it was written on, or of work left undone", () => {
  const all = [...files, ...sources(join(root, "shaders")), ...sources(join(src, "wasm"))];
  for (const path of all) {
    const text = readFileSync(path, "utf8");
    assert.doesNotMatch(
      text,
      /\/(work|root|home)\/|\bTODO\b|\bFIXME\b|\bXXX\b/,
      relative(root, path),
    );
  }
});
