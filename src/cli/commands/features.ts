import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import type { Backend } from "../../backend.ts";
import { InterruptedError } from "../../errors.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { npyBytes, npyHeader } from "../../io/npy.ts";
import { csvLine } from "../../io/table.ts";
import { descriptorLength, type DescriptorModel } from "../../model/descriptor_model.ts";
import { describePool, readBatches } from "../input/describe_pool.ts";
import { checkSpace } from "../output/disk_space.ts";
import { isInterrupted } from "../interrupt.ts";
import { withoutIsolatedAtoms } from "../input/isolated_atoms.ts";
import { loadPool, openModel, type PoolOfFrames, sourcesOf } from "../input/load_pool.ts";
import { openBackend } from "../open_backend.ts";
import type { FeaturesCommand } from "../syntax/options.ts";
import { Console } from "../output/output.ts";
import { checkTarget } from "../output/output_folder.ts";
import { append } from "../output/restart_folder.ts";

/** `cpd features`: descriptors of every frame, or of every atom, as `F.npy` with its key `F.csv`. */
export async function runFeatures(command: FeaturesCommand): Promise<void> {
  const console = new Console(command.quiet);
  const table = command.output.replace(/\.npy$/, "") + ".csv";
  for (const path of [command.output, table]) {
    checkTarget(path, command.force, sourcesOf(command));
  }
  const { strict, species, output } = command;
  const all = await loadPool(command.inputs, { keys: NO_KEYS, strict, species, output }, console);
  const [partial, partialTable] = [command.output, table].map((p) => `${p}.partial-${process.pid}`);
  try {
    const opened = openModel(command, all, console);
    const pool = withoutIsolatedAtoms(all, "left out", console);
    const nLayers = command.layers ?? opened.model.layers.length;
    const backend = await openBackend(command, console);
    try {
      if (command.perAtom) {
        await writeAtoms(partial, command, pool, opened.model, nLayers, backend, console);
      } else {
        const rows = await describePool(
          pool,
          opened.model,
          opened.bytes,
          command,
          backend,
          console,
        );
        writeFileSync(partial, npyHeader([rows.rows, rows.cols], command.dtype));
        append(partial, npyBytes(rows.data, command.dtype));
      }
    } finally {
      await backend.close();
    }
    writeFileSync(partialTable, keyTable(pool, command.perAtom));
    renameSync(partial, command.output);
    renameSync(partialTable, table);
    console.say(`Wrote ${command.output} and ${table} (model ${opened.name})`);
    if (command.json) {
      const summary = { features: command.output, table, n_frames: pool.entries.length };
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    }
  } finally {
    for (const path of [partial, partialTable]) rmSync(path, { force: true });
    await all.dispose();
  }
}

/** Descriptors of every atom, batch after batch; they are too many to keep. */
async function writeAtoms(
  path: string,
  command: FeaturesCommand,
  pool: PoolOfFrames,
  model: DescriptorModel,
  nLayers: number,
  backend: Backend,
  console: Console,
): Promise<void> {
  const describer = await backend.openDescriber(model, nLayers, pool.elements);
  const nAtoms = pool.entries.reduce((sum, entry) => sum + entry.nAtoms, 0);
  const width = descriptorLength(model, nLayers);
  const bytes = nAtoms * width * (command.dtype === "<f4" ? 4 : 8);
  checkSpace(bytes, dirname(path), "write them elsewhere with -o");
  writeFileSync(path, npyHeader([nAtoms, width], command.dtype));
  const report = console.progress("Descriptors", pool.entries.length);
  let done = 0;
  try {
    for await (const batch of readBatches(pool, () => true, describer.batchAtoms)) {
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      for (const rows of await describer.describe(batch.map(({ frame }) => frame))) {
        append(path, npyBytes(rows, command.dtype));
      }
      report(done += batch.length);
    }
  } finally {
    await describer.close();
  }
}

/** Which rows belong to which frame. */
function keyTable(pool: PoolOfFrames, perAtom: boolean): string {
  const lines = [csvLine(["id", "file", "index", "n_atoms", "first_row"])];
  let first = 0;
  pool.entries.forEach(({ id, file, index, nAtoms }, row) => {
    lines.push(csvLine([id, file, index, nAtoms, perAtom ? first : row]));
    first += nAtoms;
  });
  return lines.join("");
}
