/** A thread for tests: what it does with a task is the task's kernel and its first number. */
import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { Request } from "../../src/cpu/thread.ts";

parentPort!.on("message", ({ number, task }: Request) => {
  if (task.kind !== "calls") return parentPort!.postMessage({ number, result: null });
  const [[value, delay]] = task.args;
  setTimeout(() => {
    if (task.kernel === "end") process.exit(0);
    if (task.kernel === "stray") parentPort!.postMessage({ number: number - 1, result: -1 });
    if (task.kernel === "fail") {
      const error = { name: "RequestError", message: `task ${value}` };
      return parentPort!.postMessage({ number, error });
    }
    parentPort!.postMessage({ number, result: value });
  }, delay);
});
