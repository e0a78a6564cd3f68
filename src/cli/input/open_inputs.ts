import { closeSync, createWriteStream, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { InterruptedError, ParseError, UsageError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";
import { goesWithPlaces } from "../../io/formats/cp2k_trajectory.ts";
import { type Format, formatOf } from "../../io/formats/formats.ts";
import { type FrameRecord, recordText } from "../../io/formats/frame_record.ts";
import { type InputSpec, parseInput } from "../../io/inputs.ts";
import { isInterrupted } from "../interrupt.ts";
import { type Console, fewOf } from "../output/output.ts";

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
/** Formats that say the same of one run, the best first. */
const VASP = ["VASP vasprun.xml", "VASP vaspout.h5", "VASP OUTCAR", "VASP XDATCAR"];
const CP = ["Quantum ESPRESSO cp.x trajectory", "Quantum ESPRESSO cp.x output"];
const [PW, XML] = ["Quantum ESPRESSO pw.x output", "Quantum ESPRESSO XML"];

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
    for (const { file, format } of found) {
      if (format === null) own.push({ spec: file, original: file.path });
      else {
        const { frames, ...one } = await converted(file, format, options, temporary, console);
        // A run without a step does not keep the others of a folder from being read.
        if (frames > 0 || found.length === 1) own.push(one);
        else console.warn(`${file.name}: it holds no frame and is left out`);
      }
    }
    if (own.length === 0) throw new ParseError(spec.name, "no file in this folder holds a frame");
    opened.push(...own);
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
    .filter((path) => {
      const status = statSync(path, { throwIfNoEntry: false });
      return status?.isFile() && status.size > 0 && !isWritten(path);
    })
    .sort();
  const found: FoundFile[] = [];
  for (const path of paths) {
    const format = await recognised(path);
    if (format === undefined || goesWithPlaces(path)) continue;
    found.push({ file: { ...folder, name: path, path }, format });
  }
  const kept = withoutRepeats(found, console);
  if (kept.length === 0) {
    throw new ParseError(
      folder.name,
      "no file in this folder is of a format that is read (cpd help formats)",
    );
  }
  return kept;
}

/** Of what says the same of one run the best, and what is left out is said. */
function withoutRepeats(found: readonly FoundFile[], console: Console): FoundFile[] {
  const folders = Map.groupBy(found, folderOf);
  const left = Map.groupBy(found, (one) => betterOf(one, folders));
  for (const [better, own] of left) {
    if (!better) continue;
    const beside = ({ file: { path } }: FoundFile) => dirname(path) === dirname(better.file.path);
    const names = own.map((one) => beside(one) ? basename(one.file.path) : one.file.name);
    console.say(
      `${better.file.name}: of the same run ${fewOf(names)} ${
        names.length > 1 ? "are" : "is"
      } not read`,
    );
  }
  return left.get(undefined) ?? [];
}

/** What says the same of the run of a file and is read instead, or undefined. */
function betterOf(
  one: FoundFile,
  folders: ReadonlyMap<string, readonly FoundFile[]>,
): FoundFile | undefined {
  const [name, folder] = [formatName(one), folderOf(one)];
  const best = (formats: readonly string[], run: readonly FoundFile[]) =>
    formats.map((format) => run.find((other) => formatName(other) === format)).find(Boolean);
  const beside = folders.get(folder)!;
  if (VASP.includes(name)) {
    const better = best(VASP, beside.filter((other) => runOf(other) === runOf(one)));
    return better === one ? undefined : better;
  }
  if (name === CP[1]) return best([CP[0]], beside);
  if (name !== XML) return undefined;
  // The text output lies beside or above; PREFIX.xml is a copy of PREFIX.save/data-file-schema.xml.
  for (let above = folder;; above = dirname(above)) {
    const text = best([PW, ...CP], folders.get(above) ?? []);
    if (text) return text;
    if (above === dirname(above)) break;
  }
  const save = one.file.path.replace(/\.xml$/, ".save");
  return best([XML], save === one.file.path ? [] : folders.get(save) ?? []);
}

function folderOf({ file: { path } }: FoundFile): string {
  return dirname(path);
}

function formatName({ format }: FoundFile): string {
  return format?.name ?? "";
}

/** Outputs of VASP whose names differ in the name of the output alone are of one run. */
function runOf({ file: { path } }: FoundFile): string {
  return path.replace(/(OUTCAR|vasprun|vaspout|XDATCAR|\.xml|\.h5|\.gz|\.zst|\.xz|\.bz2)/gi, "");
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
    console.warn(`${spec.name}: ${unplaced} steps are left out: their places are no numbers`);
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
