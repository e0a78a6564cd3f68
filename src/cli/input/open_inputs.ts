import { closeSync, createWriteStream, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve, sep } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { InterruptedError, ParseError, UsageError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";
import { goesWithPlaces } from "../../io/formats/cp2k_trajectory.ts";
import { type Format, formatOf } from "../../io/formats/formats.ts";
import { type FrameRecord, recordText } from "../../io/formats/frame_record.ts";
import { type InputSpec, parseInput } from "../../io/inputs.ts";
import { isInterrupted } from "../interrupt.ts";
import type { Console } from "../output/output.ts";

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
/** What of one VASP run is read, the first that is there. */
const VASP = ["VASP vasprun.xml", "VASP OUTCAR", "VASP XDATCAR"];

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
    for (const { file, format } of await filesOf(spec, options.output, temporary, console)) {
      opened.push(
        format === null
          ? { spec: file, original: file.path }
          : await converted(file, format, options, temporary, console),
      );
    }
  }
  return opened;
}

interface FoundFile {
  readonly file: InputSpec;
  readonly format: Format | null;
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
    return await search(spec, output, console);
  }
  checkReadable(spec.path);
  return [{ file: spec, format: await formatOf(spec.path, spec.name) }];
}

/** Files of a folder and those below it that are recognised; of one VASP run a single one. */
async function search(
  folder: InputSpec,
  output: string | null,
  console: Console,
): Promise<FoundFile[]> {
  const written = output === null ? null : resolve(output);
  const isWritten = (path: string) =>
    written !== null && (resolve(path) + sep).startsWith(written + sep);
  const paths = readdirSync(folder.path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() && !isWritten(path))
    .sort();
  const found: FoundFile[] = [];
  for (const path of paths) {
    const format = await recognised(path);
    if (format === undefined || goesWithPlaces(path)) continue;
    found.push({ file: { ...folder, name: path, path }, format });
  }
  const kept = [...Map.groupBy(found, runOf).values()].flatMap((run) => {
    const best = VASP.map((name) => run.find(({ format }) => format?.name === name)).find(Boolean);
    const left = run.filter((one) => one !== best && VASP.includes(one.format?.name ?? ""));
    if (left.length > 0) {
      const names = left.map(({ file }) => basename(file.path)).join(", ");
      console.say(`${best!.file.name}: of the same run ${names} is not read`);
    }
    return run.filter((one) => !left.includes(one));
  });
  if (kept.length === 0) {
    throw new ParseError(
      folder.name,
      "no file in this folder is of a format that is read (cpd help formats)",
    );
  }
  return kept;
}

/** Outputs of VASP whose names differ in the name of the output alone are of one run. */
function runOf({ file: { path }, format }: FoundFile): string {
  if (!VASP.includes(format?.name ?? "")) return path;
  return path.replace(/(OUTCAR|vasprun|XDATCAR|\.xml|\.gz|\.zst|\.xz|\.bz2)/gi, "");
}

/** The format of a file that may be anything; null for extended XYZ, which is known by its name. */
async function recognised(path: string): Promise<Format | null | undefined> {
  try {
    const format = await formatOf(path, path);
    return format ?? (/\.(ext|e)?xyz(\.\w+)?$/i.test(path) ? null : undefined);
  } catch {
    return undefined; // not ours to judge
  }
}

/** Writes the frames of a file as extended XYZ. */
async function converted(
  spec: InputSpec,
  format: Format,
  { strict, species }: ReadOptions,
  temporary: string[],
  console: Console,
): Promise<OpenedInput> {
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
    console.warn(`${spec.name}: ${unplaced} steps are left out: their places are no numbers`);
  }
  console.say(`${spec.name}: ${format.name}, ${n} frame${n === 1 ? "" : "s"}`);
  return { spec: { ...spec, path }, original: spec.path };
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
