import { createHash } from "node:crypto";
import type { Backend } from "../../backend.ts";
import type { FrameEntry } from "../../io/inputs.ts";
import { takeRows } from "../../matrix.ts";
import { isSchnet } from "../../model/descriptor_model.ts";
import type { Distillation, DistillInput } from "../../pipeline.ts";
import { canonicalOrder } from "../../select/frame_key.ts";
import type { SizeSearch } from "../../compare/suggest_size.ts";
import type { OpenedModel, PoolOfFrames } from "../input/load_pool.ts";
import type { DistillCommand } from "../syntax/options.ts";
import type { Stopwatch } from "./output.ts";

/** The model that described the frames. */
export interface ModelUsed {
  readonly name: string;
  readonly sha256: string;
  readonly kind: "mace" | "schnet" | "ace";
}

/** What a report says of a model. */
export function modelUsed({ model, name, bytes }: OpenedModel): ModelUsed {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, sha256, kind: isSchnet(model) ? "schnet" : model.kind === "ACE" ? "ace" : "mace" };
}

/** A finished distillation and all that led to it. */
export interface Results {
  readonly command: DistillCommand;
  /** Number of frames that were chosen. */
  readonly select: number;
  /** The search for that number, where it was asked for. */
  readonly sizes: SizeSearch | null;
  readonly pool: PoolOfFrames;
  /** The frames that were distilled: the pool without isolated atoms. */
  readonly entries: readonly FrameEntry[];
  readonly input: DistillInput;
  readonly result: Distillation;
  readonly backend: Backend;
  readonly model: ModelUsed | null;
  readonly watch: Stopwatch;
}

/** Principal components of the unique frames in canonical order, which random draws must see, and the
 * places of the chosen ones among them. */
export function uniqueFrames(
  { entries, result: { rank, representative, scores } }: Pick<Results, "entries" | "result">,
) {
  const unique = canonicalOrder(entries).filter((i) => representative[i] === i);
  // A kept frame may duplicate another one, which then stands for it.
  const taken = new Set([...rank.keys()].filter((i) => rank[i] > 0).map((i) => representative[i]));
  const chosen = unique.flatMap((i, u) => (taken.has(i) ? [u] : []));
  return { points: takeRows(scores, unique), chosen };
}
