import assert from "node:assert/strict";
import { test } from "node:test";
import { openCpuBackend } from "../../src/cpu/backend.ts";
import type { Task } from "../../src/cpu/task.ts";
import { openThreads } from "../../src/cpu/threads.ts";
import { loadModel } from "../../src/checkpoint/load.ts";
import { ParseError, RequestError } from "../../src/errors.ts";
import type { Frame } from "../../src/frame.ts";
import { makeFrame, projectPath, randomNumbers } from "../support.ts";

const FAKE = new URL("./fake_thread.ts", import.meta.url);

/** A task of the fake thread: it answers with the number after some milliseconds. */
const work = (value: number, delay = 1, kernel = "answer"): Task => ({
  kind: "calls",
  kernel,
  args: [[value, delay]],
});

async function withThreads(
  count: number,
  use: (t: ReturnType<typeof openThreads>) => Promise<void>,
) {
  const threads = openThreads(count, "plain", FAKE);
  try {
    await use(threads);
  } finally {
    await threads.close();
  }
}

test("results stand in the order of the tasks, whichever thread is faster", () =>
  withThreads(3, async (threads) => {
    const tasks = [30, 1, 20, 2, 10, 3].map((delay, i) => work(i, delay));
    assert.deepEqual(await threads.runAll(tasks), [0, 1, 2, 3, 4, 5]);
  }));

test("an error is told when all threads are quiet, and the next call gets its own answers", () =>
  withThreads(2, async (threads) => {
    const start = performance.now();
    // The second thread is still at its task when the first one fails.
    await assert.rejects(
      threads.runAll([work(0, 1, "fail"), work(1, 150), work(2), work(3)]),
      (error) => error instanceof RequestError && error.message === "task 0",
    );
    assert.ok(performance.now() - start >= 140, "told before the other thread had ended");
    assert.deepEqual(await threads.runAll([work(7), work(8, 20), work(9)]), [7, 8, 9]);
    // What has not begun by then is not begun.
    const then = performance.now();
    await assert.rejects(
      threads.runAll([work(0, 1, "fail"), work(1, 60), work(2, 900), work(3, 900)]),
    );
    assert.ok(performance.now() - then < 800, "went on after an error");
    await assert.rejects(threads.runEverywhere(work(0, 1, "fail")), /task 0/);
    // Of two errors the first in the order of the tasks is told.
    await assert.rejects(threads.runAll([work(4, 60, "fail"), work(5, 1, "fail")]), /task 4/);
  }));

test("calls that overlap wait for each other", () =>
  withThreads(2, async (threads) => {
    const calls = [0, 10, 20].map((first) =>
      threads.runAll([0, 1, 2, 3].map((i) => work(first + i, 5)))
    );
    assert.deepEqual(await Promise.all(calls), [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]);
  }));

test("a reply to another task is nobody's", () =>
  withThreads(1, async (threads) => {
    assert.deepEqual(await threads.runAll([work(1), work(2, 1, "stray"), work(3)]), [1, 2, 3]);
  }));

test("a thread that ends is an error that names its frame, now and later", () =>
  withThreads(1, async (threads) => {
    const frames = ["a.xyz@3", "a.xyz@4"].map((id) => ({ ...makeFrame([1], [0, 0, 0]), id }));
    const lost = (message: RegExp) => (error: unknown) =>
      error instanceof RequestError && message.test(error.message);
    await assert.rejects(
      threads.runAll([work(0, 1, "end")]),
      lost(/^Cannot run "calls": the thread that was at it ended \(.*\); use fewer --threads/),
    );
    const task = { kind: "describe", model: {}, frames } as unknown as Task;
    await assert.rejects(
      threads.runAll([task]),
      lost(/^Cannot describe a\.xyz@3 and 1 more: the thread that was at it ended/),
    );
  }));

/** Hydrogen at random places of a grid, so that no two atoms are close. */
function crystal(n: number, seed: number, id: string): Frame {
  const noise = randomNumbers(seed, 3 * n ** 3);
  const positions = Array.from({ length: 3 * n ** 3 }, (_, i) => {
    const at = [Math.floor(i / 3 / n / n), Math.floor(i / 3 / n) % n, Math.floor(i / 3) % n][i % 3];
    return 1.3 * (at + 0.2 * noise[i]);
  });
  const side = 1.3 * n;
  return {
    ...makeFrame(new Uint8Array(n ** 3).fill(1), positions, [side, 0, 0, 0, side, 0, 0, 0, side]),
    id,
  };
}

test("after a bad frame the next frames get their own descriptors", async () => {
  const { model } = loadModel(projectPath("data/hydrogen-small.safetensors"));
  const backend = await openCpuBackend(2);
  try {
    const describer = await backend.openDescriber(model, model.layers.length, [1]);
    const bad = { ...makeFrame([1, 1], [0, 0, 0, 0, 0, 0]), pbc: [false, false, false] as const };
    const large = [crystal(12, 1, "large@0"), crystal(12, 2, "large@1")];
    await assert.rejects(
      describer.describe([{ ...bad, id: "bad@0" }, ...large]),
      (error) => error instanceof ParseError && error.where === "bad@0",
    );
    const good = [crystal(6, 3, "good@0"), crystal(6, 4, "good@1")];
    const rows = await describer.describe(good);
    const again = await describer.describe(good);
    rows.forEach((row, f) => {
      assert.equal(row.length, 216 * describer.width);
      assert.deepEqual(Array.from(row), Array.from(again[f]));
    });
    await describer.close();
  } finally {
    await backend.close();
  }
});
