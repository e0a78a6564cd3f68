import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Backend } from "../backend.ts";
import { ParseError, RequestError, UsageError } from "../errors.ts";
import type { FrameEntry } from "../io/inputs.ts";
import { checkReadable } from "../io/files.ts";
import { readNpy } from "../io/npy.ts";
import { type Matrix, matrix, takeRows } from "../matrix.ts";
import { distill, type DistillInput } from "../pipeline.ts";
import { autoStrata } from "../select/strata.ts";
import { describePool } from "./describe_pool.ts";
import { loadPool, openModel, type PoolOfFrames } from "./load_pool.ts";
import { openBackend } from "./open_backend.ts";
import type { DistillCommand } from "./options.ts";
import { Console, Stopwatch } from "./output.ts";
import { checkOutput, writeResults } from "./write_results.ts";

/** `cpd distill`: frames → features → principal components → density → selection → files. */
export async function runDistill(command: DistillCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  checkOutput(command.output, command.force);
  const keys = command.stratify === "auto" ? [] : [command.stratify ?? []].flat();
  const pool = await loadPool(command.inputs, keys, command.strict, console);
  let backend: Backend | null = null;
  try {
    watch.lap("read");
    const isolated = pool.entries.filter((entry) => entry.isolatedAtom).length;
    const nFrames = pool.entries.length - isolated;
    console.say(
      `Frames: ${nFrames} in ${pool.files.length} file${pool.files.length > 1 ? "s" : ""}`,
    );
    if (isolated > 0) console.say(`Isolated atoms: ${isolated} frames are kept and not counted`);
    if (command.select > nFrames) {
      throw new RequestError(
        `Cannot choose ${command.select} frames: there are only ${nFrames}; lower -n`,
      );
    }
    backend = await openBackend(command, console);
    const described = await describe(command, pool, backend, console);
    watch.lap("descriptors");

    const candidates = pool.entries.flatMap((entry, row) => (entry.isolatedAtom ? [] : [row]));
    const entries = candidates.map((row) => pool.entries[row]);
    const input: DistillInput = {
      frames: entries,
      features: takeRows(described.features, candidates),
      strata: command.stratify === null ? null : strataOf(command.stratify, entries),
      keep: placesOf(command.keep, entries),
      reference: described.reference,
    };
    const result = await distill(input, command, backend);
    watch.lap("selection");
    const duplicates = result.representative.reduce((n, r, i) => n + Number(r !== i), 0);
    if (duplicates > 0) {
      console.warn(`${duplicates} of ${nFrames} frames duplicate others and were left out`);
    }
    if (command.method === "cpd" && command.select > nFrames / 1.5) {
      console.warn(
        `${command.select} of ${nFrames} frames is more than two thirds: the pools cover every frame, ` +
          "and the choice is close to random",
      );
    }
    const report = await writeResults(
      { command, pool, entries, input, result, backend, model: described.model, watch },
      console,
    );
    if (command.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    console.say(
      `Chose ${command.select} of ${nFrames} frames: r_c = ${
        result.search.radii[result.search.chosen].toPrecision(4)
      }, ${result.scores.cols} components; wrote ${command.output}/`,
    );
  } finally {
    await backend?.close();
    await pool.dispose();
  }
}

/** Features of the pool and of the reference set, by a model or from a file. */
async function describe(
  command: DistillCommand,
  pool: PoolOfFrames,
  backend: Backend,
  console: Console,
): Promise<{
  features: Matrix;
  reference: Matrix | null;
  model: { name: string; sha256: string } | null;
}> {
  if (command.features !== null) {
    if (command.reference !== null || command.model !== null) {
      const other = command.reference !== null ? "--reference" : "--model";
      throw new UsageError(`Cannot combine --features with ${other}: give one of them`);
    }
    return { features: readFeatures(command.features, pool), reference: null, model: null };
  }
  const elements = new Set(pool.elements);
  const existing = command.reference === null
    ? null
    : await loadPool([command.reference], [], command.strict, console);
  try {
    existing?.elements.forEach((z) => elements.add(z));
    const all = [...elements].sort((a, b) => a - b);
    const { model, name, bytes } = openModel(command.model, all, console);
    if (command.layers !== null && command.layers > model.layers.length) {
      throw new UsageError(
        `Cannot use --layers ${command.layers}: the model has ${model.layers.length}`,
      );
    }
    const run = (frames: PoolOfFrames) =>
      describePool({ ...frames, elements: all }, model, bytes, command, backend, console);
    return {
      features: await run(pool),
      reference: existing && await run(existing),
      model: { name, sha256: createHash("sha256").update(bytes).digest("hex") },
    };
  } finally {
    await existing?.dispose();
  }
}

/** Rows of features from a file, one per frame. */
export function readFeatures(path: string, pool: PoolOfFrames): Matrix {
  checkReadable(path);
  const { rows, cols, data } = readNpy(readFileSync(path), path);
  if (rows !== pool.entries.length) {
    throw new ParseError(path, `it holds ${rows} rows for ${pool.entries.length} frames`);
  }
  return matrix(rows, cols, data);
}

function strataOf(stratify: string, entries: readonly FrameEntry[]): string[] {
  if (stratify === "auto") {
    const volumes = Float64Array.from(entries, (entry) => entry.volume);
    return autoStrata(entries.map((entry) => entry.formula), volumes);
  }
  return valuesOf(stratify, "--stratify", entries);
}

/** Values of a comment-line key in every frame.
 * @throws {ParseError} naming the first frame without it */
export function valuesOf(key: string, flag: string, entries: readonly FrameEntry[]): string[] {
  return entries.map(({ values, id }) => {
    if (values[key] !== undefined) return values[key];
    throw new ParseError(id, `its comment line has no key "${key}" for ${flag}`);
  });
}

/** Places of the frames to keep, by id; a file of ids, one a line, may be given instead. */
function placesOf(keep: readonly string[], entries: readonly FrameEntry[]): number[] {
  let ids = keep;
  const place = new Map(entries.map(({ id }, row) => [id, row]));
  if (keep.length === 1 && !place.has(keep[0])) {
    checkReadable(keep[0]);
    ids = readFileSync(keep[0], "utf8").split("\n").map((id) => id.trim()).filter(Boolean);
  }
  return ids.map((id) => {
    const row = place.get(id);
    if (row === undefined) throw new RequestError(`Cannot keep "${id}": there is no such frame`);
    return row;
  });
}
