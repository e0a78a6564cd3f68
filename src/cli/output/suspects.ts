import { frameErrors } from "../../evaluate/frame_errors.ts";
import { type Suspect, suspects } from "../../evaluate/suspects.ts";
import type { Prediction } from "../../model/prediction.ts";
import type { TrainingFrame } from "../input/training_frames.ts";
import type { Console } from "./output.ts";
import { byName } from "./training_folder.ts";

/** Frames that are named; the report names all. */
const NAMED = 10;

/** Names the frames whose labels look wrong to a model after its first epoch.
 * @param before energies by the model before the first step, eV, by the frames' ids */
export function tellSuspects(
  frames: readonly TrainingFrame[],
  predictions: readonly Prediction[],
  before: ReadonlyMap<string, number>,
  console: Console,
): Suspect[] {
  const errors = frames.flatMap((
    { frame, labels: { energy, forces, stress }, converged, replayed },
    f,
  ) => {
    if (replayed) return [];
    const usable = { energy, forces, stress, bad: [] };
    const about = { group: "", isolated: false, converged, tooClose: null };
    return frameErrors(frame, predictions[f], usable, about);
  });
  const found = suspects(errors, before).sort((a, b) => byName(a.frame, b.frame));
  if (found.length === 0) return found;
  const named = found.slice(0, NAMED).map(({ frame, quantity, error, cause }) =>
    `${frame}: ${quantity} ${error}${cause ? `, ${cause}` : ""}`
  );
  console.warn(
    `labels look wrong after the first epoch: ${named.join("; ")}` +
      (found.length > NAMED ? `; and ${found.length - NAMED} more, see report.html` : ""),
  );
  return found;
}
