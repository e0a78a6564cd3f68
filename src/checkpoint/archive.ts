import { crc32 } from "node:zlib";
import { inflateSync } from "fflate";
import { WeightsError } from "../errors.ts";

/** One file inside a ZIP archive, located by the central directory. */
export interface Entry {
  readonly method: number;
  readonly offset: number;
  readonly compressedSize: number;
  readonly size: number;
  /** CRC-32 of the content. */
  readonly checksum: number;
  /** Where its own header begins, and its record in the directory. */
  readonly localOffset: number;
  readonly record: number;
}

/** A ZIP archive held in memory, read by its central directory (APPNOTE 6.3.10, ZIP64 included). */
export interface Archive {
  readonly bytes: Uint8Array;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Bytes inflated so far, over all reads. */
  inflated: number;
  /** Entries whose checksum was found right. */
  readonly checked: Set<string>;
}

const STORED = 0;
const DEFLATED = 8;
const MAX_ENTRIES = 100_000;
/** Deflate cannot expand by more than 1032; a declared size beyond that is a lie. */
const MAX_RATIO = 1032;
/** More inflated bytes than this are refused; stored entries are bounded by the file itself. */
const MAX_INFLATED = 1 << 29;

/** True if the bytes start like a ZIP archive. */
export function isArchive(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4B && bytes[2] === 3 && bytes[3] === 4;
}

/** Reads the directory of a ZIP archive.
 * @throws {WeightsError} if the directory is missing, truncated or points outside the file. */
export function openArchive(bytes: Uint8Array): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return { bytes, entries: readDirectory(bytes, view), inflated: 0, checked: new Set() };
  } catch (error) {
    if (!(error instanceof RangeError) || error instanceof WeightsError) throw error;
    throw new WeightsError("the ZIP directory points outside the file, the file is truncated");
  }
}

function readDirectory(bytes: Uint8Array, view: DataView): Map<string, Entry> {
  let { count, offset } = findDirectory(bytes, view);
  if (count > MAX_ENTRIES) throw new WeightsError(`the ZIP directory lists ${count} files`);
  const entries = new Map<string, Entry>();
  for (; count > 0; count--) {
    if (view.getUint32(offset, true) !== 0x02014B50) {
      throw new WeightsError("the ZIP directory is damaged");
    }
    const nameLength = view.getUint16(offset + 28, true);
    const extraLength = view.getUint16(offset + 30, true);
    const nameEnd = offset + 46 + nameLength;
    if (nameEnd + extraLength > bytes.length) throw new RangeError();
    const name = new TextDecoder().decode(bytes.subarray(offset + 46, nameEnd));
    const sizes = readSizes(view, offset, nameEnd, extraLength);
    const local = sizes.localOffset;
    const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (data + sizes.compressedSize > bytes.length) throw new RangeError();
    const method = view.getUint16(offset + 10, true);
    const checksum = view.getUint32(offset + 16, true);
    entries.set(name, { method, offset: data, checksum, record: offset, ...sizes });
    offset = nameEnd + extraLength + view.getUint16(offset + 32, true);
  }
  return entries;
}

function findDirectory(bytes: Uint8Array, view: DataView): { count: number; offset: number } {
  const stop = Math.max(0, bytes.length - 22 - 65535);
  for (let p = bytes.length - 22; p >= stop; p--) {
    if (view.getUint32(p, true) !== 0x06054B50) continue;
    const count = view.getUint16(p + 10, true);
    const offset = view.getUint32(p + 16, true);
    if (count !== 0xFFFF && offset !== 0xFFFFFFFF) return { count, offset };
    const end = Number(view.getBigUint64(p - 20 + 8, true));
    if (view.getUint32(end, true) !== 0x06064B50) break;
    return {
      count: Number(view.getBigUint64(end + 32, true)),
      offset: Number(view.getBigUint64(end + 48, true)),
    };
  }
  throw new WeightsError("there is no ZIP directory at its end, the file is truncated");
}

function readSizes(view: DataView, offset: number, extraStart: number, extraLength: number) {
  let compressedSize = view.getUint32(offset + 20, true);
  let size = view.getUint32(offset + 24, true);
  let localOffset = view.getUint32(offset + 42, true);
  const extraEnd = extraStart + extraLength;
  for (let p = extraStart; p + 4 <= extraEnd; p += 4 + view.getUint16(p + 2, true)) {
    if (view.getUint16(p, true) !== 1) continue; // 1: ZIP64 sizes
    let q = p + 4;
    const next = () => Number(view.getBigUint64((q += 8) - 8, true));
    if (size === 0xFFFFFFFF) size = next();
    if (compressedSize === 0xFFFFFFFF) compressedSize = next();
    if (localOffset === 0xFFFFFFFF) localOffset = next();
  }
  return { compressedSize, size, localOffset };
}

/** The uncompressed bytes of one entry; a view where the entry is stored.
 * @throws {WeightsError} if the entry is missing, damaged, or claims an impossible size. */
export function readEntry(archive: Archive, name: string): Uint8Array {
  const entry = archive.entries.get(name);
  if (!entry) throw new WeightsError(`the archive has no "${name}"`);
  const raw = archive.bytes.subarray(entry.offset, entry.offset + entry.compressedSize);
  if (entry.method === STORED) return checked(archive, name, entry, raw);
  if (entry.method !== DEFLATED) {
    throw new WeightsError(`"${name}" uses compression method ${entry.method}, expected 0 or 8`);
  }
  archive.inflated += entry.size;
  if (archive.inflated > MAX_INFLATED || entry.size > raw.length * MAX_RATIO + 1024) {
    throw new WeightsError(`"${name}" claims to inflate ${raw.length} bytes to ${entry.size}`);
  }
  let content: Uint8Array;
  try {
    // Into a buffer of the declared size, which is never outgrown.
    content = inflateSync(raw, { out: new Uint8Array(entry.size) });
  } catch {
    content = new Uint8Array(0);
  }
  if (content.length !== entry.size) {
    throw new WeightsError(`"${name}" is damaged and does not inflate to ${entry.size} bytes`);
  }
  return checked(archive, name, entry, content);
}

function checked(archive: Archive, name: string, entry: Entry, content: Uint8Array): Uint8Array {
  if (!archive.checked.has(name) && crc32(content) !== entry.checksum) {
    throw new WeightsError(`"${name}" is damaged, its checksum is wrong; get the file again`);
  }
  archive.checked.add(name);
  return content;
}
