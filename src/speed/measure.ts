import type { Backend } from "../backend.ts";
import { type SpeedCase, speedCases, type SpeedSize } from "./cases.ts";

/** How fast a backend is at something, and how wrong. */
export interface Speed extends Pick<SpeedCase, "name" | "error" | "allowed" | "amount" | "unit"> {
  readonly backend: string;
  /** Milliseconds of one call: the median, the least and the most of all rounds. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

/** Every case is called at least so often and, as far as that is not more, for so long, s. */
const ROUNDS = 3;
const SECONDS = 1;

/**
 * Errors of a backend first, then its times, after a warm-up; a case that is wrong is not timed: its
 * times are NaN.
 */
export async function* measureSpeed(backend: Backend, size: SpeedSize): AsyncGenerator<Speed> {
  for await (
    const { name, error, allowed, amount, unit, run, close } of speedCases(backend, size)
  ) {
    const about = { backend: backend.name, name, error, allowed, amount, unit };
    const times = error <= allowed ? await timesOf(run) : [NaN];
    await close();
    times.sort((a, b) => a - b);
    const [median, least, most] = [times[times.length >> 1], times[0], times[times.length - 1]];
    yield { ...about, median, least, most, rounds: times.length };
  }
}

async function timesOf(run: () => Promise<unknown>): Promise<number[]> {
  await run();
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < ROUNDS || performance.now() - begin < 1000 * SECONDS) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}

/** Microseconds per edge, nanoseconds per pair or number, in words. */
export function perUnit({ median, amount, unit }: Speed): string {
  return unit === "edges"
    ? `${(1000 * median / amount).toPrecision(3)} µs/edge`
    : `${(1e6 * median / amount).toPrecision(3)} ns/${unit.slice(0, -1)}`;
}
