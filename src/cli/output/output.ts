import process from "node:process";

/** Seconds between two progress lines where stderr is a log. */
const LOG_INTERVAL = 10;
const LIVE_INTERVAL = 0.1;

/** What a command says while it works: everything on stderr, nothing with `quiet` but warnings. */
export class Console {
  readonly warnings: string[] = [];
  readonly #live = process.stderr.isTTY === true;
  #pending = false;

  constructor(readonly quiet: boolean) {}

  /** One plain line. */
  say(line: string): void {
    if (this.quiet) return;
    this.#clear();
    process.stderr.write(`${line}\n`);
  }

  /** A warning, kept for the report. */
  warn(line: string): void {
    this.warnings.push(line);
    this.#clear();
    process.stderr.write(`cpd: warning: ${line}\n`);
  }

  /** Starts a stage of `total` steps; the returned function reports how many are done. */
  progress(label: string, total: number, unit = "frames"): (done: number) => void {
    const start = performance.now();
    let last = start;
    return (done) => {
      const now = performance.now();
      const interval = 1000 * (this.#live ? LIVE_INTERVAL : LOG_INTERVAL);
      if (this.quiet || (now - last < interval && done < total)) return;
      if (done >= total && !this.#live && now - start < interval) return;
      last = now;
      const seconds = (now - start) / 1000;
      const left = done > 0 ? Math.round(seconds * (total - done) / done) : 0;
      const rate = (done / Math.max(seconds, 1e-3)).toPrecision(3);
      const count = unit === "%" ? `${done} %` : `${done}/${total} ${unit}, ${rate}/s`;
      const line = `${label}: ${count}, ${left} s left`;
      if (this.#live) {
        process.stderr.write(`\r\x1b[K${bar(done / total)} ${line}`);
        this.#pending = true;
        if (done >= total) this.#clear();
      } else {
        process.stderr.write(`${line}\n`);
      }
    };
  }

  /** A line that takes the place of the one before, or now and then another one where stderr is a log. */
  status(): (line: string) => void {
    let last = -Infinity;
    return (line) => {
      const now = performance.now();
      if (this.quiet || now - last < 1000 * (this.#live ? LIVE_INTERVAL : LOG_INTERVAL)) return;
      last = now;
      process.stderr.write(this.#live ? `\r\x1b[K${line}` : `${line}\n`);
      this.#pending = this.#live;
    };
  }

  /** Counts frames whose number is not known beforehand; says nothing about short stages. */
  counter(label: string): (done: number) => void {
    const start = performance.now();
    let last = start;
    return (done) => {
      const now = performance.now();
      if (this.quiet || now - last < 1000 * (this.#live ? LIVE_INTERVAL : LOG_INTERVAL)) return;
      last = now;
      const rate = (1000 * done / (now - start)).toPrecision(3);
      const line = `${label}: ${done} frames, ${rate}/s`;
      process.stderr.write(this.#live ? `\r\x1b[K${line}` : `${line}\n`);
      this.#pending = this.#live;
    };
  }

  #clear(): void {
    if (!this.#pending) return;
    process.stderr.write("\r\x1b[K");
    this.#pending = false;
  }
}

const BAR = 24;

/** `[======>       ]` of a share done. */
function bar(share: number): string {
  const full = Math.min(BAR, Math.floor(share * BAR));
  const head = full < BAR ? ">" : "";
  return `[${"=".repeat(full)}${head}${" ".repeat(Math.max(0, BAR - full - 1))}]`;
}

/** Wall times of the stages, for the report. */
export class Stopwatch {
  readonly seconds: Record<string, number> = {};
  #last = performance.now();

  /** Books the time since the last call under a name. */
  lap(stage: string): void {
    const now = performance.now();
    this.seconds[stage] = (this.seconds[stage] ?? 0) + (now - this.#last) / 1000;
    this.#last = now;
  }
}

/** Names in a message. */
const NAMED = 3;

/** The first of some names, and how many more there are. */
export function fewOf(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return names.slice(0, NAMED).join(", ") + more;
}
