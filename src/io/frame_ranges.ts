import { ParseError } from "../errors.ts";

/** One frame as it stands in the file: its bytes, and where they are. */
export interface RawFrame {
  /** 0-based place in the file. */
  readonly index: number;
  /** Line of the file where the frame starts, from 1. */
  readonly line: number;
  /** Byte range in the (decompressed) file; the ranges of all frames tile the file. */
  readonly start: number;
  readonly end: number;
  /** The bytes of that range; valid until the next frame is asked for. */
  readonly bytes: Uint8Array;
  readonly nAtoms: number;
  /** Offsets into `bytes` of the comment line and of the first atom row. */
  readonly commentStart: number;
  readonly commentEnd: number;
  readonly rowsStart: number;
  /** Why these lines are no frame, and the line that tells, or null. */
  readonly problem: { readonly line: number; readonly text: string } | null;
}

/** A last frame that ends before its last atom, as a killed job leaves it. */
export interface Truncation {
  readonly index: number;
  readonly line: number;
  readonly declared: number;
  readonly rows: number;
}

const MAX_LINE = 1 << 26;
/** Bytes that may lie between two frames; they are held in memory. */
const MAX_STRAY = 1 << 26;
const MAX_ATOMS = 1e8;
/** Longest line that may be a number of atoms. */
const MAX_DIGITS = 16;

/**
 * Splits a stream of bytes into extended-XYZ frames; holds one frame and one chunk at a time.
 * Blank lines behind a frame belong to it. A truncated last frame ends the stream: it is reported and
 * not yielded. Lines that are no frame, such as one cut short where a killed run was continued, are
 * yielded with their problem up to the next line that holds a number of atoms alone.
 *
 * @param chunks the file's bytes
 * @param file name of the file, for messages
 */
export async function* splitFrames(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  onTruncated: (truncation: Truncation) => void,
): AsyncGenerator<RawFrame> {
  const window = new Window(chunks, file);
  let line = 1;
  for (let index = 0;; index++) {
    const leading = index === 0 ? await skipBlankLines(window, 0) : { at: 0, lines: 0 };
    if (leading.at < 0) return;
    const countEnd = await window.lineEnd(leading.at);
    if (countEnd === leading.at && window.ended && window.length === leading.at) return;
    const first = line + leading.lines;
    const head = window.text(leading.at, countEnd);
    const nAtoms = parseCount(head);
    const comment = nAtoms === null ? countEnd : await window.lineEnd(countEnd + 1);
    const rows = await countRows(window, comment + 1, nAtoms ?? Infinity);
    const short = nAtoms !== null && rows.count < nAtoms;
    if (nAtoms !== null && ((short && rows.ended) || comment >= window.length)) {
      onTruncated({ index, line: first, declared: nAtoms, rows: rows.count });
      return;
    }
    let tail = await skipBlankLines(window, rows.at);
    let problem: RawFrame["problem"] = null;
    if (nAtoms === null) problem = { line: first, text: notACount(head, index) };
    else if (short) problem = { line: first, text: cutShort(index, nAtoms, rows.count) };
    else if (tail.at >= 0) {
      // Lines behind the last atom that start no frame: one of the two is not what it says.
      const next = await window.lineEnd(tail.at);
      const text = window.text(tail.at, next);
      if (parseCount(text) === null) {
        const where = first + 2 + rows.count + tail.lines;
        problem = { line: where, text: notACount(text, index + 1) };
        const stray = await countRows(window, next + 1, Infinity);
        const blank = await skipBlankLines(window, stray.at);
        tail = { at: blank.at, lines: tail.lines + 1 + stray.count + blank.lines };
      }
    }
    const end = tail.at < 0 ? window.length : tail.at;
    yield {
      index,
      line: first,
      start: window.start,
      end: window.start + end,
      bytes: window.bytes(0, end),
      nAtoms: nAtoms ?? 0,
      problem,
      commentStart: Math.min(countEnd + 1, end),
      commentEnd: Math.min(comment, end),
      rowsStart: Math.min(comment + 1, end),
    };
    window.drop(end);
    line = first + (nAtoms === null ? 1 : 2) + rows.count + tail.lines;
    if (tail.at < 0) return;
  }
}

/** Number of atoms in the first line of a frame, or null. */
function parseCount(text: string): number | null {
  const word = withoutMark(text);
  const n = /^\d+$/.test(word) ? Number(word) : NaN;
  return n >= 1 && n <= MAX_ATOMS ? n : null;
}

