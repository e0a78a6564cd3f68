import type { UsableLabels } from "../../evaluate/frame_errors.ts";
import type { Frame } from "../../frame.ts";
import { parseFrame } from "../../io/extxyz.ts";
import { type FrameLabels, type LabelKeys, readLabels } from "../../io/frame_labels.ts";
import type { RawFrame } from "../../io/frame_ranges.ts";
import { type FrameEntry, readRawFrames } from "../../io/inputs.ts";
import type { Console } from "../output/output.ts";
import { inBatches } from "./batches.ts";
import { checkKeys } from "./labels.ts";
import type { PoolOfFrames } from "./load_pool.ts";

/** A frame as it stands in its file, and what it is labelled with. */
export interface LabelledFrame {
  readonly entry: FrameEntry;
  readonly raw: RawFrame;
  readonly frame: Frame;
  readonly labels: FrameLabels;
}

/** Frames of the pool in batches of about `batchAtoms` atoms, in input order. */
export function readLabelled(
  pool: PoolOfFrames,
  keys: LabelKeys,
  batchAtoms: number,
): AsyncGenerator<LabelledFrame[]> {
  return inBatches(readAll(pool, keys), ({ raw }) => raw.nAtoms, batchAtoms);
}

async function* readAll(pool: PoolOfFrames, keys: LabelKeys): AsyncGenerator<LabelledFrame> {
  for (const { name, path } of pool.files) {
    const entries = new Map(
      pool.entries.filter(({ file }) => file === name).map((entry) => [entry.index, entry]),
    );
    for await (const raw of readRawFrames(name, path, new Set(entries.keys()))) {
      const frame = parseFrame(raw, name);
      yield {
        entry: entries.get(raw.index)!,
        // The bytes are lent until the next frame is asked for.
        raw: { ...raw, bytes: raw.bytes.slice() },
        frame,
        labels: readLabels(raw, frame, keys),
      };
    }
  }
}

const QUANTITIES = ["energy", "forces", "stress"] as const;

/** Which labels the frames have, under which names. */
export class LabelCensus {
  #frames = 0;
  readonly #names = { energy: new Map<string, number>(), forces: new Map(), stress: new Map() };
  /** Quantities that some frame is labelled with, usable or not. */
  readonly #named = new Set<string>();
  readonly #volumeless: string[] = [];
  readonly #bad: { id: string; key: string }[] = [];
  readonly #unread = new Set<string>();

  /** @param usable what of the labels can be compared */
  add(id: string, labels: FrameLabels, usable: UsableLabels): void {
    this.#frames++;
    const stress = labels.stress ?? labels.virial;
    const keys = { energy: labels.energy?.key, forces: labels.forces?.key, stress: stress?.key };
    for (const quantity of QUANTITIES) {
      const key = keys[quantity];
      if (key === undefined) continue;
      this.#named.add(quantity);
      if (usable[quantity] === null) continue;
      const own: Map<string, number> = this.#names[quantity];
      own.set(key, (own.get(key) ?? 0) + 1);
    }
    for (const key of usable.bad) this.#bad.push({ id, key });
    if (stress && usable.stress === null && !usable.bad.includes(stress.key)) {
      this.#volumeless.push(id);
    }
    for (const { name, kind } of labels.unread) this.#unread.add(`--${kind}-key ${name}`);
  }

  /** @throws {ParseError} where a name that was given is in no frame */
  check(keys: LabelKeys, file: string): void {
    checkKeys(keys, file, (quantity) => this.#named.has(quantity));
  }

  /** The names of each quantity and how many frames have them. */
  counts(): Readonly<Record<typeof QUANTITIES[number], Readonly<Record<string, number>>>> {
    const { energy, forces, stress } = this.#names;
    return {
      energy: Object.fromEntries(energy),
      forces: Object.fromEntries(forces),
      stress: Object.fromEntries(stress),
    };
  }

  /** Says what was found and what is doubtful about it. */
  tell(console: Console, title = "Labels"): void {
    const told = QUANTITIES.map((quantity) => {
      const names = [...this.#names[quantity]];
      if (names.length === 0) return `no ${quantity}`;
      return `${quantity} ${
        names.map(([key, n]) => n < this.#frames ? `${key} (${n} of ${this.#frames} frames)` : key)
          .join(", ")
      }`;
    });
    console.say(`${title}: ${told.join("; ")}`);
    for (const quantity of QUANTITIES) {
      const names = [...this.#names[quantity]].map(([key]) => key);
      if (names.length < 2) continue;
      console.warn(
        `${quantity} is read from ${names.join(" and ")}: name one with --${quantity}-key`,
      );
    }
    const [first] = this.#bad;
    if (first) {
      console.warn(
        `${this.#bad.length} labels cannot be read as numbers and are not compared, the first is ` +
          `${first.key} of ${first.id}`,
      );
    }
    if (this.#volumeless.length > 0) {
      console.warn(
        `${this.#volumeless.length} stresses are not compared, the first is that of ` +
          `${this.#volumeless[0]}: without three periodic axes there is no volume`,
      );
    }
    if (this.#unread.size > 0) {
      console.say(`Not read: some names look like labels: ${[...this.#unread].join(", ")}`);
    }
  }
}
