import type { Backend } from "../backend.ts";
import type { FrameEntry } from "../io/inputs.ts";
import type { Distillation, DistillInput } from "../pipeline.ts";
import type { SizeSearch } from "../suggest_size.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { DistillCommand } from "./options.ts";
import type { Stopwatch } from "./output.ts";

/** The model that described the frames. */
export interface ModelUsed {
  readonly name: string;
  readonly sha256: string;
  readonly kind: "mace" | "schnet";
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
