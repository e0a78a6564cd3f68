import { Buffer } from "node:buffer";

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

  /** Adds the next block; false at the end. */
  async grow(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true;
    if (done) return false;
    const more = Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1");
    this.text = this.text.slice(this.at) + more;
    this.at = 0;
    return true;
  }
}
