import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import process from "node:process";
import { InterruptedError, UsageError } from "../errors.ts";
import { npyBytes, npyHeader } from "../io/npy.ts";
import { csvLine } from "../io/table.ts";
import { descriptorLength } from "../model/mace_model.ts";
import { describePool, readBatches } from "./describe_pool.ts";
import { isInterrupted } from "./interrupt.ts";
import { loadPool, openModel } from "./load_pool.ts";
import { openBackend } from "./open_backend.ts";
import type { FeaturesCommand } from "./options.ts";
import { Console } from "./output.ts";

/** `cpd features`: descriptors of every frame, or of every atom, as `F.npy` with its key `F.csv`. */
export async function runFeatures(command: FeaturesCommand): Promise<void> {
  const console = new Console(command.quiet);
  const table = command.output.replace(/\.npy$/, "") + ".csv";
  for (const path of [command.output, table]) {
    if (existsSync(path) && !command.force) {
      throw new UsageError(`Cannot write "${path}": it exists; use --force or another -o`);
    }
  }
  const pool = await loadPool(command.inputs, null, command.strict, console);
  const temporary = [command.output, table].map((path) => `${path}.partial-${process.pid}`);
  try {
    const { model, name, bytes } = openModel(command.model, pool.elements, console);
    const nLayers = command.layers ?? model.layers.length;
    if (nLayers > model.layers.length) {
      throw new UsageError(`Cannot use --layers ${nLayers}: the model has ${model.layers.length}`);
    }
    const backend = await openBackend(command, console);
    try {
      const file = openSync(temporary[0], "w");
      try {
        if (command.perAtom) {
          const describer = await backend.openDescriber(model, nLayers, pool.elements);
          const width = descriptorLength(model, nLayers);
          const nAtoms = pool.entries.reduce((sum, entry) => sum + entry.nAtoms, 0);
          writeSync(file, npyHeader([nAtoms, width], command.dtype));
          const report = console.progress("Descriptors", pool.entries.length);
          let done = 0;
          for await (const { frames } of readBatches(pool, () => true, describer.batchAtoms)) {
            for (const rows of await describer.describe(frames)) {
              writeSync(file, npyBytes(rows, command.dtype));
            }
            report(done += frames.length);
            if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
          }
          await describer.close();
        } else {
          const rows = await describePool(pool, model, bytes, command, backend, console);
          writeSync(file, npyHeader([rows.rows, rows.cols], command.dtype));
          writeSync(file, npyBytes(rows.data, command.dtype));
        }
      } finally {
        closeSync(file);
      }
    } finally {
      await backend.close();
    }
    const lines = [csvLine(["id", "file", "index", "n_atoms", "first_row"])];
    let first = 0;
    pool.entries.forEach(({ id, file, index, nAtoms }, row) => {
      lines.push(csvLine([id, file, index, nAtoms, command.perAtom ? first : row]));
      first += nAtoms;
    });
    writeFileSync(temporary[1], lines.join(""));
    renameSync(temporary[0], command.output);
    renameSync(temporary[1], table);
    console.say(`Wrote ${command.output} and ${table} (model ${name})`);
    if (command.json) {
      const summary = { features: command.output, table, n_frames: pool.entries.length };
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    }
  } finally {
    temporary.forEach((path) => rmSync(path, { force: true }));
    await pool.dispose();
  }
}
