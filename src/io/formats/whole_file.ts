import { Buffer } from "node:buffer";
import { ParseError } from "../../errors.ts";

const MOST_BYTES = 2 ** 31 - 1;

/** All bytes of a file whose parts point at each other.
 * @throws {ParseError} if it is larger than 2 GiB */
export async function wholeFile(chunks: AsyncIterable<Uint8Array>, file: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk.slice());
    if ((size += chunk.length) > MOST_BYTES) {
      throw new ParseError(
        file,
        "it is larger than 2 GiB; divide it, or convert it to extended XYZ",
      );
    }
  }
  // A buffer of its own, which begins at its first byte.
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
