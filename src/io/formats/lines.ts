import { Buffer } from "node:buffer";

/**
 * Lines of a stream of bytes without their ends, read as Latin-1, whose first 128 characters are all that numbers and
 * names need. A last line without an end was cut while it was written, and is left out.
 */
export class Lines {
  /** Number of the line that was taken last, from 1. */
  number = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #lines: string[] = [];
  #next = 0;
  #rest = "";
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next line where it is at hand, undefined where `more` has to be waited for: waiting for every line would
   * take most of the time. */
  take(): string | undefined {
    if (this.#next === this.#lines.length) return undefined;
    this.number++;
    const line = this.#lines[this.#next++];
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  /** The next line, or null at the end. */
  async more(): Promise<string | null> {
    for (;;) {
      const line = this.take();
      if (line !== undefined) return line;
      if (!await this.#read()) return null;
    }
  }

  /** Has the line that was taken last taken once more. */
  back(): void {
    this.number--;
    this.#next--;
  }

  /**
   * The next n lines, or fewer at the end.
   *
   * @param fits whether a line is one of them; the first that is not is left where it is
   */
  async rows(n: number, fits: (line: string) => boolean = () => true): Promise<string[]> {
    const rows: string[] = [];
    while (rows.length < n) {
      const line = this.take() ?? await this.more();
      if (line === null) break;
      if (!fits(line)) {
        this.back();
        break;
      }
      rows.push(line);
    }
    return rows;
  }

  async #read(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true;
    if (done) return false;
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1");
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    [this.#lines, this.#next] = [lines, 0];
    return true;
  }
}

/** Whether a line holds numbers, or the stars that stand for some. */
export function isNumeric(line: string): boolean {
  return /^\s*[-+\d.*]/.test(line);
}

/** Numbers between blanks; those that cannot be read, such as stars, are NaN. Numbers that have grown together at a
 * minus sign are told apart. */
export function numbersOf(text: string): number[] {
  const words = text.trim().replace(/(\d)-(?=\d)/g, "$1 -").split(/\s+/);
  return words[0] === "" ? [] : words.map(readNumber);
}

/** A number as Fortran or C writes it, or NaN. */
export function readNumber(word: string): number {
  const x = Number(word);
  if (!Number.isNaN(x) || word === "") return word === "" ? NaN : x;
  return Number(word.replace(/[dD]([+-]?\d+)$/, "e$1"));
}
