/** Entry point of a thread: runs tasks on the shared memory, one at a time. */
import { parentPort, workerData } from "node:worker_threads";
import type { ParseError } from "../errors.ts";
import type { Build } from "./memory.ts";
import { type Task, taskRunner } from "./task.ts";

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

const run = taskRunner(workerData.memory as WebAssembly.Memory, workerData.build as Build);

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
