import { frameErrors } from "../../evaluate/frame_errors.ts";
import { type Suspect, suspects } from "../../evaluate/suspects.ts";
import type { Prediction } from "../../model/prediction.ts";
import type { StepNews } from "../../train/fit.ts";
import type { TrainingFrame } from "../input/training_frames.ts";
import type { Console } from "./output.ts";

/** Frames that are named; the report names all. */
const NAMED = 10;

/** Listens to the first epoch for frames whose labels look wrong. */
export class SuspectWatch {
  found: Suspect[] = [];
  readonly #said = new Map<number, Prediction>();

  constructor(readonly frames: readonly TrainingFrame[]) {}

  hear({ epoch, batch, predictions }: StepNews): void {
    if (epoch !== 1) return;
    batch.forEach((place, i) => this.#said.set(place, predictions[i]));
  }

  /** Names them, after the first epoch. */
  tell(console: Console): void {
    const errors = [...this.#said].map(([place, prediction]) => {
      const { frame, labels: { energy, forces, stress }, converged } = this.frames[place];
      const usable = { energy, forces, stress, bad: [] };
      const about = { group: "", isolated: false, converged, tooClose: null };
      return frameErrors(frame, prediction, usable, about);
    });
    this.#said.clear();
    this.found = suspects(errors);
    if (this.found.length === 0) return;
    const named = this.found.slice(0, NAMED).map(({ frame, quantity, error, cause }) =>
      `${frame}: ${quantity} ${error}${cause ? `, ${cause}` : ""}`
    );
    console.warn(
      `labels look wrong after the first epoch: ${named.join("; ")}` +
        (this.found.length > NAMED
          ? `; and ${this.found.length - NAMED} more, see report.html`
          : ""),
    );
  }
}
