import { Buffer } from "node:buffer";

/** A line or a tag of more characters is damage, such as the zeros that a file system leaves at the end of a file. */
const LONGEST = 1 << 26;

/** A stream of bytes as a text of Latin-1, in bounded memory: what lies behind is dropped when it grows. */
export class Latin1Text {
  text = "";
  /** Where reading goes on. */
  at = 0;
  #ended = false;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Adds the next block; false at the end, and where nothing was taken for too long. */
  async grow(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true || this.text.length - this.at > LONGEST;
    if (done || this.#ended) return false;
    const more = Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1");
    this.text = this.text.slice(this.at) + more;
    this.at = 0;
    return true;
  }
}
