import { readFileSync } from "node:fs";
import { ParseError, UsageError } from "../../errors.ts";
import { usableLabels } from "../../evaluate/frame_errors.ts";
import { describeSystemError } from "../../errors.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import { heldOut } from "../../train/order.ts";
import type { LabelledFrame } from "../../train/trainer.ts";
import type { Console } from "../output/output.ts";
import type { TrainCommand } from "../syntax/train_options.ts";
import { valuesOf } from "./labels.ts";
import { LabelCensus, readLabelled } from "./labelled_frames.ts";
import { loadPool, type PoolOfFrames } from "./load_pool.ts";
import { parseFilter } from "./where.ts";

/** A frame to train or to validate on, and what else its file says of it. */
export interface TrainingFrame extends LabelledFrame {
  readonly converged: boolean;
}

/** What a training reads. */
export interface TrainingFrames {
  readonly train: readonly TrainingFrame[];
  readonly valid: readonly TrainingFrame[];
  /** Labelled energies of isolated atoms by atomic number, eV. */
  readonly isolated: ReadonlyMap<number, number>;
  /** Of frames trained on and of a file of others to validate on. */
  readonly pools: readonly PoolOfFrames[];
  readonly labels: ReturnType<LabelCensus["counts"]>;
}

const BATCH_ATOMS = 65536;

/** Reads all frames with their labels, tells what these are, and sets frames aside to validate on.
 * @throws {ParseError} where a label that has a weight is in no frame */
export async function readTrainingFrames(
  command: TrainCommand,
  console: Console,
): Promise<TrainingFrames> {
  const pool = await loadInputs(command, command.inputs, console);
  const census = new LabelCensus();
  const isolated = new Map<number, number>();
  const frames = await labelledFrames(pool, command.keys, census, isolated);
  census.check(command.keys, pool.files[0].name);
  census.tell(console);
  const labels = census.counts();
  requireLabels(command, labels, pool);
  const { valid } = command;
  if (typeof valid === "string") {
    const others = await loadInputs(command, [valid], console);
    const held = await labelledFrames(others, command.keys, new LabelCensus(), new Map());
    return { train: frames, valid: held, isolated, pools: [pool, others], labels };
  }
  if (frames.length < 2) {
    throw new ParseError(
      pool.files[0].name,
      "it holds a single frame; name others with --valid FILE",
    );
  }
  const groups = command.groupBy === null
    ? frames.map(({ frame }) => frame.id)
    : groupsOf(command.groupBy, pool);
  const held = heldOut(groups, valid, command.seed);
  return {
    train: frames.filter((_, i) => !held[i]),
    valid: frames.filter((_, i) => held[i]),
    ...{ isolated, pools: [pool], labels },
  };
}

/** Values of a key of all frames that are not isolated atoms. */
function groupsOf(key: string, { entries }: PoolOfFrames): string[] {
  const groups = valuesOf(key, "--group-by", entries.filter(({ isolated }) => !isolated));
  if (new Set(groups).size > 1) return groups;
  throw new UsageError(
    `Cannot hold out groups of "${key}": all frames have the same value; use --valid FILE`,
  );
}

async function loadInputs(
  { strict, skipBad, where, keys, groupBy }: TrainCommand,
  inputs: readonly string[],
  console: Console,
): Promise<PoolOfFrames> {
  return await loadPool(inputs, {
    keys: { names: groupBy === null ? [] : [groupBy], short: false, energies: false },
    strict,
    bad: skipBad ? "skip" : "warn",
    where: where === null ? null : await parseFilter(where),
    energyKey: keys.energy,
  }, console);
}

/** All frames but isolated atoms, whose energies are collected. */
async function labelledFrames(
  pool: PoolOfFrames,
  keys: LabelKeys,
  census: LabelCensus,
  isolated: Map<number, number>,
): Promise<TrainingFrame[]> {
  const frames: TrainingFrame[] = [];
  for await (const batch of readLabelled(pool, keys, BATCH_ATOMS)) {
    for (const { entry, frame, labels } of batch) {
      const usable = usableLabels(frame, labels);
      if (entry.isolated) {
        if (usable.energy !== null) isolated.set(frame.species[0], usable.energy);
        continue;
      }
      census.add(frame.id, labels, usable);
      const { energy, forces, stress } = usable;
      frames.push({
        frame,
        labels: { energy, forces, stress, weight: 1 },
        converged: labels.converged,
      });
    }
  }
  return frames;
}

/** @throws {ParseError} naming the labels that are missing and the names that were found */
function requireLabels(
  { energyWeight, forcesWeight, stressWeight }: TrainCommand,
  counts: TrainingFrames["labels"],
  pool: PoolOfFrames,
): void {
  const weights = { energy: energyWeight, forces: forcesWeight, stress: stressWeight };
  for (const quantity of ["energy", "forces", "stress"] as const) {
    if (weights[quantity] === 0 || Object.keys(counts[quantity]).length > 0) continue;
    const found = Object.values(counts).flatMap((names) => Object.keys(names));
    const seen = found.length > 0 ? `labels are ${found.join(", ")}` : "there is no label at all";
    throw new ParseError(
      pool.files[0].name,
      `no frame is labelled with ${quantity}, which has weight ${
        weights[quantity]
      }: ${seen}; name it ` +
        `with --${quantity}-key, or use --${quantity}-weight 0`,
    );
  }
}

/**
 * Places of the training frames in the order of the steps of each epoch, from a file of ids; a file of one epoch
 * serves all of them.
 *
 * @throws {ParseError} where an id is none of the training frames
 */
export function readOrder(path: string, ids: readonly string[]): (epoch: number) => number[] {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw describeSystemError(error);
  }
  const places = new Map(ids.map((id, i) => [id, i]));
  const order = content.split("\n").flatMap((line, i) => {
    const id = line.trim();
    if (id === "") return [];
    const place = places.get(id);
    if (place !== undefined) return [place];
    throw new ParseError(`${path}:${i + 1}`, `"${id}" is none of the training frames`);
  });
  if (order.length === 0 || order.length % ids.length !== 0) {
    throw new ParseError(
      path,
      `it names ${order.length} frames, expected all ${ids.length} training frames, once or for every epoch`,
    );
  }
  const given = order.length / ids.length;
  return (epoch) => {
    const first = ((epoch - 1) % given) * ids.length;
    return order.slice(first, first + ids.length);
  };
}
