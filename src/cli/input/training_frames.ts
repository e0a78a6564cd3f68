import { createHash } from "node:crypto";
import { ParseError, UsageError } from "../../errors.ts";
import { usableLabels } from "../../evaluate/frame_errors.ts";
import type { Frame } from "../../frame.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { Problem } from "../../scan/facts.ts";
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
  /** Hash of its atoms: whatever its file is called, it has the same place in the split and in the order. */
  readonly key: string;
  readonly converged: boolean;
  /** Labelled by the model that it starts from. */
  readonly replayed: boolean;
}

/** What a training reads; frames in the order of their keys. */
export interface TrainingFrames {
  readonly train: readonly TrainingFrame[];
  readonly valid: readonly TrainingFrame[];
  /** Labelled energies of isolated atoms by atomic number, eV. */
  readonly isolated: ReadonlyMap<number, number>;
  /** Of frames trained on, of a file of others to validate on, and of those to replay. */
  readonly pools: readonly PoolOfFrames[];
  readonly leftOut: readonly Problem[];
  /** Names of the labels of frames trained on, and how many frames have them. */
  readonly labels: ReturnType<LabelCensus["counts"]>;
}

const BATCH_ATOMS = 65536;

/** Reads all frames with their labels, tells what these are, and sets frames aside to validate on.
 * @throws {ParseError} where a label that has a weight is in no frame that is trained or validated on */
export async function readTrainingFrames(
  command: TrainCommand,
  console: Console,
): Promise<TrainingFrames> {
  const own = await labelledFrames(command, command.inputs, "Labels", console);
  const other = typeof command.valid === "string"
    ? await labelledFrames(command, [command.valid], "Labels of the validation", console)
    : null;
  const held = other ? own.frames.map(() => false) : heldOutOf(command, own);
  const train = byKey(own.frames.filter((_, i) => !held[i]));
  const valid = byKey(other ? other.frames : own.frames.filter((_, i) => held[i]));
  requireLabels(command, train, "to train on", own);
  requireLabels(command, valid, "to validate on", other ?? own);
  warnOfOverlap(train, valid, console);
  const pools = [own.pool, ...(other ? [other.pool] : [])];
  return {
    ...{ train, valid, pools, isolated: own.isolated, labels: own.census.counts() },
    leftOut: pools.flatMap(({ leftOut }) => leftOut),
  };
}

function byKey(frames: readonly TrainingFrame[]): TrainingFrame[] {
  return frames.toSorted((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** For each frame whether it is held out. */
function heldOutOf({ valid, groupBy, seed }: TrainCommand, { pool, frames }: Read): boolean[] {
  if (frames.length < 2) {
    throw new ParseError(
      pool.files[0].name,
      "it holds a single frame; name others with --valid FILE",
    );
  }
  const entries = pool.entries.filter(({ isolated }) => !isolated);
  const groups = groupBy === null
    ? frames.map(({ key }) => key)
    : valuesOf(groupBy, "--group-by", entries);
  if (new Set(groups).size === 1) {
    throw new UsageError(
      groupBy === null
        ? "Cannot hold out frames: all of them are the same; use --valid FILE"
        : `Cannot hold out groups of "${groupBy}": all frames have the same value; use --valid FILE`,
    );
  }
  return heldOut(groups, Number(valid), seed);
}

/** Frames of some inputs. */
interface Read {
  readonly pool: PoolOfFrames;
  readonly frames: readonly TrainingFrame[];
  readonly census: LabelCensus;
  readonly isolated: ReadonlyMap<number, number>;
}

/** All frames of some inputs but isolated atoms, whose energies are collected. */
async function labelledFrames(
  { strict, species, output, skipBad, where, keys, groupBy, valid }: TrainCommand,
  inputs: readonly string[],
  title: string,
  console: Console,
): Promise<Read> {
  const wanted = groupBy === null || typeof valid === "string" ? [] : [groupBy];
  const pool = await loadPool(inputs, {
    keys: { names: wanted, short: false, energies: false },
    ...{ strict, species, output },
    bad: skipBad ? "skip" : "warn",
    where: where === null ? null : await parseFilter(where),
    energyKey: keys.energy,
  }, console);
  const census = new LabelCensus();
  const isolated = new Map<number, number>();
  const frames = await readAll(pool, keys, census, isolated);
  if (frames.length === 0) {
    throw new ParseError(
      pool.files[0].name,
      "it holds isolated atoms alone, and nothing to train on",
    );
  }
  census.check(keys, pool.files[0].name);
  census.tell(console, title);
  return { pool, frames, census, isolated };
}

async function readAll(
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
        ...{ frame, key: frameKey(frame), converged: labels.converged, replayed: false },
        labels: { energy, forces, stress, weight: 1 },
      });
    }
  }
  return frames;
}

/** Hash of a frame's atoms and cell. */
export function frameKey({ species, positions, cell, pbc }: Frame): string {
  const bytes = (x: Float64Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  return createHash("sha256").update(species).update(bytes(positions)).update(bytes(cell))
    .update(pbc.join()).digest("hex");
}

/** Hash of frames, their labels and what is done with them. */
export function framesHash({ train, valid }: Pick<TrainingFrames, "train" | "valid">): string {
  const hash = createHash("sha256");
  for (const [role, frames] of [["train", train], ["valid", valid]] as const) {
    for (const { key, replayed, labels: { energy, forces, stress, weight } } of frames) {
      hash.update(
        `${role} ${key} ${replayed} ${energy} ${weight} ${forces?.join()} ${stress?.join()}\n`,
      );
    }
  }
  return hash.digest("hex");
}

/** @throws {ParseError} naming the labels that are missing and the names that were found */
function requireLabels(
  { energyWeight, forcesWeight, stressWeight }: TrainCommand,
  frames: readonly TrainingFrame[],
  role: string,
  { pool, census }: Read,
): void {
  const weights = { energy: energyWeight, forces: forcesWeight, stress: stressWeight };
  for (const quantity of ["energy", "forces", "stress"] as const) {
    if (weights[quantity] === 0 || frames.some(({ labels }) => labels[quantity] !== null)) continue;
    const found = Object.values(census.counts()).flatMap((names) => Object.keys(names));
    const seen = found.length > 0 ? `labels are ${found.join(", ")}` : "there is no label at all";
    throw new ParseError(
      pool.files[0].name,
      `no frame ${role} is labelled with ${quantity}, which has weight ${
        weights[quantity]
      }: ${seen}; name ` +
        `it with --${quantity}-key, or use --${quantity}-weight 0`,
    );
  }
}

function warnOfOverlap(
  train: readonly TrainingFrame[],
  valid: readonly TrainingFrame[],
  console: Console,
): void {
  const known = new Set(train.map(({ key }) => key));
  const shared = valid.filter(({ key }) => known.has(key));
  if (shared.length === 0) return;
  console.warn(
    `${shared.length} of ${valid.length} validation frames are trained on, the first is ` +
      `${shared[0].frame.id}: the validation is better than the model`,
  );
}
