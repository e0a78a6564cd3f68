import { Latin1Text } from "./latin1_text.ts";

/**
 * Lines of a stream of bytes without their ends, read as Latin-1, whose first 128 characters are all that numbers and
 * names need. A last line without an end was cut while it was written, and is left out, unless people write such files.
 */
export class Lines {
  /** Number of the line that was taken last, from 1. */
  number = 0;
  readonly #source: Latin1Text;
  /** Where the line that was taken last begins. */
  #last = 0;

  /** @param editable whether a last line without an end counts */
  constructor(chunks: AsyncIterable<Uint8Array>, editable = false) {
    this.#source = new Latin1Text(editable ? withLastEnd(chunks) : chunks);
  }

  /**
   * The next line where it is at hand, undefined where `more` has to be waited for: waiting for every line would take
   * most of the time.
   *
   * @param wanted whether a line that begins there is, before it is made a string of its own; others are passed over
   */
  take(wanted?: Wanted): string | undefined {
    const source = this.#source;
    const { text } = source;
    for (;;) {
      const start = source.at;
      const end = text.indexOf("\n", start);
      if (end < 0) return undefined;
      this.number++;
      this.#last = start;
      source.at = end + 1;
      if (wanted && !wanted(text, start)) continue;
      return text.slice(start, text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end);
    }
  }

  /** The next line, or the next that is wanted; null at the end. */
  async more(wanted?: Wanted): Promise<string | null> {
    for (;;) {
      const line = this.take(wanted);
      if (line !== undefined) return line;
      if (!await this.#source.grow()) return null;
    }
  }

  /** Has the line that was taken last taken once more. */
  back(): void {
    this.number--;
    this.#source.at = this.#last;
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
}

/** A stream whose last line has an end. */
async function* withLastEnd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield Uint8Array.of(LINE_FEED);
}

/** Whether the line that begins there in a text is wanted. */
export type Wanted = (text: string, at: number) => boolean;

const [LINE_FEED, CARRIAGE_RETURN, BLANK, MINUS, POINT, ZERO, NINE] = [..."\n\r -.09"].map((c) =>
  c.charCodeAt(0)
);
/** An exponent of three digits, for whose letter Fortran has no room. */
const BARE_EXPONENT = /^[-+]\d{3}(?![\d.])/;

/** Whether a line holds numbers, or the stars that stand for some. */
export function isNumeric(line: string): boolean {
  return /^\s*[-+\d.*]/.test(line);
}

/** Numbers between blanks; those that cannot be read, such as stars, are NaN. Numbers that have grown together at a
 * minus sign are told apart. */
export function numbersOf(text: string): number[] {
  const numbers: number[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at++;
    if (text.charCodeAt(start) <= BLANK) continue;
    while (at < text.length && text.charCodeAt(at) > BLANK && !beginsNumber(text, at)) at++;
    numbers.push(readNumber(text.slice(start, at)));
  }
  return numbers;
}

/** Whether a minus sign between two digits stands there, that is not the exponent of a fraction. */
function beginsNumber(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== MINUS || !isDigit(text.charCodeAt(at + 1))) return false;
  let before = at - 1;
  if (!isDigit(text.charCodeAt(before))) return false;
  while (isDigit(text.charCodeAt(before))) before--;
  return text.charCodeAt(before) !== POINT || !BARE_EXPONENT.test(text.slice(at, at + 5));
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** A number as Fortran or C writes it, or NaN. */
export function readNumber(word: string): number {
  const x = Number(word);
  if (word === "" || /^[-+]?0[xbo]/i.test(word)) return NaN;
  if (!Number.isNaN(x)) return x;
  return Number(word.replace(/(?:[dD]|(?<=\.\d*))([+-]\d+)$/, "e$1").replace(/[dD](\d+)$/, "e$1"));
}
