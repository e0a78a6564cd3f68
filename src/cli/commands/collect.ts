import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { InterruptedError, RequestError, UsageError } from "../../errors.ts";
import type { Frame } from "../../frame.ts";
import { OWN_KEYS, recordText } from "../../io/formats/frame_record.ts";
import { readFrames } from "../../io/inputs.ts";
import { csvLine } from "../../io/table.ts";
import { collectJob, type JobResult, SENT } from "../../jobs/collect_job.ts";
import { textTable } from "../../report/text_table.ts";
import { JOBS, readJobs } from "../input/jobs_folder.ts";
import { isInterrupted } from "../interrupt.ts";
import { Console } from "../output/output.ts";
import { checkTarget } from "../output/output_folder.ts";
import type { CollectCommand } from "../syntax/jobs_options.ts";

/** A job and what became of it. */
interface Collected {
  readonly folder: string;
  readonly id: string;
  readonly frame: Frame | null;
  readonly status: JobResult["status"] | "other settings";
  readonly reason: string;
  readonly labels: JobResult["labels"];
}

/** Jobs named in a warning. */
const NAMED = 5;

/** `cpd collect`: labels of the jobs that are done and right, as extended XYZ. */
export async function runCollect(command: CollectCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { folders, output, force } = command;
  checkTarget(output, force, []);
  const jobs: (Collected & { settings: string | null })[] = [];
  for (const folder of folders) {
    const rows = readJobs(folder);
    if (rows.length === 0) {
      throw new UsageError(`Cannot collect from "${folder}": it has no ${JOBS} of cpd jobs`);
    }
    const report = console.progress(`Jobs of ${folder}`, rows.length, "jobs");
    for (const [id, name] of rows) {
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      jobs.push(await collectOne(join(folder, name), id));
      report(jobs.length);
    }
  }
  const all = withoutOthers(jobs);
  const done = all.filter(({ status }) => status === "done");
  const partial = `${output}.partial-${process.pid}`;
  try {
    writeFileSync(partial, done.map(textOf).join(""));
    const rows = all.map(({ folder, id, status, reason }) => csvLine([folder, id, status, reason]));
    writeFileSync(
      join(dirname(output), "collect.csv"),
      csvLine(["folder", "id", "status", "reason"]) + rows.join(""),
    );
    if (done.length > 0) renameSync(partial, output);
  } finally {
    rmSync(partial, { force: true });
  }
  tell(all, console);
  if (done.length === 0) {
    throw new RequestError(
      `Cannot collect: none of ${all.length} jobs is done; collect.csv says why`,
    );
  }
  console.say(
    `Wrote ${done.length} of ${all.length} frames to ${output}; collect.csv names the others`,
  );
}

async function collectOne(
  folder: string,
  id: string,
): Promise<Collected & { settings: string | null }> {
  let sent: Frame | null = null;
  if (existsSync(join(folder, SENT))) {
    try {
      for await (const frame of readFrames(id, join(folder, SENT), new Set([0]))) sent = frame;
    } catch (error) {
      const reason = `${SENT}: ${(error as Error).message}`;
      return {
        folder,
        id,
        frame: null,
        status: "unreadable",
        reason,
        labels: null,
        settings: null,
      };
    }
  }
  if (sent === null) {
    const reason = `${SENT}, the frame that was sent, is not there`;
    return { folder, id, frame: null, status: "missing", reason, labels: null, settings: null };
  }
  return { folder, id, frame: sent, ...await collectJob(folder, sent) };
}

/** Jobs whose settings are not those of most are not done: labels of two kinds do not go together. */
function withoutOthers(jobs: readonly (Collected & { settings: string | null })[]): Collected[] {
  const done = jobs.filter(({ status }) => status === "done");
  const kinds = [...Map.groupBy(done, ({ settings }) => settings)]
    .sort(([, a], [, b]) => b.length - a.length);
  const [common] = kinds[0] ?? [null];
  return jobs.map((job) => {
    if (job.status !== "done" || job.settings === common) return job;
    const reason = `its input differs from that of ${
      kinds[0][1].length
    } other jobs in more than the structure`;
    return { ...job, status: "other settings", reason, labels: null };
  });
}

/** The frame that was sent, with its keys and the labels. */
function textOf({ frame, labels }: Collected): string {
  const info = [...frame!.info].filter(([key]) => !OWN_KEYS.test(key));
  return recordText({ ...frame!, ...labels!, info });
}

function tell(jobs: readonly Collected[], console: Console): void {
  const kinds = Map.groupBy(jobs, ({ status }) => status);
  const rows = [...kinds].map(([status, own]) => [status, String(own.length)]);
  process.stdout.write(`${textTable([["status", "jobs"], ...rows]).join("\n")}\n`);
  for (const [status, own] of kinds) {
    if (status === "done") continue;
    const named = own.slice(0, NAMED).map(({ folder, reason }) => `${folder} (${reason})`).join(
      ", ",
    );
    console.warn(`${own.length} jobs, ${status}: ${named}${own.length > NAMED ? ", ..." : ""}`);
  }
}
