import { frameErrors } from "../../evaluate/frame_errors.ts";
import { type Suspect, suspects } from "../../evaluate/suspects.ts";
import type { Prediction } from "../../model/prediction.ts";
import type { TrainingFrame } from "../input/training_frames.ts";
import type { Console } from "./output.ts";

/** Frames that are named; the report names all. */
const NAMED = 10;

/** Names the frames whose labels look wrong to a model after its first epoch. */
export function tellSuspects(
  frames: readonly TrainingFrame[],
  predictions: readonly Prediction[],
  console: Console,
): Suspect[] {
  const errors = frames.map(({ frame, labels: { energy, forces, stress }, converged }, f) => {
    const usable = { energy, forces, stress, bad: [] };
    const about = { group: "", isolated: false, converged, tooClose: null };
    return frameErrors(frame, predictions[f], usable, about);
  });
  const found = suspects(errors);
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
