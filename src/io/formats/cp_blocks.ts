import { readChunks } from "../files.ts";
import type { Note } from "./frame_record.ts";
import { Lines, numbersOf } from "./lines.ts";

/** A step of a file of cp.x: a heading of numbers, and rows of three. */
export interface Block {
  readonly number: number;
  /** Steps begin anew where a run was continued from before its end: how often that happened, and with which step. */
  readonly segment: number;
  readonly begins: number;
  readonly head: readonly number[];
  readonly values: Float64Array;
}

/**
 * Steps of a file of cp.x. One that is cut short, as a killed run leaves it, is left out; reading goes on at the next
 * heading.
 *
 * @param rows of each step; with none every line is a heading
 * @param note told of what is left out
 * @param onNames told of lines that name columns
 */
export async function* blocks(
  path: string,
  rows: number,
  note: Note = () => {},
  onNames: (names: string[]) => void = () => {},
): AsyncGenerator<Block, void> {
  const lines = new Lines(readChunks(path));
  let [last, segment, begins] = [Infinity, -1, NaN];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return;
    if (line.startsWith("#")) onNames(line.slice(1).trim().split(/\s+/));
    if (line.startsWith("#") || (rows > 0 && !isHeading(line))) continue;
    const head = numbersOf(line);
    const [number] = head;
    if (!Number.isInteger(number)) continue;
    const values = (await lines.rows(rows, (row) => !isHeading(row))).map(vectorOf);
    if (values.length < rows || values.some((row) => row === null)) {
      note(`step ${number} is cut short at line ${lines.number} and left out`, true);
      continue;
    }
    if (!(number > last)) {
      segment++;
      begins = number;
    }
    last = number;
    yield {
      number,
      segment,
      begins,
      head,
      values: Float64Array.from(values.flatMap((row) => row!)),
    };
  }
}

/** Whether a line is the number of a step and its time, which may be missing. */
function isHeading(line: string): boolean {
  return /^\s*\d+(?:\s+[\d.*E+-]+)?\s*$/.test(line);
}

/** Three numbers, of which stars are none; null where a row is not whole. */
function vectorOf(row: string): number[] | null {
  const numbers = numbersOf(row);
  if (numbers.length === 3) return numbers;
  return row.includes("*") ? [NaN, NaN, NaN] : null;
}

/** Another file of the run, asked for step after step. */
export class JoinedBlocks {
  /** Of the columns, where a line says them. */
  names: string[] = [];
  /** Whether it ended before a step that was asked for. */
  ended = false;
  readonly #blocks: AsyncGenerator<Block, void>;
  #last: Block | null = null;

  constructor(path: string, rows: number) {
    this.#blocks = blocks(path, rows, undefined, (names) => this.names = names);
  }

  /** What it says of a step; null where that is nothing, or of a run that was continued from elsewhere. */
  async at(
    { number, segment, begins }: Pick<Block, "number" | "segment" | "begins">,
  ): Promise<Block | null> {
    const isBefore = (own: Block) =>
      own.segment < segment || (own.segment === segment && own.number < number);
    while (this.#last === null || isBefore(this.#last)) {
      const next = await this.#blocks.next();
      if (next.done) {
        this.ended = true;
        return null;
      }
      this.#last = next.value;
    }
    const { number: own, segment: one, begins: first } = this.#last;
    return own === number && one === segment && first === begins ? this.#last : null;
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}
