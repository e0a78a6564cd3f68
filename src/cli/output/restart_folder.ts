import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { formatTensors, readTensors } from "../../checkpoint/safetensors.ts";
import type { Build } from "../../cpu/memory.ts";
import { UsageError, WeightsError } from "../../errors.ts";

/** The file that a run goes on from. */
export const RESTART = "restart";

/** Writes a file whole or not at all. */
export function saveWhole(folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  try {
    writeFileSync(`${path}.partial`, content);
    renameSync(`${path}.partial`, path);
  } catch (error) {
    rmSync(`${path}.partial`, { force: true });
    throw Object.assign(error as Error, { path });
  }
}

/** Adds to the end of a file, whose name is in the error where that fails. */
export function append(path: string, content: string | Uint8Array): void {
  try {
    appendFileSync(path, content);
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
}

/**
 * Keeps a folder for this process: two runs in one would mix their files.
 *
 * @returns what gives it back
 * @throws {UsageError} if another process that lives has it
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const own = `${hostname()} ${process.pid}`;
  if (existsSync(path)) {
    const [host, pid] = readFileSync(path, "utf8").split(" ");
    const other = Number(pid) !== process.pid; // a container counts from 1 again
    if (other && host === hostname() && isAlive(Number(pid))) {
      throw new UsageError(`Cannot write into "${folder}": process ${pid} does; use another -o`);
    }
  }
  writeFileSync(path, own);
  return () => rmSync(path, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether a run was begun in a folder. */
export function holdsRestart(folder: string): boolean {
  return existsSync(join(folder, RESTART));
}

/** How the kernels of a run multiply and add, which is of no consequence but for the last bits; null where none
 * was begun, or by another backend. */
export function buildOf(folder: string): Build | null {
  if (!holdsRestart(folder)) return null;
  try {
    const { metadata } = readTensors(readFileSync(join(folder, RESTART)));
    return metadata.build === "plain" || metadata.build === "relaxed" ? metadata.build : null;
  } catch {
    // What is wrong with it is said where it is read.
    return null;
  }
}

/** What decides the course of a run, in words by name: a restart goes on only where all are equal. */
export type Course = Readonly<Record<string, string>>;

/** What a run goes on from. */
export interface Restart {
  readonly arrays: ReadonlyMap<string, Float64Array>;
  readonly course: Course;
  readonly build: Build | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Writes what is needed to go on.
 * @param format name of the kind of run */
export function writeRestart(
  folder: string,
  format: string,
  { arrays, course, build, metadata }: Restart,
): void {
  const tensors = new Map(
    [...arrays].map((
      [name, data],
    ) => [name, { dtype: "F64", shape: [data.length], data } as const]),
  );
  const all = {
    ...{ format, course: JSON.stringify(course), ...metadata },
    ...(build !== null && { build }),
  };
  saveWhole(folder, RESTART, formatTensors(tensors, all));
}

/** Reads what `writeRestart` wrote.
 * @throws {UsageError} if it is damaged, or of a run that took another course */
export function readRestart(
  folder: string,
  format: string,
  course: Course,
): { arrays: Map<string, Float64Array>; metadata: Record<string, string> } {
  const refuse = (why: string) =>
    new UsageError(`Cannot go on in "${folder}": ${why}; use --force to begin anew, or another -o`);
  let found;
  try {
    found = readTensors(readFileSync(join(folder, RESTART)));
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw refuse(`${RESTART} is damaged`);
  }
  const metadata = found.metadata as Record<string, string>;
  if (metadata.format !== format) throw refuse(`${RESTART} is of another command`);
  const before = JSON.parse(metadata.course) as Course;
  const names = [...new Set([...Object.keys(before), ...Object.keys(course)])];
  const other = names.find((name) => before[name] !== course[name]);
  if (other !== undefined) {
    const words = other.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    const short = (value = "none") => value.length > 20 ? `${value.slice(0, 20)}...` : value;
    throw refuse(
      `it was begun with another ${words} (${short(before[other])}, now ${short(course[other])})`,
    );
  }
  return { arrays: new Map([...found.tensors].map(([name, { data }]) => [name, data])), metadata };
}
