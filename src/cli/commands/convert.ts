import { renameSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { InterruptedError } from "../../errors.ts";
import { declaresUnit } from "../../io/declared_units.ts";
import { KNOWN_KEYS } from "../../io/frame_labels.ts";
import { OWN_KEYS, recordText } from "../../io/formats/frame_record.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { lookUp } from "../../io/comment_line.ts";
import { parseProperties } from "../../io/properties.ts";
import { readVelocities } from "../../io/velocities.ts";
import { type LabelledFrame, readLabelled } from "../input/labelled_frames.ts";
import { loadPool, sourcesOf } from "../input/load_pool.ts";
import { parseFilter } from "../input/where.ts";
import { isInterrupted } from "../interrupt.ts";
import { Console } from "../output/output.ts";
import { checkTarget } from "../output/output_folder.ts";
import { append } from "../output/restart_folder.ts";
import type { ConvertCommand } from "../syntax/convert_options.ts";

const BATCH_ATOMS = 65536;
/** Columns that have a place in every frame that is written. */
const KNOWN_COLUMNS = /^(species|pos|z|numbers|velocit(y|ies)|vel|velo|v|momenta|momentum)$/i;

/** `cpd convert`: frames of any format that is read, as canonical extended XYZ. */
export async function runConvert(command: ConvertCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { output, force, keys } = command;
  checkTarget(output, force, sourcesOf(command));
  const { strict, species, skipBad, where } = command;
  const pool = await loadPool(command.inputs, {
    ...{ keys: NO_KEYS, strict, species, output },
    ...(skipBad && { bad: "skip" as const }),
    where: where === null ? null : await parseFilter(where),
  }, console);
  const partial = `${output}.partial-${process.pid}`;
  const lost = new Set<string>();
  const labelled = { energy: 0, forces: 0, stress: 0 };
  try {
    writeFileSync(partial, "");
    for await (const batch of readLabelled(pool, { ...KNOWN_KEYS, ...keys }, BATCH_ATOMS)) {
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      const texts = batch.map((one) => {
        for (const name of lostColumns(one)) lost.add(name);
        const { energy, forces, stress, virial } = one.labels;
        if (energy) labelled.energy++;
        if (forces) labelled.forces++;
        if (stress ?? virial) labelled.stress++;
        return canonical(one);
      });
      append(partial, texts.join(""));
    }
    renameSync(partial, output);
  } finally {
    rmSync(partial, { force: true });
    await pool.dispose();
  }
  if (lost.size > 0) console.warn(`columns that are not written: ${[...lost].join(", ")}`);
  const n = pool.entries.length;
  const counts = Object.entries(labelled).map(([name, count]) => `${name} of ${count}`).join(", ");
  console.say(`Wrote ${n} frame${n === 1 ? "" : "s"} to ${output}: ${counts}`);
}

/** A frame with its labels under the names of MACE; all other keys stay. */
function canonical({ raw, frame, labels }: LabelledFrame): string {
  const { energy, forces, stress, virial, converged } = labels;
  const tensor = stress ?? virial;
  const used = [energy, forces, stress, virial].flatMap((label) => label ? [label.key] : []);
  return recordText({
    ...frame,
    energy: energy?.value ?? null,
    forces: forces?.values ?? null,
    stress: tensor?.tensor ?? null,
    velocities: readVelocities(raw, frame)?.values ?? null,
    info: [...frame.info]
      .filter(([key]) => !OWN_KEYS.test(key) && !used.includes(key) && !declaresUnit(key))
      .concat(converged || frame.info.has("converged") ? [] : [["converged", "F"]]),
  });
}

/** Columns of numbers that nobody would find again. */
function lostColumns({ frame, labels }: LabelledFrame): string[] {
  const columns = parseProperties(lookUp(frame.info, "Properties") ?? "") ?? [];
  return columns.map(({ name }) => name)
    .filter((name) => !KNOWN_COLUMNS.test(name) && name !== labels.forces?.key);
}
