import { createHash } from "node:crypto";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { loadMace } from "../../checkpoint/load.ts";
import { WeightsError } from "../../errors.ts";
import { chemicalSymbol } from "../../frame.ts";
import { takeElements } from "../../model/elements.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { headIndex, requirePotential } from "../../potential.ts";
import { copyModel } from "../../train/weights.ts";
import { resolveModel } from "./model_store.ts";

/** A checkpoint to train, and the part of it that is trained. */
export interface StartingModel {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly checkpoint: Checkpoint;
  /** All of it. */
  readonly whole: MaceModel;
  /** Places of the elements that are trained among all. */
  readonly kept: readonly number[];
  /** The model of these elements; its arrays are its own. */
  readonly model: MaceModel;
  readonly head: number;
}

/** Opens the model to start from.
 * @param elements atomic numbers that the frames hold, ascending
 * @throws {WeightsError} if it cannot be trained, or lacks one of them */
export function openStartingModel(
  command: { model: string; head: string | null; elements: "seen" | "all" },
  elements: readonly number[],
): StartingModel {
  const { model: found, checkpoint, bytes } = loadMace(resolveModel(command.model));
  const whole = requirePotential(found);
  const missing = elements.filter((z) => !whole.elements.includes(z)).map(chemicalSymbol);
  if (missing.length > 0) {
    throw new WeightsError(
      `Cannot train on ${missing.join(", ")}: model "${command.model}" knows ${
        whole.elements.map(chemicalSymbol).join(", ")
      }; choose another model`,
    );
  }
  const kept = whole.elements.flatMap((z, i) =>
    command.elements === "all" || elements.includes(z) ? [i] : []
  );
  return {
    ...{ name: command.model, bytes, checkpoint, whole, kept },
    sha256: createHash("sha256").update(bytes).digest("hex"),
    model: copyModel(command.elements === "all" ? whole : takeElements(whole, kept)),
    head: headIndex(whole, command.head),
  };
}
