import { Worker } from "node:worker_threads";
import { ParseError, RequestError } from "../errors.ts";
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
    worker.once("message", (message: { result: unknown; error?: Failure }) => {
      worker.off("error", fail);
      if (message.error !== undefined) reject(revive(message.error));
      else resolve(message.result);
    });
    worker.postMessage(task);
  });
}

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly where?: string;
}

/** The error that a thread met, in its class. */
function revive({ name, message, stack, where }: Failure): Error {
  if (where !== undefined) return new ParseError(where, message.slice(where.length + 2));
  if (name === "RequestError") return new RequestError(message);
  return Object.assign(new Error(message), { name, stack });
}
