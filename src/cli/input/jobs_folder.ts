import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { csvFields } from "../../io/table.ts";

/** The table of the jobs of a folder. */
export const JOBS = "jobs.csv";

/** Ids of frames and the folders of their jobs, in order; empty where there is no table. */
export function readJobs(folder: string): [id: string, name: string][] {
  const path = join(folder, JOBS);
  if (!existsSync(path)) return [];
  const [, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [id, name] = csvFields(line);
    return [id, name];
  });
}
