import { closeSync, createWriteStream, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { InterruptedError, ParseError, UsageError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";
import { type Format, formatOf } from "../../io/formats/formats.ts";
import { recordText } from "../../io/formats/frame_record.ts";
import { type InputSpec, parseInput } from "../../io/inputs.ts";
import { isInterrupted } from "../interrupt.ts";
import type { Console } from "../output/output.ts";

/** How other formats than extended XYZ are read. */
export interface ReadOptions {
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
    for (const { file, format } of await filesOf(spec, temporary, console)) {
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
    return await search(spec, console);
  }
  checkReadable(spec.path);
  return [{ file: spec, format: await formatOf(spec.path, spec.name) }];
}

/** Files of a folder and those below it that are recognised; of one VASP run a single one. */
async function search(folder: InputSpec, console: Console): Promise<FoundFile[]> {
  const entries = readdirSync(folder.path, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  const found: FoundFile[] = [];
  for (const path of paths) {
    const format = await recognised(path);
    if (format === undefined) continue;
    found.push({ file: { ...folder, name: path, path }, format });
  }
  const runs = Map.groupBy(found, ({ file }) => dirname(file.path));
  const kept = [...runs.values()].flatMap((run) => {
    const vasp = run.filter(({ format }) => VASP.includes(format?.name ?? ""));
    const best = VASP.map((name) => vasp.find(({ format }) => format?.name === name)).find(Boolean);
    const left = vasp.filter((one) => one !== best);
    if (left.length > 0) {
      const names = left.map(({ file }) => basename(file.path)).join(", ");
      console.say(`${best!.file.name}: of the same run ${names} is not read`);
    }
    // Forces and velocities of CP2K are joined to the places.
    const joined = run.some(({ format }) => format?.name === "CP2K trajectory");
    return run.filter((one) =>
      !left.includes(one) && !(joined && /-(frc|vel)-\d+\.xyz/.test(one.file.path))
    );
  });
  if (kept.length === 0) {
    throw new ParseError(
      folder.name,
      "no file in this folder is of a format that is read (cpd help formats)",
    );
  }
  return kept;
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
  let [n, text] = [0, ""];
  try {
    for await (const record of format.read({ ...spec, elements: species }, note)) {
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
  console.say(`${spec.name}: ${format.name}, ${n} frame${n === 1 ? "" : "s"}`);
  return { spec: { ...spec, path }, original: spec.path };
}

/** Standard input can be read once only; the passes need it as a file. */
async function spoolStandardInput(temporary: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cpd-stdin-"));
  temporary.push(folder);
  const path = join(folder, "stdin");
  await pipeline(process.stdin, createWriteStream(path));
  return path;
}
