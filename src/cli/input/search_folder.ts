import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ParseError } from "../../errors.ts";
import { goesWithPlaces } from "../../io/formats/cp2k_trajectory.ts";
import { printsStepOf } from "../../io/formats/cp_structure.ts";
import { type Format, formatOf } from "../../io/formats/formats.ts";
import type { FrameRecord } from "../../io/formats/frame_record.ts";
import type { InputSpec } from "../../io/inputs.ts";
import { type Console, fewOf } from "../output/output.ts";

/** A file to read. */
export interface FoundFile {
  readonly file: InputSpec;
  /** Null for extended XYZ. */
  readonly format: Format | null;
}

/** Outputs of one run of VASP, the best first. */
const VASP = [
  ...["VASP vasprun.xml", "VASP vaspout.h5", "VASP OUTCAR", "VASP ML_AB", "VASP XDATCAR"],
];
const [PW, XML] = ["Quantum ESPRESSO pw.x output", "Quantum ESPRESSO XML"];
const [CP, CP_TEXT] = ["Quantum ESPRESSO cp.x trajectory", "Quantum ESPRESSO cp.x output"];
/** eV; outputs print so many digits that those of one run are nearer. */
const SAME_ENERGY = 1e-5;

/** Files of a folder and those below it that are recognised; of what says the same of one run a single one. */
export async function searchFolder(
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
  const kept = await withoutRepeats(found, console);
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

/** The files without those that another says the same of; which they are is said. */
async function withoutRepeats(
  found: readonly FoundFile[],
  console: Console,
): Promise<FoundFile[]> {
  const folders = Map.groupBy(found, folderOf);
  const better = new Map<FoundFile, FoundFile>();
  for (const beside of folders.values()) {
    const vasp = beside.filter((one) => VASP.includes(formatName(one)));
    for (const run of Map.groupBy(vasp, runOf).values()) {
      const best = await bestOf(run);
      run.filter((one) => one !== best).forEach((one) => better.set(one, best));
    }
  }
  // Every text may be held against several XML.
  const steps = new Map<FoundFile, Promise<FrameRecord | null>>();
  const last = (one: FoundFile) => {
    const step = steps.get(one) ?? lastStep(one);
    steps.set(one, step);
    return step;
  };
  for (const one of found) {
    const other = formatName(one) === CP_TEXT
      ? await trajectoryOf(one, folders)
      : formatName(one) === XML
      ? await textOf(one, folders, last)
      : undefined;
    if (other) better.set(one, other);
  }
  for (const [kept, own] of Map.groupBy(better.keys(), (one) => better.get(one)!)) {
    const names = own.map((one) =>
      folderOf(one) === folderOf(kept) ? basename(one.file.path) : one.file.name
    );
    console.say(
      `${kept.file.name}: of the same run ${fewOf(names)} ${
        names.length > 1 ? "are" : "is"
      } not read`,
    );
  }
  return found.filter((one) => !better.has(one));
}

/** The first in order that holds a step; the first where none does. */
async function bestOf(run: readonly FoundFile[]): Promise<FoundFile> {
  const rank = (one: FoundFile) => VASP.indexOf(formatName(one));
  // ML_ABN holds what ML_AB does.
  const ordered = run.toSorted((a, b) => rank(a) - rank(b) || (a.file.path < b.file.path ? 1 : -1));
  if (run.length === 1) return run[0];
  for (const one of ordered) {
    if (await lastStep(one, true)) return one;
  }
  return ordered[0];
}

/** The trajectory of cp.x of which a text output prints a step. */
async function trajectoryOf(
  one: FoundFile,
  folders: ReadonlyMap<string, readonly FoundFile[]>,
): Promise<FoundFile | undefined> {
  for (const other of folders.get(folderOf(one))!) {
    if (formatName(other) === CP && await printsStepOf(one.file.path, other.file.path)) {
      return other;
    }
  }
  return undefined;
}

/**
 * The text output of the run of an XML, which lies beside PREFIX.save or one folder above it, or, of PREFIX.xml, its copy
 * in PREFIX.save; all end with the same energy.
 */
async function textOf(
  one: FoundFile,
  folders: ReadonlyMap<string, readonly FoundFile[]>,
  lastOf: (one: FoundFile) => Promise<FrameRecord | null>,
): Promise<FoundFile | undefined> {
  const own = await lastOf(one);
  if (own?.energy == null) return undefined;
  const folder = folderOf(one);
  const home = folder.endsWith(".save") ? dirname(folder) : folder;
  const save = one.file.path.replace(/\.xml$/, ".save");
  const texts = [home, dirname(home)].flatMap((place) => folders.get(place) ?? [])
    .filter((other) => formatName(other) === PW);
  for (const other of [...texts, ...(folders.get(save) ?? [])]) {
    const last = other === one ? null : await lastOf(other);
    if (last?.energy == null || last.species.length !== own.species.length) continue;
    if (Math.abs(last.energy - own.energy) < SAME_ENERGY) return other;
  }
  return undefined;
}

/** The last step that a file holds, or its first; null where it holds none, or cannot be read. */
async function lastStep({ file, format }: FoundFile, first = false): Promise<FrameRecord | null> {
  let last: FrameRecord | null = null;
  try {
    for await (const record of format!.read({ ...file, elements: null }, () => {})) {
      last = record;
      if (first) break;
    }
  } catch {
    // it is said where it is read
  }
  return last;
}

function folderOf({ file: { path } }: FoundFile): string {
  return dirname(path);
}

function formatName({ format }: FoundFile): string {
  return format?.name ?? "";
}

/** Outputs of VASP whose names differ in the name of the output alone are of one run. */
function runOf({ file: { path } }: FoundFile): string {
  const names = /(OUTCAR|vasprun|vaspout|XDATCAR|ML_ABN?|\.xml|\.h5|\.gz|\.zst|\.xz|\.bz2)/gi;
  return basename(path).replace(names, "");
}
