import { Buffer } from "node:buffer";

/** One tag of an XML file, and the text before it. */
export interface Tag {
  /** With a leading slash where it closes. */
  readonly name: string;
  readonly attributes: string;
  readonly text: string;
}

/** The tags of an XML file one by one, in bounded memory: for the flat tables of programs, not for all of XML. Bytes are
 * read as Latin-1. */
export class XmlTags {
  #text = "";
  #at = 0;
  #ended = false;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next tag where it is at hand; undefined where `more` has to be waited for. */
  take(): Tag | undefined {
    const open = this.#text.indexOf("<", this.#at);
    const close = open < 0 ? -1 : this.#text.indexOf(">", open);
    if (close < 0) return undefined;
    const inside = this.#text.slice(open + 1, close);
    const blank = inside.indexOf(" ");
    const tag = {
      name: blank < 0 ? inside : inside.slice(0, blank),
      attributes: blank < 0 ? "" : inside.slice(blank + 1),
      text: this.#text.slice(this.#at, open),
    };
    this.#at = close + 1;
    return tag;
  }

  /** The next tag, or null where the file ends. */
  async more(): Promise<Tag | null> {
    for (;;) {
      const tag = this.take();
      if (tag) return tag;
      if (!await this.#read()) return null;
    }
  }

  /** Goes behind the tag that closes the element; false where the file ends before. */
  async skip(name: string): Promise<boolean> {
    const end = `</${name}>`;
    for (;;) {
      const found = this.#text.indexOf(end, this.#at);
      if (found >= 0) {
        this.#at = found + end.length;
        return true;
      }
      this.#at = Math.max(this.#at, this.#text.length - end.length);
      if (!await this.#read()) return false;
    }
  }

  async #read(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    this.#ended = done === true;
    if (done) return false;
    const more = Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1");
    [this.#text, this.#at] = [this.#text.slice(this.#at) + more, 0];
    return true;
  }
}
