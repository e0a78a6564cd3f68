import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { once } from "node:events";
import { compareWithRandom, type Coverage, leakage, occupancy } from "../analysis/coverage.ts";
import { formatReport } from "../analysis/report.ts";
import type { Backend } from "../backend.ts";
import { describeSystemError, UsageError } from "../errors.ts";
import type { FrameEntry } from "../io/inputs.ts";
import { readChunks } from "../io/files.ts";
import { csvLine } from "../io/table.ts";
import { takeRows } from "../matrix.ts";
import type { Distillation, DistillInput } from "../pipeline.ts";
import { autoStrata } from "../select/strata.ts";
import type { SizeSearch } from "../suggest_size.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { DistillCommand } from "./options.ts";
import type { Console, Stopwatch } from "./output.ts";
import { VERSION } from "./version.ts";

export interface Results {
  readonly command: DistillCommand;
  /** Number of frames that were chosen. */
  readonly select: number;
  /** The search for that number, where it was asked for. */
  readonly sizes: SizeSearch | null;
  readonly pool: PoolOfFrames;
  /** The frames that were distilled: the pool without isolated atoms. */
  readonly entries: readonly FrameEntry[];
  readonly input: DistillInput;
  readonly result: Distillation;
  readonly backend: Backend;
  readonly model: { readonly name: string; readonly sha256: string } | null;
  readonly watch: Stopwatch;
}

/** Refuses a folder that holds something, unless it may be overwritten, or that cannot be written.
 * @throws {UsageError} */
export function checkOutput(folder: string, force: boolean): void {
  const partial = partialFolder(folder);
  try {
    mkdirSync(partial, { recursive: true });
    rmSync(partial, { recursive: true });
  } catch (error) {
    throw describeSystemError(Object.assign(error as Error, { path: folder }));
  }
  if (!existsSync(folder)) return;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new UsageError(`Cannot write into "${folder}": it is not a directory`);
  }
  if (names.length > 0 && !force) {
    throw new UsageError(
      `Cannot write into "${folder}": it is not empty; use --force or another -o`,
    );
  }
}

/** Where files are written before they are moved into the output folder. */
function partialFolder(folder: string): string {
  return `${folder.replace(/\/+$/, "")}.partial-${process.pid}`;
}

