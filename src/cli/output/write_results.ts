import { createWriteStream, mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import type { FrameEntry } from "../../io/inputs.ts";
import { readChunks } from "../../io/files.ts";
import { csvLine } from "../../io/table.ts";
import type { Distillation, DistillInput } from "../../pipeline.ts";
import type { PoolOfFrames } from "../input/load_pool.ts";
import type { Console } from "./output.ts";
import type { SizeSearch } from "../../compare/suggest_size.ts";
import type { Results } from "./results.ts";
import { drawFigures, htmlReport } from "./html_report.ts";
import { publish } from "./output_folder.ts";
import { makeReport } from "./run_report.ts";

/** Files that not every run writes. */
const OPTIONAL = /^sizes\.csv$/;

/** Writes every file of a distillation and returns its report. */
export async function writeResults(results: Results, console: Console) {
  return await publish(results.command.output, OPTIONAL, async (folder) => {
    const { entries, result, input, sizes } = results;
    const chosen = entries.filter((_, i) => result.rank[i] > 0).map(({ id }) => id);
    const distilled = new Set(entries);
    const isolated = results.pool.entries.filter((entry) => !distilled.has(entry));
    const copied = new Set([...chosen, ...isolated.map(({ id }) => id)]);
    await copyFrames(results.pool, copied, folder);
    const save = (name: string, content: string) => writeFile(join(folder, name), content);
    await save("selected.txt", chosen.map((id) => `${id}\n`).join(""));
    await save("frames.csv", framesTable(entries, input, result));
    await save("radius.csv", radiusTable(result));
    if (sizes) await save("sizes.csv", sizesTable(sizes));
    results.watch.lap("write");
    const report = makeReport(results, console.warnings);
    await save("report.json", `${JSON.stringify(report, null, 2)}\n`);
    const figures = drawFigures(results, report);
    mkdirSync(join(folder, "figures"));
    for (const { name, svg } of figures) await save(`figures/${name}.svg`, svg);
    await save("report.html", await htmlReport(results, report, figures));
    return report;
  });
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
