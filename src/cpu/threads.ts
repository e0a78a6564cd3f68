import { Worker } from "node:worker_threads";
import { ParseError } from "../errors.ts";
import { threadModule } from "../shipped_files.ts";
import { type Build, createMemory } from "./memory.ts";
import type { Task } from "./thread.ts";

/** A fixed number of threads on one shared memory. */
export interface Threads {
  readonly memory: WebAssembly.Memory;
  readonly count: number;
  /** Runs the tasks, each on whichever thread is free; results in the order of the tasks. */
  runAll(tasks: readonly Task[]): Promise<unknown[]>;
  /** Runs a task once on every thread. */
  runEverywhere(task: Task): Promise<void>;
  close(): Promise<void>;
}

export function openThreads(count: number, build: Build): Threads {
  const memory = createMemory();
  const workers = Array.from(
    { length: count },
    () => new Worker(threadModule(), { workerData: { memory, build } }),
  );
  return {
    memory,
    count,
    async runAll(tasks) {
      const results = new Array<unknown>(tasks.length);
      let next = 0;
      await Promise.all(workers.map(async (worker) => {
        while (next < tasks.length) {
          const i = next++;
          results[i] = await runOn(worker, tasks[i]);
        }
      }));
      return results;
    },
    async runEverywhere(task) {
      await Promise.all(workers.map((worker) => runOn(worker, task)));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function runOn(worker: Worker, task: Task): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(error);
    worker.once("error", fail);
    worker.once("message", (message: { result: unknown; error?: unknown }) => {
      worker.off("error", fail);
      if (message.error !== undefined) reject(revive(message.error));
      else resolve(message.result);
    });
    worker.postMessage(task);
  });
}

/** Errors lose their class on the way between threads. */
function revive(error: unknown): unknown {
  const { name, where, message } = error as Partial<ParseError>;
  if (name === "ParseError" || name === "SyntaxError") {
    const text = String(message);
    const at = where ?? text.slice(0, text.indexOf(": "));
    return new ParseError(at, text.slice(at.length + 2));
  }
  return error;
}
