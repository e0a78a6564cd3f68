import { closeSync, createWriteStream, openSync, statSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { InterruptedError, ParseError, UsageError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";
import { type Format, formatOf } from "../../io/formats/formats.ts";
import { type FrameRecord, recordText } from "../../io/formats/frame_record.ts";
import { type InputSpec, parseInput } from "../../io/inputs.ts";
import { isInterrupted } from "../interrupt.ts";
import type { Console } from "../output/output.ts";
import { type FoundFile, searchFolder } from "./search_folder.ts";

/** How other formats than extended XYZ are read. */
export interface ReadOptions {
  /** File or folder that is written; a folder that holds it is searched without it. */
  readonly output: string | null;
  /** A file that ends within a step is an error instead of a warning. */
  readonly strict: boolean;
  /** Symbols of the types 1, 2, … of LAMMPS, or null. */
  readonly species: readonly string[] | null;
}

/** An input, as extended XYZ. */
export interface OpenedInput {
  readonly spec: InputSpec;
  /** The file that was given, for its hash. */
  readonly original: string;
}

/** Characters that are written at once. */
const BLOCK = 1 << 20;
/**
 * Inputs as files of extended XYZ: standard input is spooled, folders are searched, and other formats are rewritten in
 * a temporary folder, whatever their size is.
 *
 * @param temporary folders to remove at the end; new ones are added
 */
export async function openInputs(
  inputs: readonly string[],
  options: ReadOptions,
  temporary: string[],
  console: Console,
): Promise<OpenedInput[]> {
  const opened: OpenedInput[] = [];
  for (const input of inputs) {
    const spec = parseInput(input);
    const own: OpenedInput[] = [];
    const found = await filesOf(spec, options.output, temporary, console);
    for (const file of found) {
      const one = await openFile(file, found.length > 1, options, temporary, console);
      if (one) own.push(one);
    }
    if (own.length === 0) throw new ParseError(spec.name, "no file in this folder holds a frame");
    opened.push(...own);
  }
  return opened;
}

/** Null where it is one of several that a folder holds, and has no frame or cannot be read: that does not keep the
 * others from being read. */
async function openFile(
  { file, format }: FoundFile,
  several: boolean,
  options: ReadOptions,
  temporary: string[],
  console: Console,
): Promise<OpenedInput | null> {
  if (format === null) return { spec: file, original: file.path };
  try {
    const { frames, ...one } = await converted(file, format, options, temporary, console);
    if (frames > 0 || !several) return one;
    console.warn(`${file.name}: it holds no frame and is left out`);
  } catch (error) {
    if (!(error instanceof ParseError) || !several || options.strict) throw error;
    console.warn(`${error.message}; it is left out`);
  }
  return null;
}

/** The file that was given, standard input, or what a folder holds. */
async function filesOf(
  spec: InputSpec,
  output: string | null,
  temporary: string[],
  console: Console,
): Promise<FoundFile[]> {
  if (spec.path === "-") {
    if (temporary.some((folder) => basename(folder).startsWith("cpd-stdin"))) {
      throw new UsageError("Cannot read standard input twice: give - once");
    }
    const file = { ...spec, path: await spoolStandardInput(temporary) };
    return [{ file, format: await formatOf(file.path, spec.name) }];
  }
  if (statSync(spec.path, { throwIfNoEntry: false })?.isDirectory()) {
    return await searchFolder(spec, output, console);
  }
  checkReadable(spec.path);
  return [{ file: spec, format: await formatOf(spec.path, spec.name) }];
}

/** Writes the frames of a file as extended XYZ. */
async function converted(
  spec: InputSpec,
  format: Format,
  { strict, species }: ReadOptions,
  temporary: string[],
  console: Console,
): Promise<OpenedInput & { readonly frames: number }> {
  const folder = await mkdtemp(join(tmpdir(), "cpd-"));
  temporary.push(folder);
  const path = join(folder, "frames.xyz");
  const note = (sentence: string, cut = false) => {
    if (cut && strict) throw new ParseError(spec.name, sentence);
    console.warn(`${spec.name}: ${sentence}`);
  };
  const count = console.counter(`${spec.name}, ${format.name}`);
  const file = openSync(path, "w");
  let [n, unplaced, text] = [0, 0, ""];
  try {
    for await (const record of format.read({ ...spec, elements: species }, note)) {
      if (!isPlaced(record)) {
        unplaced++;
        continue;
      }
      text += recordText(record);
      if (text.length > BLOCK) {
        writeSync(file, text);
        text = "";
        if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was written");
      }
      count(++n);
    }
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  if (unplaced > 0) {
    console.warn(
      `${spec.name}: ${unplaced} steps are left out: their places or cells are no numbers`,
    );
  }
  console.say(`${spec.name}: ${format.name}, ${n} frame${n === 1 ? "" : "s"}`);
  return { spec: { ...spec, path }, original: spec.path, frames: n };
}

/** Whether it has atoms, and it is known where. */
function isPlaced({ species, positions, cell }: FrameRecord): boolean {
  return species.length > 0 && positions.every(Number.isFinite) && cell.every(Number.isFinite);
}

/** Standard input can be read once only; the passes need it as a file. */
async function spoolStandardInput(temporary: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cpd-stdin-"));
  temporary.push(folder);
  const path = join(folder, "stdin");
  await pipeline(process.stdin, createWriteStream(path));
  return path;
}
