import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { readChunks } from "../files.ts";

/** Bytes at the beginning of a file by which an output is known. */
const HEAD = 1 << 14;

/** Paths of the other files in the folder of a file, by their names. */
export function filesBeside(path: string): string[] {
  const folder = dirname(path);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile()).map(({ name }) => join(folder, name))
    .filter((other) => other !== path).sort();
}

/** Whether a file begins as an output does; false where it cannot be read. */
export async function beginsAs(
  path: string,
  recognises: (head: string) => boolean,
): Promise<boolean> {
  try {
    for await (const chunk of readChunks(path)) {
      return recognises(new TextDecoder("latin1").decode(chunk.subarray(0, HEAD)));
    }
  } catch {
    // not ours to judge
  }
  return false;
}
