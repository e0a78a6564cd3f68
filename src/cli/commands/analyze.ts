import process from "node:process";
import { type FrameFacts, frameFacts } from "../../analyze/frame_facts.ts";
import { MOLECULAR_REACH } from "../../analyze/molecular_fraction.ts";
import { PairSums } from "../../analyze/pair_sums.ts";
import { type MovingFrame, trajectoryOf } from "../../analyze/trajectory.ts";
import { FEWEST_FRAMES, type Transport, transportOf } from "../../analyze/transport.ts";
import { InterruptedError } from "../../errors.ts";
import { usableLabels } from "../../evaluate/frame_errors.ts";
import { periodicVolume } from "../../frame.ts";
import { neighborList } from "../../graph/neighbor_list.ts";
import { KNOWN_KEYS } from "../../io/frame_labels.ts";
import { readVelocities } from "../../io/velocities.ts";
import { checkKeys, valuesOf } from "../input/labels.ts";
import { readLabelled } from "../input/labelled_frames.ts";
import { loadPool, type PoolOfFrames, sourcesOf } from "../input/load_pool.ts";
import { readOverlay } from "../input/overlay.ts";
import { parseFilter } from "../input/where.ts";
import { isInterrupted } from "../interrupt.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { checkOutput, publish } from "../output/output_folder.ts";
import { writeAnalysis } from "../output/write_analysis.ts";
import type { AnalyzeCommand } from "../syntax/analyze_options.ts";

/** Width of the bins of distances, Å. */
const BIN = 0.02;
const BATCH_ATOMS = 65536;

/** What is found in the frames. */
export interface Found {
  readonly facts: readonly FrameFacts[];
  /** Pairs by group, in the order in which these come first. */
  readonly pairs: ReadonlyMap<string, PairSums>;
  /** Frames of each trajectory, if they are wanted. */
  readonly moving: ReadonlyMap<string, MovingFrame[]>;
}

/** `cpd analyze`: structure, state and motion of frames. */
export async function runAnalyze(command: AnalyzeCommand): Promise<void> {
  const console = new Console(command.quiet);
  const watch = new Stopwatch();
  checkOutput(command.output, command.force, sourcesOf(command));
  const overlay = command.overlay === null ? [] : readOverlay(command.overlay);
  const pool = await loadPool(command.inputs, {
    keys: {
      names: command.groupBy === null ? [] : [command.groupBy],
      short: false,
      energies: false,
    },
    ...{ strict: command.strict, species: command.species, output: command.output },
    bad: command.skipBad ? "skip" : "warn",
    where: command.where === null ? null : await parseFilter(command.where),
  }, console);
  try {
    watch.lap("read");
    const found = await readPool(command, pool, console);
    watch.lap("structure");
    const transports = motionOf(command, found, console);
    watch.lap("motion");
    const text = await publish(
      command.output,
      /^(rdf|motion|vibrations)\.csv$/,
      (folder) =>
        writeAnalysis({ command, pool, ...found, transports, overlay }, folder, {
          watch,
          warnings: console.warnings,
        }),
    );
    process.stdout.write(text);
    const n = found.facts.length;
    console.say(`Analyzed ${n} frame${n > 1 ? "s" : ""}; wrote ${command.output}/`);
  } finally {
    await pool.dispose();
  }
}

/** Reads every frame once; atoms that meet no other are left out. */
async function readPool(
  command: AnalyzeCommand,
  pool: PoolOfFrames,
  console: Console,
): Promise<Found> {
  const { groupBy, rMax, timestep, stressKey } = command;
  const groups = groupBy === null
    ? pool.entries.map(() => "")
    : valuesOf(groupBy, "--group-by", pool.entries);
  const groupOf = new Map(pool.entries.map(({ id }, i) => [id, groups[i]]));
  const facts: FrameFacts[] = [];
  const pairs = new Map<string, PairSums>();
  const moving = new Map<string, MovingFrame[]>();
  const [columns, stresses] = [new Set<string>(), new Set<string>()];
  const report = console.progress("Frames", pool.entries.length);
  const keys = { ...KNOWN_KEYS, stress: stressKey };
  for await (const batch of readLabelled(pool, keys, BATCH_ATOMS)) {
    for (const { entry, raw, frame, labels } of batch) {
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      if (entry.isolated) continue;
      const group = groupOf.get(frame.id)!;
      const velocities = readVelocities(raw, frame);
      if (velocities) columns.add(velocities.key);
      const graph = neighborList(frame, MOLECULAR_REACH);
      const { stress } = usableLabels(frame, labels);
      if (stress) stresses.add((labels.stress ?? labels.virial)!.key);
      facts.push(frameFacts(frame, graph, group, velocities?.values ?? null, stress));
      const volume = periodicVolume(frame);
      if (Number.isFinite(volume)) {
        const sums = pairs.get(group) ?? new PairSums(pool.elements, BIN, Math.round(rMax / BIN));
        sums.add(frame, volume);
        pairs.set(group, sums);
      }
      if (timestep === null) continue;
      const run = JSON.stringify([frame.file, group]);
      const own = moving.get(run) ?? [];
      own.push({ frame, velocities: velocities?.values ?? null });
      moving.set(run, own);
    }
    report(facts.length);
  }
  checkKeys(keys, pool.files[0].name, () => stresses.size > 0);
  tell(facts, pairs, { columns, stresses }, console);
  return { facts, pairs, moving };
}

function tell(
  facts: readonly FrameFacts[],
  pairs: ReadonlyMap<string, PairSums>,
  { columns, stresses }: Record<"columns" | "stresses", ReadonlySet<string>>,
  console: Console,
): void {
  const named = [...stresses].map((key) => `"${key}"`).join(", ");
  console.say(`Stress: ${named || "none; no pressures"}`);
  for (const key of columns) {
    console.say(
      `Velocities: "${key}", read as ${/^mom/i.test(key) ? "momenta in ASE's units" : "Å/fs"}`,
    );
  }
  if (columns.size === 0) console.say("Velocities: none; no temperature, static pressures alone");
  const counted = [...pairs.values()].reduce((n, { frames }) => n + frames, 0);
  if (counted < facts.length) {
    console.warn(
      `${
        facts.length - counted
      } of ${facts.length} frames are not periodic in all directions: they have no ` +
        "density, and their pairs are not counted",
    );
  }
}

/** Motion in every trajectory that is long enough. */
function motionOf(
  { timestep }: AnalyzeCommand,
  { moving }: Found,
  console: Console,
): Transport[] {
  const transports: Transport[] = [];
  for (const [run, frames] of moving) {
    const [file, group] = JSON.parse(run) as [string, string];
    if (frames.length < FEWEST_FRAMES) {
      console.warn(
        `${file}${
          group === "" ? "" : `, ${group}`
        }: ${frames.length} frames are too few to tell of motion, ` +
          `${FEWEST_FRAMES} are needed`,
      );
      continue;
    }
    transports.push(transportOf(trajectoryOf(frames, group, timestep!)));
  }
  return transports;
}
