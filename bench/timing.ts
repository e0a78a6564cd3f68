/** Timing of interleaved alternatives and the rows they print. */

import process from "node:process";

export interface Timing {
  /** Milliseconds. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Calls every alternative in turn, `rounds` times after one warm-up round. */
export async function interleave(
  alternatives: readonly (() => unknown)[],
  rounds = 5,
): Promise<Timing[]> {
  const times: number[][] = alternatives.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, run] of alternatives.entries()) {
      const start = performance.now();
      await run();
      if (round > 0) times[i].push(performance.now() - start);
    }
  }
  return times.map((list) => {
    const sorted = list.toSorted((a, b) => a - b);
    return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted.at(-1)! };
  });
}

/** Throws where a result that is to be timed is wrong. */
export function check(what: string, error: number, limit: number): string {
  if (!(error <= limit)) throw new Error(`${what}: error ${error} is above ${limit}`);
  return error.toExponential(1);
}

/** Memory that the process holds, MB. */
export function residentMegabytes(): string {
  return (process.memoryUsage().rss / 1e6).toFixed(0);
}

/** One row of a Markdown table. */
export function row(...cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

/** Title and head of a table. */
export function table(title: string, ...columns: readonly string[]): void {
  console.log(`\n## ${title}\n`);
  row(...columns);
  row(...columns.map(() => "---"));
}

/** Milliseconds of a timing per unit, as "median (least-most)" in microseconds. */
export function micros({ median, least, most }: Timing, units: number): string {
  const [a, b, c] = [median, least, most].map((ms) => (1000 * ms / units).toFixed(2));
  return `${a} (${b}-${c})`;
}
