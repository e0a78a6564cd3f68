import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describeSystemError, UsageError } from "../../errors.ts";

/** Folder of the feature cache: `CPD_CACHE_DIR`, or the user's cache folder. */
export function cacheFolder(): string {
  if (process.env.CPD_CACHE_DIR) return process.env.CPD_CACHE_DIR;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "cpd");
}

/** Bytes of one frame in the cache: index and row. */
export function recordBytes(width: number): number {
  return 4 + 8 * width;
}

/**
 * Feature rows of one input file, appended as they are computed: records of (index uint32, row float64).
 * What a killed run left half-written at the end is cut off. The name hashes everything that the rows
 * depend on, so a changed file, model or setting never meets an old row.
 */
export class FeatureCache {
  readonly rows = new Map<number, Float64Array>();
  #file: number | null = null;
  readonly #path: string;

  constructor(key: readonly string[], readonly width: number, folder = cacheFolder()) {
    const name = createHash("sha256").update(JSON.stringify([...key, width])).digest("hex");
    this.#path = join(folder, `${name}.rows`);
    try {
      mkdirSync(folder, { recursive: true });
      this.#read();
    } catch (error) {
      const { message } = describeSystemError(
        Object.assign(error as Error, { path: folder }),
      ) as Error;
      throw new UsageError(`${message}; set CPD_CACHE_DIR to a folder for the cache`);
    }
  }

  append(index: number, row: Float64Array): void {
    this.#file ??= openSync(this.#path, "a");
    const record = new Uint8Array(this.#stride);
    const view = new DataView(record.buffer);
    view.setUint32(0, index, true);
    row.forEach((value, j) => view.setFloat64(4 + 8 * j, value, true));
    writeSync(this.#file, record);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  get #stride(): number {
    return recordBytes(this.width);
  }

  #read(): void {
    if (!existsSync(this.#path)) return;
    const bytes = readFileSync(this.#path);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = Math.floor(bytes.length / this.#stride);
    if (whole * this.#stride < bytes.length) truncateSync(this.#path, whole * this.#stride);
    for (let r = 0; r < whole; r++) {
      const at = r * this.#stride;
      const row = Float64Array.from(
        { length: this.width },
        (_, j) => view.getFloat64(at + 4 + 8 * j, true),
      );
      this.rows.set(view.getUint32(at, true), row);
    }
  }
}
