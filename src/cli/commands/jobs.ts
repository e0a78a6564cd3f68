import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RequestError, UsageError } from "../../errors.ts";
import type { Frame } from "../../frame.ts";
import { OWN_KEYS, recordText } from "../../io/formats/frame_record.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { KNOWN_KEYS } from "../../io/frame_labels.ts";
import { csvLine } from "../../io/table.ts";
import { SENT } from "../../jobs/collect_job.ts";
import { openTemplate } from "../../jobs/open_template.ts";
import { submitScript } from "../../jobs/submit_script.ts";
import type { JobTemplate } from "../../jobs/template.ts";
import { readLabelled } from "../input/labelled_frames.ts";
import { loadPool } from "../input/load_pool.ts";
import { JOBS, readJobs } from "../input/jobs_folder.ts";
import { Console } from "../output/output.ts";
import { append, saveWhole } from "../output/restart_folder.ts";
import type { JobsCommand } from "../syntax/jobs_options.ts";

const BATCH_ATOMS = 65536;
/** Keys of a frame that go with it to its labels. */
const KEPT = 40;

/** `cpd jobs`: one folder for each frame, with the input that labels it. */
export async function runJobs(command: JobsCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { output, strict, species, chunk } = command;
  const template = openTemplate(command.template);
  console.say(`Template: ${template.code}, ${command.template}`);
  for (const note of template.notes) console.warn(note);
  const known = new Map(readJobs(output));
  const pool = await loadPool(command.inputs, { keys: NO_KEYS, strict, species, output }, console);
  const table = join(output, JOBS);
  let [made, isolated] = [0, 0];
  try {
    mkdirSync(output, { recursive: true });
    if (known.size === 0) saveWhole(output, JOBS, csvLine(["id", "folder"]));
    for await (const batch of readLabelled(pool, KNOWN_KEYS, BATCH_ATOMS)) {
      for (const { entry, frame } of batch) {
        if (entry.isolated) isolated++;
        else if (known.has(frame.id)) requireSame(join(output, known.get(frame.id)!), frame);
        else {
          const name = String(known.size).padStart(4, "0");
          makeJob(template, frame, join(output, name));
          append(table, csvLine([frame.id, name]));
          known.set(frame.id, name);
          made++;
        }
      }
    }
  } finally {
    await pool.dispose();
  }
  if (isolated > 0) console.say(`${isolated} isolated atoms are left out`);
  if (known.size === 0) {
    throw new RequestError("Cannot make jobs: there is no frame but isolated atoms");
  }
  const shell = command.command ?? template.command;
  saveWhole(output, "submit.sh", submitScript(template, shell, output, known.size, chunk));
  const before = known.size - made;
  console.say(
    `Made ${made} jobs in ${output}/${
      before > 0 ? ` (${before} were there)` : ""
    }: run them with ` +
      `sbatch or sh ${output}/submit.sh, then cpd collect ${output} -o labelled.xyz`,
  );
}

/** @throws {UsageError} if something is there already that is no job of this folder */
function makeJob(template: JobTemplate, frame: Frame, folder: string): void {
  const files = template.files(frame, folder);
  if (existsSync(folder)) {
    throw new UsageError(
      `Cannot make a job in "${folder}": it is there, and not in ${JOBS}; use another -o`,
    );
  }
  mkdirSync(folder);
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  writeFileSync(join(folder, SENT), sentText(frame));
}

/** The frame as it goes with its job: without labels, and with its short keys. */
function sentText(frame: Frame): string {
  const kept = [...frame.info].filter(([key, value]) => isShort(key, value));
  const info = [["id", frame.id] as const, ...kept.filter(([key]) => key !== "id")];
  return recordText({ ...frame, energy: null, forces: null, stress: null, info });
}

/** @throws {UsageError} if a job of this id was made for other atoms */
function requireSame(folder: string, frame: Frame): void {
  const path = join(folder, SENT);
  if (existsSync(path) && readFileSync(path, "utf8") === sentText(frame)) return;
  throw new UsageError(
    `Cannot go on: ${folder} was made for another ${frame.id}; use another -o, or call the file differently`,
  );
}

function isShort(key: string, value: string): boolean {
  return value.length <= KEPT && !OWN_KEYS.test(key) &&
    !/energ|stress|virial|converged|forc/i.test(key);
}
