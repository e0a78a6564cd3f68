import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Backend } from "../../backend.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import { distinctElements } from "../../frame.ts";
import { type FrameEntry, NO_KEYS } from "../../io/inputs.ts";
import { checkReadable } from "../../io/files.ts";
import { readNpy } from "../../io/npy.ts";
import { type Matrix, matrix, takeRows } from "../../matrix.ts";
import {
  type Distillation,
  type DistillInput,
  type MeasuredPool,
  measurePool,
  selectFrames,
} from "../../pipeline.ts";
import { autoStrata } from "../../select/strata.ts";
import { type SizeSearch, suggestSize } from "../../compare/suggest_size.ts";
import { describePool } from "../input/describe_pool.ts";
import { isInterrupted } from "../interrupt.ts";
import { energiesOf, groupsOf, valuesOf } from "../input/labels.ts";
import {
  loadOptions,
  loadPool,
  type OpenedModel,
  openModel,
  type PoolOfFrames,
  sourcesOf,
} from "../input/load_pool.ts";
import { matchRows, withoutIsolatedAtoms } from "../input/isolated_atoms.ts";
import { openBackend } from "../open_backend.ts";
import type { DistillCommand } from "../syntax/options.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { modelUsed } from "../output/results.ts";
import { checkOutput } from "../output/output_folder.ts";
import { writeResults } from "../output/write_results.ts";

/** Seeds over which coverage is averaged where a size is proposed without energies. */
const COVERAGE_SEEDS = 5;

