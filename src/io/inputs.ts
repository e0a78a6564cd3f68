import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cellWidth, formula, type Frame, periodicVolume } from "../frame.ts";
import { ParseError, UsageError } from "../errors.ts";
import { declaredUnits } from "./declared_units.ts";
import { parseFrame } from "./extxyz.ts";
import { checkReadable, isCompressed, readChunks } from "./files.ts";
import { type RawFrame, splitFrames, type Truncation } from "./frame_ranges.ts";
import { isIsolated } from "./isolation.ts";
import { labelsOf } from "./labels.ts";

/** One INPUT argument: a file and the frames wanted from it (ASE slices, 0-based). */
export interface InputSpec {
  /** Name that ids carry. */
  readonly name: string;
  /** File on disk. */
  readonly path: string;
  readonly slice: Slice | null;
}

interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number;
}

/** What the scan remembers of a frame. */
export interface FrameEntry {
  readonly id: string;
  readonly file: string;
  /** SHA-256 of the frames of its file, decompressed and without isolated atoms: it gives the same
   * choice under any name, and whether such atoms stand in the file or not. */
  readonly fileKey: string;
  readonly path: string;
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly nAtoms: number;
  readonly formula: string;
  /** Volume per atom, Å³; NaN unless periodic along all axes. */
  readonly volume: number;
  /** Least width of the cell along its periodic axes, Å; infinite if there is none. */
  readonly width: number;
  /** Whether it is a single atom that meets no other. */
  readonly isolated: boolean;
  /** Values of the keys that were asked for, as far as the frame has them. */
  readonly values: Readonly<Record<string, string>>;
  /** Factor from its energies to eV; NaN where it declares a unit that is not known. */
  readonly energyFactor: number;
}

export interface Scan {
  readonly entries: FrameEntry[];
  /** Atomic numbers in the file's frames. */
  readonly elements: Set<number>;
  readonly truncated: Truncation | null;
  readonly bytes: number;
  /** SHA-256 of the file as it lies on disk. */
  readonly sha256: string;
}

/** Parses `FILE` or `FILE@start:stop:step`.
 * @throws {UsageError} if the slice is malformed */
export function parseInput(argument: string): InputSpec {
  const match = argument.match(/^(.*)@([-+:\d]*)$/s);
  if (!match || match[1] === "") return { name: argument, path: argument, slice: null };
  const [, name, text] = match;
  const parts = text.split(":");
  const numbers = parts.map((part) => (part === "" ? null : Number(part)));
  const bad = parts.length > 3 || numbers.some((n) => n !== null && !Number.isInteger(n)) ||
    text === "" || numbers[2] === 0;
  if (bad) {
    throw new UsageError(`Cannot parse slice "@${text}": expected INDEX or start:stop:step`);
  }
  const [first, stop] = numbers;
  if (parts.length === 1) {
    const end = first === -1 ? null : first! + 1;
    return { name, path: name, slice: { start: first, stop: end, step: 1 } };
  }
  return { name, path: name, slice: { start: first, stop: stop ?? null, step: numbers[2] ?? 1 } };
}

/** True for each of `n` frames that the slice takes. */
export function sliceMask(slice: Slice | null, n: number): boolean[] {
  if (!slice) return new Array(n).fill(true);
  const mask = new Array<boolean>(n).fill(false);
  const { step } = slice;
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + n : value, low), high);
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const start = slice.start === null ? (step > 0 ? 0 : n - 1) : clamp(slice.start, low, high);
  const stop = slice.stop === null ? (step > 0 ? n : -1) : clamp(slice.stop, low, high);
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) mask[i] = true;
  return mask;
}

/** Values of the comment line that are remembered. */
export interface WantedKeys {
  /** These, whatever their values are. */
  readonly names: readonly string[];
  /** And all whose values are short. */
  readonly short: boolean;
  /** And all that are energies by their name. */
  readonly energies: boolean;
}

