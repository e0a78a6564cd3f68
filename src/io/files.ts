import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ParseError, UsageError } from "../errors.ts";

/** Compression of a file, recognised by its first bytes. */
type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

const CHUNK = 1 << 20;
/** Type of the checks of an xz stream, behind its magic. */
const XZ_SHA256 = 10;

function detectCompression(path: string): Compression {
  const head = new Uint8Array(8);
  const file = openSync(path, "r");
  let length: number;
  try {
    length = readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const starts = (...bytes: number[]) => bytes.every((b, i) => head[i] === b);
  if (starts(0x1F, 0x8B)) return "gzip";
  if (starts(0x28, 0xB5, 0x2F, 0xFD)) return "zstd";
  if (starts(0xFD, 0x37, 0x7A, 0x58, 0x5A)) {
    if (head[7] !== XZ_SHA256) return "xz";
    throw new ParseError(
      path,
      "its xz checks are SHA-256, which are not read; write it anew (xz -dc FILE | xz > NEW)",
    );
  }
  if (starts(0x42, 0x5A, 0x68)) return "bzip2";
  if (starts(0xFF, 0xFE) || starts(0xFE, 0xFF) || (length > 1 && head[0] > 0 && head[1] === 0)) {
    throw new ParseError(path, "it is UTF-16 text; save it as UTF-8 (iconv -f utf-16 -t utf-8)");
  }
  if (starts(0x50, 0x4B, 3, 4)) {
    throw new ParseError(path, "it is a ZIP archive, expected extended XYZ; unpack it first");
  }
  return "none";
}

/** Whether a file is read through a decompressor. */
export function isCompressed(path: string): boolean {
  return detectCompression(path) !== "none";
}

/** Checks that `path` is a file that can be read.
 * @throws {UsageError} if it is not */
export function checkReadable(path: string): void {
  try {
    if (statSync(path).isDirectory()) {
      throw new UsageError(`Cannot read "${path}": it is a directory`);
    }
    closeSync(openSync(path, "r"));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const missing = (error as { code?: string }).code === "ENOENT";
    throw new UsageError(
      `Cannot read "${path}": ${missing ? "no such file" : "permission denied"}`,
    );
  }
}

/**
 * The bytes of a file, decompressed where its first bytes say gzip, Zstandard, xz or bzip2.
 *
 * @throws {ParseError} if the compressed data is damaged or truncated
 */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const compression = detectCompression(path);
  const source = createReadStream(path, { highWaterMark: CHUNK });
  const stream = await decompressed(source, compression);
  source.on("error", (error) => stream.destroy(error));
  let total = 0;
  try {
    for await (const chunk of stream) {
      total += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (compression === "none") throw error;
    throw new ParseError(path, `its ${compression} data is damaged after ${total} bytes`);
  } finally {
    source.destroy();
    stream.destroy();
  }
}

/** Libraries for what is rare are loaded where it is met. */
async function decompressed(source: Readable, compression: Compression): Promise<Readable> {
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return source.pipe(createGunzip({ chunkSize: CHUNK }));
    case "zstd":
      return source.pipe(createZstdDecompress({ chunkSize: CHUNK }));
    case "xz": {
      const { default: xz } = await import("xz-decompress");
      const compressed = Readable.toWeb(source) as unknown as ReadableStream<Uint8Array>;
      const plain = new xz.XzReadableStream(compressed) as unknown as WebStream;
      return Readable.fromWeb(plain);
    }
    case "bzip2": {
      const { default: unbzip2 } = await import("unbzip2-stream");
      const plain = new PassThrough({ highWaterMark: CHUNK });
      source.pipe(unbzip2()).on("error", (error: Error) => plain.destroy(error)).pipe(plain);
      return plain;
    }
  }
}