/** `cpd distill`: frames → features → principal components → density → selection → files. */
export async function runDistill(command: DistillCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  checkOutput(command.output, command.force, sourcesOf(command));
  const pool = await loadPool(command.inputs, await loadOptions(command, true), console);
  let [backend, existing]: [Backend | null, PoolOfFrames | null] = [null, null];
  try {
    watch.lap("read");
    existing = await loadReference(command, console);
    const opened = command.features === null
      ? openModel(command, together(pool, existing), console)
      : null;
    const frames = candidatesOf(command, pool, console);
    backend = await openBackend(command, console);
    const input = await inputOf(command, { pool, existing, opened, frames }, backend, console);
    watch.lap("descriptors");

    const { sizes, select, result } = await choose(
      command,
      input,
      frames.entries,
      backend,
      console,
    );
    watch.lap("selection");
    warnAbout(command, select, result, console);
    const model = opened && modelUsed(opened);
    const report = await writeResults(
      {
        command,
        pool,
        entries: frames.entries,
        input,
        result,
        select,
        sizes,
        backend,
        model,
        watch,
      },
      console,
    );
    if (command.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    console.say(
      `Chose ${select} of ${frames.entries.length} frames: r_c = ${
        result.search.radii[result.search.chosen].toPrecision(4)
      }, ${result.scores.cols} components; wrote ${command.output}/`,
    );
  } finally {
    await backend?.close();
    await existing?.dispose();
    await pool.dispose();
  }
}

/** Principal components and density of the frames, and those that are chosen. */
async function choose(
  command: DistillCommand,
  input: DistillInput,
  entries: readonly FrameEntry[],
  backend: Backend,
  console: Console,
) {
  const measured = await measurePool(input, command, backend);
  const sizes = command.select === "auto"
    ? await proposeSize(command, measured, entries, backend, console)
    : null;
  const select = sizes?.size ?? Number(command.select);
  return { sizes, select, result: selectFrames(measured, { ...command, select }) };
}

/** The existing training set, or null. */
async function loadReference(
  { reference, strict, species, output }: DistillCommand,
  console: Console,
): Promise<PoolOfFrames | null> {
  return reference === null
    ? null
    : await loadPool([reference], { keys: NO_KEYS, strict, species, output }, console);
}

/** Elements and frames of the pool and of the reference set. */
function together(pool: PoolOfFrames, existing: PoolOfFrames | null): PoolOfFrames {
  const elements = distinctElements([...pool.elements, ...existing?.elements ?? []]);
  const entries = [...pool.entries, ...existing?.entries ?? []];
  return { ...pool, elements, entries };
}

/** The frames to choose from: all but isolated atoms.
 * @throws {RequestError} if more are wanted */
function candidatesOf(
  { select }: DistillCommand,
  pool: PoolOfFrames,
  console: Console,
): PoolOfFrames {
  const frames = withoutIsolatedAtoms(pool, "kept and not counted", console);
  const n = frames.entries.length;
  if (select !== "auto" && select > n) {
    throw new RequestError(`Cannot choose ${select} frames: there are only ${n}; lower -n`);
  }
  return frames;
}

/** The number of frames that the data ask for.
 * @throws {RequestError} where they do not allow an answer */
async function proposeSize(
  command: DistillCommand,
  { input, order, unique, search }: MeasuredPool,
  entries: readonly FrameEntry[],
  backend: Backend,
  console: Console,
): Promise<SizeSearch> {
  const rows = unique.map((row) => order[row]);
  const frames = rows.map((row) => entries[row]);
  const volume = Float64Array.from(frames, (entry) => entry.volume);
  const strata = input.strata
    ? rows.map((row) => input.strata![row])
    : autoStrata(frames.map(({ formula }) => formula), volume);
  const progress = console.progress("Sizes", 100, "%");
  const found = await suggestSize(
    {
      frames,
      features: takeRows(input.features, rows),
      energy: energiesOf(command.energyKey, frames, console),
      groups: groupsOf(command.groupBy, frames),
      ...{ volume, strata },
    },
    search.radii[search.chosen],
    { ...command, stratified: input.strata !== null, seeds: COVERAGE_SEEDS },
    backend,
    (share) => {
      progress(Math.round(100 * share));
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
    },
  );
  if (found.size === null) {
    throw new RequestError(`Cannot propose a number of frames: ${found.reason}; give -n N`);
  }
  console.say(`Size: ${found.reason}`);
  return found;
}

function warnAbout(
  { method }: DistillCommand,
  select: number,
  { rank, representative, nKnown }: Distillation,
  console: Console,
): void {
  if (nKnown > 0) {
    console.warn(`${nKnown} frames are in the reference set already and were not chosen from`);
  }
  const n = representative.length;
  const duplicates = representative.reduce((n, r, i) => n + Number(r !== i && rank[i] === 0), 0);
  if (duplicates > 0) {
    console.warn(`${duplicates} of ${n} frames duplicate others and were left out`);
  }
  if (method === "rnd") {
    console.say(
      "rnd depends on its initial networks: cpd compare --methods rnd,random shows the spread over seeds",
    );
  }
  if (method === "cpd" && select > n / 1.5) {
    console.warn(
      `${select} of ${n} frames is more than two thirds: the pools cover every frame, ` +
        "and the choice is close to random",
    );
  }
}

/** What was read, and the frames of it to choose from. */
interface Opened {
  readonly pool: PoolOfFrames;
  readonly existing: PoolOfFrames | null;
  readonly opened: OpenedModel | null;
  readonly frames: PoolOfFrames;
}

/** Features, strata and kept frames. */
async function inputOf(
  command: DistillCommand,
  { pool, existing, opened, frames }: Opened,
  backend: Backend,
  console: Console,
): Promise<DistillInput> {
  const { entries } = frames;
  return {
    frames: entries,
    strata: command.stratify === null ? null : strataOf(command.stratify, entries),
    keep: placesOf(command.keep, entries),
    ...opened
      ? await describe(command, frames, existing, opened, backend, console)
      : { features: readFeatures(command.features!, pool, frames), reference: null },
  };
}

/** Features of the pool and of the reference set. */
async function describe(
  command: DistillCommand,
  pool: PoolOfFrames,
  existing: PoolOfFrames | null,
  { model, bytes, elements }: OpenedModel,
  backend: Backend,
  console: Console,
): Promise<{ features: Matrix; reference: Matrix | null }> {
  const run = (frames: PoolOfFrames) =>
    describePool({ ...frames, elements }, model, bytes, command, backend, console);
  const features = await run(pool);
  if (!existing) return { features, reference: null };
  const entries = existing.entries.filter(({ isolated }) => !isolated);
  return { features, reference: await run({ ...existing, entries }) };
}

/** Rows of features from a file for the frames of the pool that are left. */
export function readFeatures(path: string, pool: PoolOfFrames, left: PoolOfFrames): Matrix {
  checkReadable(path);
  const { rows, cols, data } = readNpy(readFileSync(path), path);
  return matchRows(matrix(rows, cols, data), path, pool, left);
}

function strataOf(stratify: string, entries: readonly FrameEntry[]): string[] {
  if (stratify === "auto") {
    const volumes = Float64Array.from(entries, (entry) => entry.volume);
    return autoStrata(entries.map((entry) => entry.formula), volumes);
  }
  return valuesOf(stratify, "--stratify", entries);
}

/** Places of the frames to keep, by id; a file of ids, one a line, may be given instead. */
function placesOf(keep: readonly string[], entries: readonly FrameEntry[]): number[] {
  let ids = keep;
  const place = new Map(entries.map(({ id }, row) => [id, row]));
  if (keep.length === 1 && !place.has(keep[0])) {
    if (!existsSync(keep[0])) {
      throw new RequestError(
        `Cannot keep "${keep[0]}": it is neither the id of a frame in the pool nor a file of ids`,
      );
    }
    checkReadable(keep[0]);
    ids = readFileSync(keep[0], "utf8").split("\n").map((id) => id.trim()).filter(Boolean);
  }
  return [...new Set(ids)].map((id) => {
    const row = place.get(id);
    if (row === undefined) throw new RequestError(`Cannot keep "${id}": there is no such frame`);
    return row;
  });
}
