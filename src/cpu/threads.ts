import { Worker } from "node:worker_threads";
import { ParseError, RequestError } from "../errors.ts";
import { threadModule } from "../shipped_files.ts";
import { type Build, createMemory } from "./memory.ts";
import { type Task, taskRunner } from "./task.ts";
import type { Failure, Reply, Request } from "./thread.ts";

/** A fixed number of threads on one shared memory. */
export interface Threads {
  readonly memory: WebAssembly.Memory;
  readonly count: number;
  /** Runs the tasks, each on whichever thread is free; results in the order of the tasks. An error is
   * told when every thread is quiet. */
  runAll(tasks: readonly Task[]): Promise<unknown[]>;
  /** Runs a task once on every thread. */
  runEverywhere(task: Task): Promise<void>;
  close(): Promise<void>;
}

/** @param module what the threads run; another one in tests */
export function openThreads(count: number, build: Build, module = threadModule()): Threads {
  const memory = createMemory();
  const threads = Array.from(
    { length: count },
    () => openThread(new Worker(module, { workerData: { memory, build } })),
  );
  return {
    memory,
    count,
    async runAll(tasks) {
      const results = new Array<unknown>(tasks.length);
      const failed = new Map<number, unknown>();
      let next = 0;
      await Promise.all(threads.map(async (thread) => {
        while (next < tasks.length && failed.size === 0) {
          const i = next++;
          try {
            results[i] = await thread.run(tasks[i]);
          } catch (error) {
            failed.set(i, error);
          }
        }
      }));
      // Of several errors the first in the order of the tasks.
      if (failed.size > 0) throw failed.get(Math.min(...failed.keys()));
      return results;
    },
    async runEverywhere(task) {
      const runs = await Promise.allSettled(threads.map((thread) => thread.run(task)));
      const failed = runs.find((run) => run.status === "rejected");
      if (failed) throw failed.reason;
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** The same in this thread alone: for measurements, which no other thread should disturb. */
export function inlineThreads(build: Build): Threads {
  const memory = createMemory();
  const run = taskRunner(memory, build);
  return {
    ...{ memory, count: 1 },
    runAll: (tasks) => Promise.resolve(tasks.map(run)),
    runEverywhere: (task) => Promise.resolve(void run(task)),
    close: () => Promise.resolve(),
  };
}

interface Thread {
  /** Runs one task, after those that were asked for before. */
  run(task: Task): Promise<unknown>;
  close(): Promise<void>;
}

/** The task at hand and who waits for it. */
interface Waiting {
  readonly number: number;
  readonly task: Task;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

function openThread(worker: Worker): Thread {
  let number = 0;
  let waiting: Waiting | null = null;
  let lost = false;
  const lose = (reason: string) => {
    lost = true;
    const left = waiting;
    waiting = null;
    left?.reject(lostThread(left.task, reason));
  };
  worker.on("message", (reply: Reply) => {
    // An answer to anything but the task at hand is nobody's.
    if (waiting === null || reply.number !== waiting.number) return;
    const { resolve, reject } = waiting;
    waiting = null;
    if (reply.error !== undefined) reject(revive(reply.error));
    else resolve(reply.result);
  });
  worker.on("error", (error) => lose((error as Error).message));
  worker.on("exit", () => lose("it was killed, or ran out of memory"));
  const start = (task: Task) =>
    new Promise<unknown>((resolve, reject) => {
      if (lost) return reject(lostThread(task, "it ended before"));
      waiting = { number: ++number, task, resolve, reject };
      const request: Request = { number, task };
      worker.postMessage(request);
    });
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const result = last.then(() => start(task));
      last = result.catch(() => {});
      return result;
    },
    async close() {
      worker.removeAllListeners("exit");
      await worker.terminate();
    },
  };
}

/** What is said of a thread that will not answer. */
function lostThread(task: Task, reason: string): RequestError {
  const frames = "frames" in task ? task.frames : [];
  const more = frames.length > 1 ? ` and ${frames.length - 1} more` : "";
  const what = frames.length > 0
    ? `${task.kind === "predict" ? "predict" : "describe"} ${frames[0].id}${more}`
    : `run "${task.kind}"`;
  return new RequestError(
    `Cannot ${what}: the thread that was at it ended (${reason}); use fewer --threads, or smaller frames`,
  );
}

/** The error that a thread met, in its class. */
function revive({ name, message, stack, where }: Failure): Error {
  if (where !== undefined) return new ParseError(where, message.slice(where.length + 2));
  if (name === "RequestError") return new RequestError(message);
  return Object.assign(new Error(message), { name, stack });
}
