import type { Frame } from "../frame.ts";
import { Arena } from "./arena.ts";
import { describeFrame } from "./describe_frame.ts";
import { describeSchnet, type StoredSchnet } from "./describe_schnet.ts";
import { GraphCache } from "./graph_cache.ts";
import { type Build, loadKernels } from "./memory.ts";
import { predictFrame, type StoredPotential } from "./predict_frame.ts";
import { fillTables, type TableOrder } from "./radial_table.ts";
import { tableGradient } from "./table_weights.ts";
import { trainFrame, type TrainOrder } from "./train_frame.ts";
import type { StoredModel } from "./weights.ts";

/** What a thread can be asked to do. */
export type Task =
  | { readonly kind: "describe"; readonly model: StoredModel; readonly frames: readonly Frame[] }
  | {
    readonly kind: "predict";
    readonly potential: StoredPotential;
    readonly frames: readonly Frame[];
  }
  | { readonly kind: "schnet"; readonly model: StoredSchnet; readonly frames: readonly Frame[] }
  | { readonly kind: "tables"; readonly order: TableOrder }
  | { readonly kind: "train"; readonly order: TrainOrder }
  | { readonly kind: "table-weights"; readonly order: TableOrder }
  | { readonly kind: "calls"; readonly kernel: string; readonly args: readonly number[][] }
  | { readonly kind: "forget" };

/** Runs tasks on the shared memory, one at a time, with scratch memory of its own. */
export function taskRunner(memory: WebAssembly.Memory, build: Build): (task: Task) => unknown {
  const kernels = loadKernels(memory, build);
  const graphs = new GraphCache();
  let arena = new Arena(memory);
  return (task) => {
    switch (task.kind) {
      case "describe":
        return task.frames.map((frame) => describeFrame(kernels, arena, task.model, frame));
      case "predict":
        return task.frames.map((frame) => predictFrame(kernels, arena, task.potential, frame));
      case "schnet":
        return task.frames.map((frame) => describeSchnet(kernels, arena, task.model, frame));
      case "tables":
        return fillTables(kernels, arena, task.order);
      case "train":
        return trainFrame(kernels, arena, graphs, task.order);
      case "table-weights":
        return tableGradient(kernels, arena, task.order);
      case "calls":
        for (const args of task.args) kernels[task.kernel](...args);
        return null;
      case "forget":
        arena = new Arena(memory);
        return null;
    }
  };
}