export const NO_KEYS: WantedKeys = { names: [], short: false, energies: false };

/** Told of every frame, or of why it cannot be read; true leaves it out. */
export type Sieve = (raw: RawFrame, parsed: Frame | ParseError) => boolean;

/**
 * Reads a whole file once: checks every frame and remembers where it is.
 *
 * @throws {ParseError} with file and line of the first frame that is wrong and not left out
 */
export async function indexFile(
  spec: InputSpec,
  keys: WantedKeys,
  sieve: Sieve = () => false,
): Promise<Scan> {
  checkReadable(spec.path);
  const entries: Omit<FrameEntry, "fileKey">[] = [];
  const elementsOf = new Map<number, Set<number>>();
  let truncated: Truncation | null = null;
  let [bytes, nFrames] = [0, 0];
  const [hash, frames] = [createHash("sha256"), createHash("sha256")];
  const chunks = hashed(readChunks(spec.path), hash);
  for await (const raw of splitFrames(chunks, spec.name, (t) => truncated = t)) {
    bytes = raw.end;
    nFrames++;
    const parsed = tryParse(raw, spec.name);
    if (parsed instanceof ParseError || !isIsolated(parsed)) frames.update(raw.bytes);
    if (sieve(raw, parsed)) continue;
    if (parsed instanceof ParseError) throw parsed;
    elementsOf.set(raw.index, new Set(parsed.species));
    entries.push(entryOf(parsed, spec.path, raw, keys));
  }
  const mask = sliceMask(spec.slice, nFrames);
  const fileKey = frames.digest("hex");
  const wanted = entries.filter(({ index }) => mask[index]);
  return {
    entries: wanted.map((entry) => ({ ...entry, fileKey })),
    elements: new Set(wanted.flatMap(({ index }) => [...elementsOf.get(index)!])),
    truncated,
    bytes,
    sha256: isCompressed(spec.path) ? await fileHash(spec.path) : hash.digest("hex"),
  };
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function tryParse(raw: RawFrame, file: string): Frame | ParseError {
  try {
    return parseFrame(raw, file);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

function entryOf(
  frame: Frame,
  path: string,
  { start, end }: RawFrame,
  keys: WantedKeys,
): Omit<FrameEntry, "fileKey"> {
  const { id, file, index, species, pbc, cell, info } = frame;
  return {
    id,
    file,
    path,
    index,
    start,
    end,
    nAtoms: species.length,
    formula: formula(species),
    volume: periodicVolume(frame) / species.length,
    width: cellWidth(cell, pbc),
    isolated: isIsolated(frame),
    values: {
      ...(keys.short && shortValues(info)),
      ...Object.fromEntries([
        ...(keys.energies ? labelsOf("energy", info.keys()) : []),
        ...keys.names.filter((key) => info.has(key)),
      ].map((key) => [key, info.get(key)!])),
    },
    energyFactor: declaredUnits(info).energy,
  };
}

const LONGEST_VALUE = 40;

/** Values that are one number or one word. */
function shortValues(info: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    [...info].filter(([key, value]) =>
      value.length <= LONGEST_VALUE && !/\s/.test(value) && !/^(properties|pbc)$/i.test(key)
    ),
  );
}

/** The frames of one file at the given indices, in file order. */
export async function* readFrames(
  file: string,
  path: string,
  indices: ReadonlySet<number>,
): AsyncGenerator<Frame> {
  for await (const raw of readRawFrames(file, path, indices)) yield parseFrame(raw, file);
}

/** The same as they stand in the file. */
export async function* readRawFrames(
  file: string,
  path: string,
  indices: ReadonlySet<number>,
): AsyncGenerator<RawFrame> {
  if (indices.size === 0) return;
  let left = indices.size;
  for await (const raw of splitFrames(readChunks(path), file, () => {})) {
    if (!indices.has(raw.index)) continue;
    yield raw;
    if (--left === 0) return;
  }
}

/** SHA-256 of a file as it lies on disk, in hexadecimal. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}
