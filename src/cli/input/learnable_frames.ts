import type { KeyedFrame } from "../../compare/fine_tuning.ts";
import { ParseError } from "../../errors.ts";
import { usableLabels } from "../../evaluate/frame_errors.ts";
import { KNOWN_KEYS } from "../../io/frame_labels.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import { commonEnergyKey } from "../../io/labels.ts";
import type { FrameKey } from "../../select/frame_key.ts";
import type { Console } from "../output/output.ts";
import type { CompareCommand } from "../syntax/options.ts";
import { LabelCensus, readLabelled } from "./labelled_frames.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import { frameKey } from "./training_frames.ts";

const BATCH_ATOMS = 65536;

/** Frames of the pool with energies and forces.
 * @throws {ParseError} naming the first frame that lacks one of them */
export async function learnableFrames(
  { energyKey, forcesKey }: Pick<CompareCommand, "energyKey" | "forcesKey">,
  pool: PoolOfFrames,
  console: Console,
): Promise<Map<FrameKey, KeyedFrame>> {
  const keys = {
    ...KNOWN_KEYS,
    energy: energyKey ?? commonEnergyKey(pool.entries),
    forces: forcesKey,
  };
  const census = new LabelCensus();
  let open = 0;
  const frames = new Map<FrameEntry, KeyedFrame>();
  for await (const batch of readLabelled(pool, keys, BATCH_ATOMS)) {
    for (const { entry, frame, labels } of batch) {
      const usable = usableLabels(frame, labels);
      census.add(frame.id, labels, usable);
      if (!labels.converged) open++;
      const { energy, forces } = usable;
      if (energy === null || forces === null) {
        const what = energy === null ? "energy; --energy-key" : "forces; --forces-key";
        throw new ParseError(frame.id, `it cannot be learnt from: it has no ${what} takes a name`);
      }
      frames.set(entry, {
        frame,
        key: frameKey(frame),
        labels: { energy, forces, stress: null, weight: 1 },
      });
    }
  }
  census.tell(console);
  if (open > 0) {
    console.warn(
      `${open} frames did not converge and are learnt from and tested on: --skip-bad leaves them out`,
    );
  }
  return frames;
}
