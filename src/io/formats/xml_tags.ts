import { Latin1Text } from "./latin1_text.ts";

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
  readonly #source: Latin1Text;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = new Latin1Text(chunks);
  }

  /** The next tag where it is at hand; undefined where `more` has to be waited for. */
  take(): Tag | undefined {
    const { text, at } = this.#source;
    const open = text.indexOf("<", at);
    const close = open < 0 ? -1 : text.indexOf(">", open);
    if (close < 0) return undefined;
    const inside = text.slice(open + 1, close);
    const blank = inside.indexOf(" ");
    const tag = {
      name: blank < 0 ? inside : inside.slice(0, blank),
      attributes: blank < 0 ? "" : inside.slice(blank + 1),
      text: text.slice(at, open),
    };
    this.#source.at = close + 1;
    return tag;
  }

  /** The next tag, or null where the file ends. */
  async more(): Promise<Tag | null> {
    for (;;) {
      const tag = this.take();
      if (tag) return tag;
      if (!await this.#source.grow()) return null;
    }
  }

  /** Goes behind the tag that closes the element; false where the file ends before. */
  async skip(name: string): Promise<boolean> {
    const [source, end] = [this.#source, `</${name}>`];
    for (;;) {
      const found = source.text.indexOf(end, source.at);
      if (found >= 0) {
        source.at = found + end.length;
        return true;
      }
      source.at = Math.max(source.at, source.text.length - end.length);
      if (!await source.grow()) return false;
    }
  }
}
