import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Backend, Potential } from "../../backend.ts";
import { InterruptedError, RequestError, UsageError } from "../../errors.ts";
import { type EnergyShift, fitShift, shiftedEnergy } from "../../evaluate/energy_shift.ts";
import { type FrameErrors, frameErrors, usableLabels } from "../../evaluate/frame_errors.ts";
import { Parity } from "../../evaluate/parity.ts";
import { chemicalSymbol } from "../../frame.ts";
import { annotate, digits } from "../../io/annotate.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import { type Prediction, stressOf } from "../../model/prediction.ts";
import { openPotential } from "../../potential.ts";
import { isInterrupted } from "../interrupt.ts";
import { LabelCensus, type LabelledFrame, readLabelled } from "../input/labelled_frames.ts";
import { loadPool, openModel, type PoolOfFrames, sourcesOf } from "../input/load_pool.ts";
import { valuesOf } from "../input/labels.ts";
import { parseFilter } from "../input/where.ts";
import { openBackend } from "../open_backend.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { checkOutput, publish } from "../output/output_folder.ts";
import { append } from "../output/restart_folder.ts";
import { modelUsed } from "../output/results.ts";
import { type EvaluationFiles, writeEvaluation } from "../output/write_evaluation.ts";
import type { EvaluateCommand } from "../syntax/options.ts";

/** The key by which mace groups frames, and the group of those without it. */
const CONFIG_TYPE = "config_type";
const DEFAULT_GROUP = "Default";

/** `cpd evaluate`: a model's energies, forces and stress, beside the labels of the frames. */
export async function runEvaluate(command: EvaluateCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  checkOutput(command.output, command.force, sourcesOf(command));
  const pool = await loadPool(command.inputs, {
    keys: { names: [command.groupBy ?? CONFIG_TYPE], short: false, energies: false },
    ...{ strict: command.strict, species: command.species, output: command.output },
    bad: command.skipBad ? "skip" : "warn",
    where: command.where === null ? null : await parseFilter(command.where),
    energyKey: command.keys.energy,
  }, console);
  let backend: Backend | null = null;
  try {
    const opened = openModel({ model: command.model, layers: null }, pool, console);
    const groups = groupsOf(command, pool, console);
    watch.lap("read");
    backend = await openBackend(command, console);
    const { elements } = pool;
    const { head } = command;
    const potential = await openPotential(opened.model, backend, { elements, head });
    const about = { command, pool, backend, model: modelUsed(opened), groupKey: groups.key };
    const text = await publish(command.output, null, async (folder) => {
      const found = await predictPool(command, pool, groups.of, potential, folder, console);
      await potential.close();
      watch.lap("predict");
      return writeEvaluation({ ...found, ...about }, folder, watch, console.warnings);
    });
    process.stdout.write(text);
    const n = pool.entries.length;
    console.say(`Evaluated ${n} frame${n > 1 ? "s" : ""}; wrote ${command.output}/`);
  } finally {
    await backend?.close();
    await pool.dispose();
  }
}

/** The group of every frame, by its id, and the key that tells it. */
function groupsOf(
  { groupBy }: EvaluateCommand,
  { entries }: PoolOfFrames,
  console: Console,
): { key: string | null; of: ReadonlyMap<string, string> } {
  const byId = (values: readonly string[]) =>
    new Map(entries.map(({ id }, i) => [id, values[i]] as const));
  if (groupBy !== null) {
    return { key: groupBy, of: byId(valuesOf(groupBy, "--group-by", entries)) };
  }
  const known = entries.some(({ values }) => CONFIG_TYPE in values);
  if (known) console.say(`Groups: ${CONFIG_TYPE} (--group-by takes another key)`);
  return {
    key: known ? CONFIG_TYPE : null,
    of: byId(entries.map(({ values }) => values[CONFIG_TYPE] ?? DEFAULT_GROUP)),
  };
}

type Found = Pick<EvaluationFiles, "frames" | "parities" | "shift" | "census">;

/** What is known of a frame before it is predicted; how many isolated atoms there are is said. */
function knownFacts(
  { entries, doubtful }: PoolOfFrames,
  groups: ReadonlyMap<string, string>,
  console: Console,
): (entry: FrameEntry) => Pick<FrameErrors, "group" | "isolated" | "tooClose"> {
  // Where there is nothing else they are what is asked for.
  const alone = entries.every(({ isolated }) => isolated);
  const nIsolated = alone ? 0 : entries.filter(({ isolated }) => isolated).length;
  if (nIsolated > 0) {
    console.say(`Isolated atoms: ${nIsolated} are predicted, and not counted among the errors`);
  }
  const tooClose = new Map(
    doubtful.filter(({ kind }) => kind === "atoms too close")
      .map(({ frame, text }) => [frame, text]),
  );
  return ({ id, isolated }) => ({
    group: groups.get(id)!,
    isolated: isolated && !alone,
    tooClose: tooClose.get(id) ?? null,
  });
}

