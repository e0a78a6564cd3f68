import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describeSystemError, UsageError } from "../../errors.ts";

/**
 * Refuses a folder that holds something, unless it may be overwritten; that holds what is read; or that
 * cannot be written.
 *
 * @param sources files that the command reads
 * @throws {UsageError}
 */
export function checkOutput(folder: string, force: boolean, sources: readonly string[]): void {
  const partial = partialFolder(folder);
  try {
    mkdirSync(partial, { recursive: true });
    rmSync(partial, { recursive: true });
  } catch (error) {
    throw describeSystemError(Object.assign(error as Error, { path: folder }));
  }
  if (!existsSync(folder)) return;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new UsageError(`Cannot write into "${folder}": it is not a directory`);
  }
  if (names.length > 0 && !force) {
    throw new UsageError(
      `Cannot write into "${folder}": it is not empty; use --force or another -o`,
    );
  }
  const inside = sources.find((path) =>
    existsSync(path) && dirname(realpathSync(path)) === realpathSync(folder)
  );
  if (inside !== undefined) {
    throw new UsageError(
      `Cannot write into "${folder}": "${inside}" is read from there; use another -o`,
    );
  }
}

/** Refuses to write a file over one that is read, over a folder, or over any file unless it may be overwritten.
 * @throws {UsageError} */
export function checkTarget(path: string, force: boolean, sources: readonly string[]): void {
  if (!existsSync(path)) return;
  const target = realpathSync(path);
  if (sources.some((source) => existsSync(source) && realpathSync(source) === target)) {
    throw new UsageError(`Cannot write "${path}": it is read; use another -o`);
  }
  if (statSync(path).isDirectory()) {
    throw new UsageError(`Cannot write "${path}": it is a folder; use another -o`);
  }
  if (!force) {
    throw new UsageError(`Cannot write "${path}": it exists; use --force or another -o`);
  }
}

/** Where files are written before they are moved into the output folder. */
function partialFolder(folder: string): string {
  return `${folder.replace(/\/+$/, "")}.partial-${process.pid}`;
}

/**
 * Has files written beside a folder and moves them in when all are there; nothing is left half-written.
 *
 * @param optional names that an earlier run may have left and this one need not write, if any
 * @returns what `write` returns
 */
export async function publish<T>(
  folder: string,
  optional: RegExp | null,
  write: (partial: string) => T | Promise<T>,
): Promise<T> {
  const partial = partialFolder(folder);
  mkdirSync(partial, { recursive: true });
  try {
    const result = await write(partial);
    mkdirSync(folder, { recursive: true });
    const written = readdirSync(partial);
    for (const name of readdirSync(folder)) {
      if (optional?.test(name) && !written.includes(name)) rmSync(join(folder, name));
    }
    for (const name of written) {
      const [source, target] = [join(partial, name), join(folder, name)];
      // A folder cannot be moved over one that holds something.
      if (statSync(source).isDirectory()) rmSync(target, { recursive: true, force: true });
      renameSync(source, target);
    }
    return result;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
