import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { once } from "node:events";
import { describeSystemError, UsageError } from "../errors.ts";
import type { FrameEntry } from "../io/inputs.ts";
import { readChunks } from "../io/files.ts";
import { csvLine } from "../io/table.ts";
import type { Distillation, DistillInput } from "../pipeline.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { Console } from "./output.ts";
import type { SizeSearch } from "../suggest_size.ts";
import type { Results } from "./results.ts";
import { drawFigures, htmlReport } from "./html_report.ts";
import { makeReport } from "./run_report.ts";

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
    const figures = drawFigures(results, report);
    mkdirSync(join(partial, "figures"));
    for (const { name, svg } of figures) {
      await writeFile(join(partial, "figures", `${name}.svg`), svg);
    }
    const page = await htmlReport(results, report, figures);
    await writeFile(join(partial, "report.html"), page);
    mkdirSync(command.output, { recursive: true });
    for (const name of readdirSync(partial)) {
      const target = join(command.output, name);
      // A folder cannot be moved over one that holds something.
      if (name === "figures") rmSync(target, { recursive: true, force: true });
      renameSync(join(partial, name), target);
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
