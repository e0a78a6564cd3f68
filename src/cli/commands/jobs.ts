import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordText } from "../../io/formats/frame_record.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { KNOWN_KEYS } from "../../io/frame_labels.ts";
import { csvLine } from "../../io/table.ts";
import { SENT } from "../../jobs/collect_job.ts";
import { openTemplate } from "../../jobs/open_template.ts";
import { submitScript } from "../../jobs/submit_script.ts";
import { readLabelled } from "../input/labelled_frames.ts";
import { loadPool } from "../input/load_pool.ts";
import { JOBS, readJobs } from "../input/jobs_folder.ts";
import { Console } from "../output/output.ts";
import { saveWhole } from "../output/restart_folder.ts";
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
  let made = 0;
  try {
    mkdirSync(output, { recursive: true });
    for await (const batch of readLabelled(pool, KNOWN_KEYS, BATCH_ATOMS)) {
      for (const { entry, frame } of batch) {
        if (entry.isolated || known.has(frame.id)) continue;
        const name = String(known.size).padStart(4, "0");
        const folder = join(output, name);
        const files = template.files(frame, folder);
        rmSync(folder, { recursive: true, force: true }); // of a run that ended before its row was written
        mkdirSync(folder);
        for (const [file, text] of files) writeFileSync(join(folder, file), text);
        const kept = [...frame.info].filter(([key, value]) => isShort(key, value));
        const info = [["id", frame.id] as const, ...kept.filter(([key]) => key !== "id")];
        writeFileSync(
          join(folder, SENT),
          recordText({ ...frame, energy: null, forces: null, stress: null, info }),
        );
        known.set(frame.id, name);
        made++;
      }
    }
  } finally {
    await pool.dispose();
  }
  const rows = [...known].map(([id, folder]) => csvLine([id, folder]));
  saveWhole(output, JOBS, csvLine(["id", "folder"]) + rows.join(""));
  const script = submitScript(template, command.command ?? template.command, known.size, chunk);
  saveWhole(output, "submit.sh", script);
  const before = known.size - made;
  console.say(
    `Made ${made} jobs in ${output}/${
      before > 0 ? ` (${before} were there)` : ""
    }: run them with ` +
      `sbatch or sh ${output}/submit.sh, then cpd collect ${output} -o labelled.xyz`,
  );
}

function isShort(key: string, value: string): boolean {
  return value.length <= KEPT && !/^(lattice|properties|pbc)$/i.test(key) &&
    !/energ|stress|virial|converged|forc/i.test(key);
}
