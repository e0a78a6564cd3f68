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
import { Console, fewOf } from "../output/output.ts";
import { checkTarget } from "../output/output_folder.ts";
import type { CollectCommand } from "../syntax/jobs_options.ts";

/** Å. */
const SAME_CELL = 1e-4;

/** A job and what became of it. */
interface Collected {
  readonly folder: string;
  readonly id: string;
  readonly frame: Frame | null;
  readonly status: JobResult["status"] | "other settings";
  readonly reason: string;
  readonly labels: JobResult["labels"];
  readonly settings: string | null;
  readonly mesh: string | null;
  readonly stale: boolean;
}

/** `cpd collect`: labels of the jobs that are done and right, as extended XYZ. */
export async function runCollect(command: CollectCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { folders, output, force } = command;
  checkTarget(output, force, []);
  const jobs: Collected[] = [];
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

async function collectOne(folder: string, id: string): Promise<Collected> {
  const failed = (status: JobResult["status"], reason: string): Collected => ({
    ...{ folder, id, status, reason },
    ...{ frame: null, labels: null, settings: null, mesh: null, stale: false },
  });
  const path = join(folder, SENT);
  if (!existsSync(path)) return failed("missing", `${SENT}, the frame that was sent, is not there`);
  let sent: Frame | null = null;
  try {
    for await (const frame of readFrames(id, path, new Set([0]))) sent = frame;
  } catch (error) {
    return failed("unreadable", `${SENT}: ${(error as Error).message}`);
  }
  if (sent === null) return failed("missing", `${SENT} holds no frame`);
  return { folder, id, frame: sent, ...await collectJob(folder, sent) };
}

/** Jobs whose settings are not those of most are not done: labels of two kinds do not go together. Neither are those
 * whose k-mesh is not that of most with the same cell. */
function withoutOthers(jobs: readonly Collected[]): Collected[] {
  const alike = withoutMinority(
    jobs,
    () => "",
    ({ settings }) => settings,
    (n) => `its input differs from that of ${n} other jobs in more than the structure`,
  );
  return withoutMinority(
    alike,
    ({ frame }) => frame!.cell.map((x) => Math.round(x / SAME_CELL)).join(),
    ({ mesh }) => mesh,
    (n) => `its k-mesh is not that of ${n} other jobs with the same cell`,
  );
}

/** Of each group, jobs that differ from most in something. */
function withoutMinority(
  jobs: readonly Collected[],
  groupOf: (job: Collected) => string,
  valueOf: (job: Collected) => string | null,
  reasonOf: (n: number) => string,
): Collected[] {
  const others = new Map<Collected, string>();
  const done = jobs.filter(({ status }) => status === "done");
  for (const group of Map.groupBy(done, groupOf).values()) {
    const [most, ...rest] = [...Map.groupBy(group, valueOf).values()]
      .sort((a, b) => b.length - a.length);
    rest.flat().forEach((job) => others.set(job, reasonOf(most.length)));
  }
  return jobs.map((job) => {
    const reason = others.get(job);
    if (reason === undefined) return job;
    return { ...job, status: "other settings" as const, reason, labels: null };
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
    const named = fewOf(own.map(({ folder, reason }) => `${folder} (${reason})`));
    console.warn(`${own.length} jobs, ${status}: ${named}`);
  }
  const stale = jobs.filter((job) => job.stale);
  if (stale.length > 0) {
    console.warn(
      `${stale.length} outputs are older than their inputs, such as that of ${
        stale[0].folder
      }: another input may ` +
        "have made them, or files were copied",
    );
  }
}