/** Predicts every frame, batch after batch, and writes `evaluate.xyz`. */
async function predictPool(
  command: EvaluateCommand,
  pool: PoolOfFrames,
  groups: ReadonlyMap<string, string>,
  potential: Potential,
  folder: string,
  console: Console,
): Promise<Found> {
  const { keys, prefix } = command;
  const census = new LabelCensus();
  const frames: FrameErrors[] = [];
  const parities = { energy: new Parity(), forces: new Parity(), stress: new Parity() };
  const path = join(folder, "evaluate.xyz");
  writeFileSync(path, "");
  const knownOf = knownFacts(pool, groups, console);
  let declared: string | null = null;
  const report = console.progress("Predictions", pool.entries.length);
  for await (const batch of readLabelled(pool, keys, potential.batchAtoms)) {
    if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
    const predictions = await potential.predict(batch.map(({ frame }) => frame));
    const texts = batch.map((labelled, i) => annotated(labelled, predictions[i], prefix));
    append(path, texts.join(""));
    batch.forEach(({ entry, frame, labels }, i) => {
      const prediction = predictions[i];
      const [unit] = labels.units.declared;
      if (unit) declared ??= `${frame.id} says ${unit.key}=${unit.value}`;
      const usable = usableLabels(frame, labels);
      census.add(frame.id, labels, usable);
      const known = knownOf(entry);
      const { converged } = labels;
      frames.push(frameErrors(frame, prediction, usable, { ...known, converged }));
      if (known.isolated) return;
      if (usable.forces) parities.forces.add(usable.forces, prediction.forces);
      const stress = stressOf(prediction, frame);
      if (usable.stress && stress) parities.stress.add(usable.stress, stress);
    });
    report(frames.length);
  }
  census.check(keys, pool.files[0].name);
  census.tell(console);
  if (declared) {
    console.warn(
      `frames declare units, ${declared}: their predictions in evaluate.xyz are written in these`,
    );
  }
  const shift = shiftOf(command, frames, console);
  for (const frame of frames) {
    const { energyLabel, nAtoms, isolated } = frame;
    if (energyLabel === null || isolated) continue;
    parities.energy.add([energyLabel / nAtoms], [shiftedEnergy(frame, shift) / nAtoms]);
  }
  return { frames, parities, shift, census };
}

/** The constants that are added to the model's energies; fitted ones are said. */
function shiftOf(
  { energyShift }: EvaluateCommand,
  frames: readonly FrameErrors[],
  console: Console,
): EnergyShift {
  if (energyShift !== "auto") {
    for (const z of energyShift.keys()) {
      if (z === 0 || frames.some(({ counts }) => counts.has(z))) continue;
      throw new UsageError(
        `Cannot use --energy-shift for ${chemicalSymbol(z)}: no frame holds it`,
      );
    }
    return energyShift;
  }
  const shift = fitShift(frames.filter(({ isolated }) => !isolated));
  if (shift.size === 0) {
    throw new RequestError("Cannot fit an energy shift: no frame is labelled with an energy");
  }
  const told = [...shift].map(([z, e]) => `${chemicalSymbol(z)} ${e.toFixed(4)}`).join(", ");
  console.say(`Energy shift, fitted, added to the model's energies: ${told} eV/atom`);
  return shift;
}

/** The frame with what the model says of it, in eV and Å, or in the units that the frame declares. */
function annotated(
  { raw, frame, labels: { units } }: LabelledFrame,
  prediction: Prediction,
  prefix: string,
): string {
  const stress = stressOf(prediction, frame);
  // A unit that is not known is not read back either.
  const [energy, force, pressure] = [units.energy, units.force, units.stress]
    .map((factor) => Number.isNaN(factor) ? 1 : 1 / factor);
  return annotate(raw, frame.id, {
    values: [
      [`${prefix}energy`, digits(energy * prediction.energy)],
      ...(stress
        ? [[`${prefix}stress`, Array.from(stress, (s) => digits(pressure * s)).join(" ")] as const]
        : []),
    ],
    column: {
      name: `${prefix}forces`,
      vectors: prediction.forces.map((f) => force * f),
    },
  });
}
