/** Entry point of a thread: runs tasks on the shared memory, one at a time. */
import { parentPort, workerData } from "node:worker_threads";
import type { ParseError } from "../errors.ts";
import type { Frame } from "../frame.ts";
import { Arena } from "./arena.ts";
import { describeFrame } from "./describe_frame.ts";
import { describeSchnet, type StoredSchnet } from "./describe_schnet.ts";
import { type Build, loadKernels } from "./memory.ts";
import { fillTables, type TableOrder } from "./radial_table.ts";
import type { StoredModel } from "./weights.ts";

/** What a thread can be asked to do. */
export type Task =
  | { readonly kind: "describe"; readonly model: StoredModel; readonly frames: readonly Frame[] }
  | { readonly kind: "schnet"; readonly model: StoredSchnet; readonly frames: readonly Frame[] }
  | { readonly kind: "tables"; readonly order: TableOrder }
  | { readonly kind: "calls"; readonly kernel: string; readonly args: readonly number[][] }
  | { readonly kind: "forget" };

/** An error as it crosses threads. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly where?: string;
}

/** A task and its number, which the reply carries. */
export interface Request {
  readonly number: number;
  readonly task: Task;
}

export interface Reply {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: Failure;
}

const memory = workerData.memory as WebAssembly.Memory;
const kernels = loadKernels(memory, workerData.build as Build);
let arena = new Arena(memory);

function run(task: Task): unknown {
  switch (task.kind) {
    case "describe":
      return task.frames.map((frame) => describeFrame(kernels, arena, task.model, frame));
    case "schnet":
      return task.frames.map((frame) => describeSchnet(kernels, arena, task.model, frame));
    case "tables":
      return fillTables(kernels, arena, task.order);
    case "calls":
      for (const args of task.args) kernels[task.kernel](...args);
      return null;
    case "forget":
      arena = new Arena(memory);
      return null;
  }
}

function answer({ number, task }: Request): Reply {
  try {
    return { number, result: run(task) };
  } catch (error) {
    // Classes do not survive the way between threads.
    const { name, message, stack, where } = error as ParseError;
    return { number, error: { name, message, stack, where } as Failure };
  }
}

parentPort!.on("message", (request: Request) => parentPort!.postMessage(answer(request)));