/** Writes every file of a distillation beside the output folder, then moves them in. */
export async function writeResults(results: Results, console: Console) {
  const { command, entries, result, input } = results;
  const partial = partialFolder(command.output);
  mkdirSync(partial, { recursive: true });
  try {
    const chosen = new Set(entries.filter((_, i) => result.rank[i] > 0).map(({ id }) => id));
    for (const entry of results.pool.entries) if (entry.isolatedAtom) chosen.add(entry.id);
    await copyFrames(results.pool, chosen, partial);
    const ids = entries.filter((_, i) => result.rank[i] > 0).map(({ id }) => `${id}\n`);
    await writeFile(join(partial, "selected.txt"), ids.join(""));
    await writeFile(join(partial, "frames.csv"), framesTable(entries, input, result));
    await writeFile(join(partial, "radius.csv"), radiusTable(result));
    if (results.sizes) await writeFile(join(partial, "sizes.csv"), sizesTable(results.sizes));
    results.watch.lap("write");
    const report = makeReport(results, console.warnings);
    await writeFile(join(partial, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(
      join(partial, "report.html"),
      formatReport(facts(report), console.warnings, result),
    );
    mkdirSync(command.output, { recursive: true });
    for (const name of readdirSync(partial)) {
      renameSync(join(partial, name), join(command.output, name));
    }
    return report;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Copies the bytes of every frame into `selected.xyz` or `rest.xyz`, in input order. */
async function copyFrames(
  pool: PoolOfFrames,
  chosen: ReadonlySet<string>,
  folder: string,
): Promise<void> {
  const outputs = ["selected.xyz", "rest.xyz"].map((name) => {
    const stream = createWriteStream(join(folder, name));
    return { stream, lastByte: 10 };
  });
  for (const { name, path } of pool.files) {
    const ranges = pool.entries.filter((entry) => entry.file === name)
      .sort((a, b) => a.start - b.start);
    let position = 0;
    let r = 0;
    for await (const chunk of readChunks(path)) {
      while (r < ranges.length && ranges[r].start < position + chunk.length) {
        const { start, end, id } = ranges[r];
        const part = chunk.subarray(Math.max(start - position, 0), end - position);
        const output = outputs[chosen.has(id) ? 0 : 1];
        // A file may end without a line feed; the next frame must still start on its own line.
        if (start >= position && output.lastByte !== 10) output.stream.write("\n");
        if (part.length > 0) {
          output.lastByte = part[part.length - 1];
          if (!output.stream.write(Uint8Array.from(part))) await once(output.stream, "drain");
        }
        if (end > position + chunk.length) break;
        r++;
      }
      position += chunk.length;
      if (r === ranges.length) break;
    }
  }
  for (const { stream } of outputs) {
    stream.end();
    await once(stream, "finish");
  }
}

function framesTable(
  entries: readonly FrameEntry[],
  { strata }: DistillInput,
  { rank, pool, density, scores }: Distillation,
): string {
  const components = Array.from({ length: scores.cols }, (_, k) => `pc${k + 1}`);
  const header = "id,file,index,n_atoms,formula,selected,pool,rank,density".split(",");
  const lines = [csvLine([...header, ...components, ...(strata ? ["stratum"] : [])])];
  entries.forEach((entry, i) => {
    const row = scores.data.subarray(i * scores.cols, (i + 1) * scores.cols);
    lines.push(csvLine([
      entry.id,
      entry.file,
      entry.index,
      entry.nAtoms,
      entry.formula,
      rank[i] > 0 ? 1 : 0,
      pool[i],
      rank[i] > 0 ? rank[i] : "",
      density[i],
      ...row,
      ...(strata ? [strata[i]] : []),
    ]));
  });
  return lines.join("");
}

function radiusTable({ search }: Distillation): string {
  const { radii, variance, isolatedFraction, objective } = search;
  const lines = [csvLine(["radius", "variance", "isolated_fraction", "objective"])];
  radii.forEach((r, b) => {
    lines.push(csvLine([r, variance[b], isolatedFraction[b], objective[b]]));
  });
  return lines.join("");
}

function sizesTable({ rows }: SizeSearch): string {
  const lines = rows.map(({ size, value, excess, upper }) => csvLine([size, value, excess, upper]));
  return csvLine(["size", "value", "excess", "upper"]) + lines.join("");
}

/** Everything needed to repeat the run. */
function makeReport(results: Results, warnings: readonly string[]) {
  const { command, pool, result, backend, model, watch } = results;
  const versions = process.versions as Record<string, string | undefined>;
  const runtime = versions.deno ? `deno ${versions.deno}` : `bun ${versions.bun}`;
  const { search, components, poolSizes } = result;
  return {
    program: "cpd",
    version: VERSION,
    runtime,
    platform: `${process.platform} ${process.arch}`,
    backend: backend.name,
    backend_description: backend.description,
    options: { ...command, seed: Number(command.seed) },
    seed: Number(command.seed),
    inputs: pool.files.map(({ name, sha256 }) => ({ file: name, sha256 })),
    model,
    n_frames: results.entries.length,
    n_selected: results.select,
    left_out: pool.leftOut,
    n_duplicates: result.representative.reduce((n, r, i) => n + Number(r !== i), 0),
    method: command.method,
    radius: search.radii[search.chosen],
    radius_objective: command.objective,
    n_pairs_decided_in_float64: search.nUndecided,
    n_components: components.loadings.cols,
    explained_variance: Array.from(components.explainedVariance),
    pool_sizes: poolSizes,
    ...(results.sizes && { size_search: sizeReport(results.sizes) }),
    coverage: coverageReport(results),
    occupancy: occupancyReport(results),
    warnings,
    seconds: watch.seconds,
  };
}

/** The search for the number of frames, energies in eV/atom. */
function sizeReport({ criterion, limit, reason, rows }: SizeSearch) {
  return { criterion, limit, reason, rows };
}

/** Places of the chosen frames. */
function chosenOf({ rank }: Distillation): number[] {
  return [...rank.keys()].filter((i) => rank[i] > 0);
}

/** Measures of the choice beside random ones of the same size; distances between the unique frames. */
function coverageReport({ result }: Results) {
  const unique = [...result.representative.keys()].filter((i) => result.representative[i] === i);
  const chosen = unique.flatMap((i, u) => (result.rank[i] > 0 ? [u] : []));
  const found = compareWithRandom(takeRows(result.scores, unique), chosen);
  const named = (c: Coverage) => ({
    covering_radius: c.coveringRadius,
    mean_distance: c.meanDistance,
    distance_95: c.distance95,
    feature_coverage: c.featureCoverage,
    energy_distance: c.energyDistance,
    entropy: c.entropy,
    diversity: c.diversity,
    overlap: c.overlap,
  });
  return {
    kernel_width: found.kernelWidth,
    chosen: named(found.chosen),
    random: named(found.random),
    n_random_draws: found.nDraws,
    ...(result.reference && {
      distance_to_reference: leakage(result.scores, chosenOf(result), result.reference),
    }),
  };
}

/** Frames and chosen ones per file, and per stratum of composition and volume (and the key's own). */
function occupancyReport({ entries, input, result }: Results) {
  const chosen = chosenOf(result);
  const volumes = Float64Array.from(entries, ({ volume }) => volume);
  const rows = (strata: readonly string[]) =>
    occupancy(strata, chosen).map(({ stratum, nFrames, nChosen }) => ({
      stratum,
      n_frames: nFrames,
      n_chosen: nChosen,
    }));
  return {
    file: rows(entries.map(({ file }) => file)),
    volume: rows(autoStrata(entries.map(({ formula }) => formula), volumes)),
    ...(input.strata && { stratum: rows(input.strata) }),
  };
}

/** What the page for people shows of the report. */
function facts(report: ReturnType<typeof makeReport>): [string, string][] {
  const explained = report.explained_variance.reduce((sum, v) => sum + v, 0);
  const { central, peripheral } = report.pool_sizes;
  const { chosen, random } = report.coverage;
  return [
    ["Method", report.method],
    ["Frames", `${report.n_selected} chosen of ${report.n_frames}`],
    ["Duplicates left out", String(report.n_duplicates)],
    ["Density radius r_c", `${report.radius.toPrecision(5)} (${report.radius_objective})`],
    ["Components", `${report.n_components}, ${(100 * explained).toFixed(2)} % of the variance`],
    [
      "Coverage",
      `covering radius ${chosen.covering_radius.toPrecision(3)} (random choice: ${
        random.covering_radius.toPrecision(3)
      }), mean distance ${chosen.mean_distance.toPrecision(3)} (${
        random.mean_distance.toPrecision(3)
      }), feature coverage ${(100 * chosen.feature_coverage).toFixed(0)} % (${
        (100 * random.feature_coverage).toFixed(0)
      } %)`,
    ],
    ["Pools", `${central} central, ${peripheral} peripheral`],
    [
      "Model",
      report.model ? `${report.model.name}, sha256 ${report.model.sha256}` : "features file",
    ],
    ["Backend", `${report.backend}: ${report.backend_description}`],
    ["Seed", String(report.seed)],
    ["Program", `cpd ${report.version}, ${report.runtime}, ${report.platform}`],
    ...report.inputs.map((
      { file, sha256 },
    ): [string, string] => [`Input ${file}`, `sha256 ${sha256}`]),
  ];
}