/** A line without a byte order mark and blanks at its ends. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "").trim();
}

function notACount(text: string, index: number): string {
  const word = withoutMark(text);
  const shown = JSON.stringify(word.length > 40 ? `${word.slice(0, 40)}…` : word);
  const before = index > 0 ? "; does the frame before it declare too few or too many?" : "";
  return `expected the number of atoms of frame ${index}, found ${shown}${before}`;
}

function cutShort(index: number, declared: number, rows: number): string {
  return `frame ${index} declares ${declared} atoms but ${rows} rows follow; was a run killed here ` +
    "and another one appended?";
}

/** Lines up to `most`, to a line that starts another frame, or to the end of the file. */
async function countRows(window: Window, at: number, most: number) {
  let count = 0;
  let ended = false;
  while (count < most) {
    const known = window.findLineEnd(at, at);
    const end = known >= 0 ? known : await window.lineEnd(at);
    ended = at >= window.length || (end >= window.length && window.isBlank(at, end));
    if (ended || window.isNumber(at, end)) break;
    if (most === Infinity && end > MAX_STRAY) {
      throw new ParseError(window.file, "64 MiB of it hold no frame, this is not extended XYZ");
    }
    count++;
    at = end + 1;
  }
  return { count, ended, at: Math.min(at, window.length) };
}

/** First byte of the next line that is not blank, or -1 at the end of the file. */
async function skipBlankLines(window: Window, at: number) {
  let lines = 0;
  for (;;) {
    const end = await window.lineEnd(at);
    if (at >= window.length) return { at: -1, lines };
    if (!window.isBlank(at, end)) return { at, lines };
    if (end >= window.length) return { at: -1, lines };
    at = end + 1;
    lines++;
  }
}

/** The bytes from the start of the current frame to the end of the last chunk read. */
class Window {
  start = 0;
  ended = false;
  #buffer = new Uint8Array(1 << 16);
  #from = 0;
  #to = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>, readonly file: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get length(): number {
    return this.#to - this.#from;
  }

  bytes(from: number, to: number): Uint8Array {
    return this.#buffer.subarray(this.#from + from, this.#from + to);
  }

  text(from: number, to: number): string {
    return new TextDecoder().decode(this.bytes(from, Math.min(to, from + 256)));
  }

  isBlank(from: number, to: number): boolean {
    for (let i = this.#from + from; i < this.#from + to; i++) {
      if (this.#buffer[i] > 32) return false;
    }
    return true;
  }

  /** Whether a line holds one whole number and nothing else, as no row of an atom does. */
  isNumber(from: number, to: number): boolean {
    if (to - from > MAX_DIGITS) return false;
    const first = this.#buffer[this.#from + from];
    if (first > 57 || (first > 32 && first < 48)) return false;
    return /^\s*\d+\s*$/.test(this.text(from, to));
  }

  /** Offset of the line feed that ends the line at `at` in the bytes read so far, or -1. */
  findLineEnd(at: number, searched: number): number {
    if (at > this.length) return -1;
    const found = this.#buffer.indexOf(10, this.#from + searched);
    return found >= 0 && found < this.#to ? found - this.#from : -1;
  }

  /** Offset of the line feed that ends the line at `at`, or the length at the end of the file. */
  async lineEnd(at: number): Promise<number> {
    let searched = at;
    for (;;) {
      const found = this.findLineEnd(at, searched);
      if (found >= 0) return found;
      searched = Math.max(at, this.length);
      if (searched - at > MAX_LINE) {
        throw new ParseError(this.file, "a line is longer than 64 MiB, this is not extended XYZ");
      }
      if (!await this.#read()) return Math.max(at, this.length);
    }
  }

  drop(n: number): void {
    this.#from += n;
    this.start += n;
  }

  async #read(): Promise<boolean> {
    if (this.ended) return false;
    const { value, done } = await this.#chunks.next();
    if (done) {
      this.ended = true;
      return false;
    }
    const needed = this.length + value.length;
    if (this.#to + value.length > this.#buffer.length) {
      const target = needed > this.#buffer.length
        ? new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
        : this.#buffer;
      target.set(this.#buffer.subarray(this.#from, this.#to));
      this.#buffer = target;
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#buffer.set(value, this.#to);
    this.#to += value.length;
    return true;
  }
}
